//! Who delivers says so to all: whoever raised the alert need not deliver it, and whoever is given it again later
//! knows. It may be missed: then an alert is delivered twice, with one id.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use async_nats::jetstream::Context;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use uuid::Uuid;

use super::allowance::Allowances;
use super::{AGAIN, Fleet, Place, TARGET, names};
use crate::alert::Alert;
use crate::exchange::{Message, Refused, read};
use crate::metrics;
use crate::store::keeper::Keeper;

/// What subjects begin with; whoever delivered follows.
const PREFIX: &str = "egret.delivered.";
/// Deliveries that are remembered.
const MOST: usize = 10_000;

/// An alert was delivered: `egret.delivered/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Delivered {
    schema: String,
    site: String,
    sensor: String,
    alert: Uuid,
    count: u64,
}

impl Message for Delivered {
    const SCHEMA: &'static str = "egret.delivered/1";
    const LARGEST: usize = 1024;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Owned(names::text(&self.site, &self.sensor))
    }
}

/// What was delivered lately, by whomever.
#[derive(Debug, Default)]
pub(super) struct Recent {
    counts: BTreeMap<Uuid, u64>,
    order: VecDeque<Uuid>,
}

impl Recent {
    /// Notes that an alert was delivered in the state that has this count.
    pub(super) fn note(&mut self, alert: Uuid, count: u64) {
        match self.counts.get_mut(&alert) {
            Some(known) => *known = count.max(*known),
            None => {
                self.counts.insert(alert, count);
                self.order.push_back(alert);
            }
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.counts.remove(&oldest);
            }
        }
    }

    /// Whether it, or a newer state, was delivered.
    pub(super) fn has(&self, alert: &Alert) -> bool {
        self.counts.get(&alert.id).is_some_and(|count| *count >= alert.count)
    }
}

/// Says that this sensor has delivered an alert.
pub(super) async fn tell(fleet: &Fleet, jetstream: &Context, alert: Uuid, count: u64) {
    let shared = &fleet.shared;
    shared.recent().note(alert, count);
    let own = &shared.own;
    let said = Delivered {
        schema: Delivered::SCHEMA.to_owned(),
        site: own.site.clone(),
        sensor: own.sensor.clone(),
        alert,
        count,
    };
    let Ok(body) = serde_json::to_vec(&said) else { return };
    match jetstream.client().publish(format!("{PREFIX}{own}"), body.into()).await {
        Ok(()) => shared.metrics.fleet.sent(metrics::Kind::Delivered),
        Err(error) => tracing::debug!("fleet: a delivery was not told: {error}"),
    }
}

/// Hears for ever what others have delivered.
pub(super) async fn run(fleet: Fleet, jetstream: Context, keeper: Keeper) {
    let mut allowances = Allowances::default();
    loop {
        match jetstream.client().subscribe(format!("{PREFIX}*.*")).await {
            Ok(mut messages) => {
                // It goes on over lost connections.
                while let Some(message) = messages.next().await {
                    let subject = message.subject.as_str();
                    match check(&fleet, subject, &message.payload, &mut allowances) {
                        Ok(said) => settle(&fleet, &keeper, &said).await,
                        Err(why) => fleet.shared.counted.refused(subject, &why),
                    }
                }
            }
            Err(error) => tracing::debug!("fleet: deliveries are not heard of: {error}"),
        }
        sleep(AGAIN).await;
    }
}

fn check(
    fleet: &Fleet,
    subject: &str,
    body: &[u8],
    allowances: &mut Allowances,
) -> Result<Delivered, Refused> {
    let sender = Place::behind(PREFIX, subject).ok_or(Refused::Misplaced)?;
    let now = (fleet.shared.clock)();
    let said: Delivered = read(body, &sender.to_string(), now)?;
    if allowances.take(&sender, now) { Ok(said) } else { Err(Refused::Flood) }
}

async fn settle(fleet: &Fleet, keeper: &Keeper, said: &Delivered) {
    let shared = &fleet.shared;
    shared.metrics.fleet.received(metrics::Kind::Delivered);
    shared.recent().note(said.alert, said.count);
    let (alert, count) = (said.alert, said.count);
    let settled = keeper.ask(move |store| store.delivered_elsewhere(alert, count, TARGET)).await;
    if let Err(error) = settled {
        tracing::debug!("fleet: a delivery cannot be noted: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample::numbered;

    #[test]
    fn what_was_delivered_is_known_for_this_state_and_older_ones() {
        let mut recent = Recent::default();
        let state = |count| Alert { count, ..numbered(1) };
        assert!(!recent.has(&state(1)));
        recent.note(numbered(1).id, 3);
        recent.note(numbered(1).id, 2);
        assert!(recent.has(&state(1)) && recent.has(&state(3)) && !recent.has(&state(4)));
        for number in 0..MOST as u64 {
            recent.note(numbered(number + 2).id, 1);
        }
        assert!(!recent.has(&state(1)), "the oldest gives way");
        assert_eq!((recent.counts.len(), recent.order.len()), (MOST, MOST));
    }
}
