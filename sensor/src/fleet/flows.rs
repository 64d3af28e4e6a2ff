//! What each asset moved, minute by minute, for whoever wants to add up an estate. No sensor reads it.
//!
//! It is the difference between two looks at counters that only grow: what cannot be told now is in the next
//! message, which then reaches further back.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use serde::Serialize;
use tokio::time::{Instant, interval_at};

use super::{Fleet, Place};
use crate::metrics;
use crate::status::{self, Moved};
use crate::text::printable_within;
use crate::time::Timestamp;

/// The stream, and what its subjects begin with.
const STREAM: &str = "EGRET_FLOWS";
const PREFIX: &str = "egret.flows.";
/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// How long a message is kept, and how many bytes of all.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
const MOST_BYTES: i64 = 4 << 30;
/// No message is larger, in bytes: so many assets, with names of so many bytes at most.
const LARGEST: i32 = 512 << 10;
const MOST: usize = 1_000;
const LONGEST_NAME: usize = 128;

/// What assets moved: `egret.flows/1`.
#[derive(Debug, Serialize)]
struct Flows<'a> {
    schema: &'static str,
    site: &'a str,
    sensor: &'a str,
    from: Timestamp,
    to: Timestamp,
    /// Those that moved most.
    assets: Vec<Row>,
    /// All others together.
    others: Others,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Row {
    name: String,
    role: &'static str,
    #[serde(flatten)]
    moved: Moved,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Others {
    assets: usize,
    #[serde(flatten)]
    moved: Moved,
}

/// How the stream is kept.
pub(super) fn stream(replicas: usize) -> Config {
    Config {
        name: STREAM.to_owned(),
        subjects: vec![format!("{PREFIX}*.*")],
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: LARGEST,
        max_bytes: MOST_BYTES,
        max_consumers: -1,
        max_age: KEPT,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        num_replicas: replicas,
        ..Config::default()
    }
}

/// What was told of each asset so far.
#[derive(Debug, Default)]
struct Told(HashMap<String, Moved>);

impl Told {
    /// What each has moved since, most first, and the rest together.
    fn since(&self, assets: &[status::Asset]) -> (Vec<Row>, Others) {
        let mut rows: Vec<Row> = assets
            .iter()
            .filter_map(|asset| {
                let before = self.0.get(&asset.name).copied().unwrap_or_default();
                let moved = asset.moved.since(&before);
                let name = printable_within(&asset.name, LONGEST_NAME).to_string();
                (moved != Moved::default()).then_some(Row { name, role: asset.role, moved })
            })
            .collect();
        rows.sort_by(|a, b| b.moved.total().cmp(&a.moved.total()).then(a.name.cmp(&b.name)));
        let mut others = Others::default();
        for row in rows.drain(rows.len().min(MOST)..) {
            others.assets += 1;
            others.moved = others.moved.plus(&row.moved);
        }
        (rows, others)
    }

    fn take(&mut self, assets: &[status::Asset]) {
        self.0 = assets.iter().map(|asset| (asset.name.clone(), asset.moved)).collect();
    }
}

/// Tells for ever.
pub(super) async fn run(fleet: Fleet, jetstream: Context, status: status::Shared) {
    let shared = &fleet.shared;
    let mut told = Told::default();
    let mut from = (shared.clock)();
    let mut rounds = interval_at(Instant::now() + EVERY, EVERY);
    loop {
        rounds.tick().await;
        let assets = {
            let status = status.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::sync::Arc::clone(&status.assets)
        };
        if !shared.is_ready() {
            continue;
        }
        let (rows, others) = told.since(&assets);
        let to = (shared.clock)();
        if !rows.is_empty() {
            let Place { site, sensor } = &shared.own;
            let flows =
                Flows { schema: "egret.flows/1", site, sensor, from, to, assets: rows, others };
            if let Err(error) = publish(&jetstream, &shared.own, &flows).await {
                shared.missed("what assets moved is told later", &error);
                continue;
            }
            shared.metrics.fleet.sent(metrics::Kind::Flows);
        }
        told.take(&assets);
        from = to;
    }
}

async fn publish(
    jetstream: &Context,
    own: &Place,
    flows: &Flows<'_>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let id = format!("{own}.{}-{}", flows.from.as_nanos(), flows.to.as_nanos());
    let body = serde_json::to_vec(flows)?;
    let message = PublishMessage::build().payload(body.into()).message_id(id);
    jetstream.send_publish(format!("{PREFIX}{own}"), message).await?.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(name: &str, out_external: u64) -> status::Asset {
        let moved = Moved { out_external, in_internal: 1, ..Moved::default() };
        status::Asset {
            name: name.to_owned(),
            role: "guest",
            host: None,
            configured: false,
            first_seen: None,
            learning: false,
            bytes_out: out_external,
            bytes_in: 1,
            moved,
        }
    }

    #[test]
    fn what_moved_since_is_told_once_and_nothing_of_who_moved_nothing() {
        let mut told = Told::default();
        let first = [asset("a", 100), asset("b", 10)];
        assert_eq!(told.since(&first).0.len(), 2);
        told.take(&first);
        assert!(told.since(&first).0.is_empty());
        let (rows, others) = told.since(&[asset("a", 150), asset("b", 10), asset("c", 7)]);
        let told_of: Vec<_> =
            rows.iter().map(|row| (row.name.as_str(), row.moved.out_external)).collect();
        assert_eq!((told_of, others), (vec![("a", 50), ("c", 7)], Others::default()));
        // What was forgotten begins anew.
        let (rows, _) = told.since(&[asset("a", 3)]);
        assert_eq!(rows[0].moved, Moved { out_external: 3, ..Moved::default() });
    }

    #[test]
    fn a_message_has_its_bounds_whatever_moves() {
        let wide = "\u{1}".repeat(300);
        let assets: Vec<_> = (0..3_000)
            .map(|number| asset(&format!("{number:04}{wide}"), u64::MAX / 2 - number))
            .collect();
        let (rows, others) = Told::default().since(&assets);
        assert_eq!((rows.len(), others.assets), (MOST, 2_000));
        assert!(rows[0].name.starts_with("0000"));
        let (from, to) = (Timestamp::default(), Timestamp::MAX);
        let flows = Flows {
            schema: "egret.flows/1",
            site: "s",
            sensor: "a",
            from,
            to,
            assets: rows,
            others,
        };
        let size = serde_json::to_vec(&flows).unwrap().len();
        assert!(size < usize::try_from(LARGEST).unwrap(), "{size}");
    }
}
