//! Reads the others' alerts into the database, in the order in which the servers have them, from where it was read
//! last: over restarts, and after any time away.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::message::Message;
use futures_util::{StreamExt, pin_mut};
use tokio::time::sleep;

use super::allowance::Allowances;
use super::{Fleet, PATIENCE, alerts};
use crate::exchange::Refused;
use crate::metrics;
use crate::store::keeper::Keeper;
use crate::store::{Foreign, Position};

/// Messages in one transaction.
const BATCH: usize = 64;
/// Before the stream is read again after a failure.
const AGAIN: Duration = Duration::from_secs(2);

/// Why reading has to begin again.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// Reads for ever.
pub(super) async fn run(fleet: Fleet, jetstream: Context, keeper: Keeper) {
    let mut allowances = Allowances::default();
    loop {
        fleet.shared.until_ready().await;
        if let Err(error) = read(&fleet, &jetstream, &keeper, &mut allowances).await {
            fleet.shared.missed("alerts of others are not read", &error);
        }
        sleep(AGAIN).await;
    }
}

/// Reads until something fails.
async fn read(
    fleet: &Fleet,
    jetstream: &Context,
    keeper: &Keeper,
    allowances: &mut Allowances,
) -> Result<(), Error> {
    let lost = fleet.shared.lost();
    let stream = jetstream.get_stream(alerts::STREAM).await?;
    let info = stream.cached_info();
    let created = i64::try_from(info.created.unix_timestamp_nanos()).unwrap_or_default();
    let mut position = keeper.ask(|store| store.fleet_position(alerts::STREAM)).await?;
    if position.created != created || position.sequence > info.state.last_sequence {
        position = Position { created, sequence: 0 };
    }
    let start_sequence = position.sequence.saturating_add(1);
    let consumer = stream
        .create_consumer(pull::OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ..pull::OrderedConfig::default()
        })
        .await?;
    let messages = consumer.messages().await?.ready_chunks(BATCH).take_until(lost);
    pin_mut!(messages);
    while let Some(chunk) = messages.next().await {
        let mut all = Vec::new();
        for message in chunk {
            let message = message?;
            position.sequence = message.info()?.stream_sequence;
            all.extend(check(fleet, &message, allowances));
        }
        let kept = keeper.ask(move |store| store.keep_foreign(&all, alerts::STREAM, position));
        tokio::time::timeout(PATIENCE * 6, kept).await??;
    }
    Ok(())
}

/// An alert of another sensor, if it is one and as it should be.
fn check(fleet: &Fleet, message: &Message, allowances: &mut Allowances) -> Option<Foreign> {
    let shared = &fleet.shared;
    let now = (shared.clock)();
    let read = alerts::receive(&message.subject, &message.payload, now).and_then(|read| {
        let may = read.0 == shared.own || allowances.take(&read.0, now);
        if may { Ok(read) } else { Err(Refused::Flood) }
    });
    match read {
        Ok((sender, _)) if sender == shared.own => None,
        Ok((sender, alert)) => {
            shared.metrics.fleet.received(metrics::Kind::Alert);
            Some(Foreign { origin: sender.to_string(), alert })
        }
        Err(why) => {
            shared.counted.refused(&message.subject, &why);
            None
        }
    }
}
