//! What people approve, take back, and say of alerts: said at one sensor, known at all. Each sensor tells of what was
//! said at it; what is told again at each start is the same.

use std::time::Duration;

use async_nats::jetstream::Context;
use futures_util::{StreamExt, pin_mut};
use tokio::time::sleep;
use uuid::Uuid;

use super::allowance::Allowances;
use super::bucket::{Bucket, Error};
use super::{Fleet, Place};
use crate::exchange::{Acknowledgement, Approval, Refused, acknowledgement, approval};
use crate::metrics;
use crate::store::StoreError;
use crate::store::keeper::Keeper;

/// Buckets; keys are `ID.SITE.SENSOR`.
pub(super) const APPROVALS: Bucket =
    Bucket { name: "egret_approvals", largest: approval::LARGEST, bytes: 256 << 20, kept: None };
pub(super) const VERDICTS: Bucket = Bucket {
    name: "egret_verdicts",
    largest: acknowledgement::LARGEST,
    bytes: 1 << 30,
    kept: Some(Duration::from_secs(366 * 86_400)),
};

/// What is told at a time.
const BATCH: usize = 64;
/// How often is looked at least, and when it is read or told again after a failure.
const LOOK: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(5);
/// What was taken back is known for so long.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// Up to where was told.
#[derive(Debug, Default)]
struct Told {
    approvals: i64,
    verdicts: i64,
}

/// Tells for ever what is said at this sensor.
pub(super) async fn tell(fleet: Fleet, jetstream: Context, keeper: Keeper) {
    let mut told = Told::default();
    let mut changed = keeper.changed_elsewhere();
    let mut losses = fleet.shared.losses.subscribe();
    loop {
        fleet.shared.until_ready().await;
        changed.mark_unchanged();
        match tell_new(&fleet, &jetstream, &keeper, &mut told).await {
            // Whatever comes first: all are a reason to look.
            Ok(()) => tokio::select! {
                _ = changed.changed() => {}
                _ = losses.changed() => told = Told::default(),
                () = sleep(LOOK) => {}
            },
            Err(error) => {
                fleet.shared.missed("what people said is not told yet", &error);
                sleep(AGAIN).await;
            }
        }
    }
}

async fn tell_new(
    fleet: &Fleet,
    jetstream: &Context,
    keeper: &Keeper,
    told: &mut Told,
) -> Result<(), Error> {
    let shared = &fleet.shared;
    let place = shared.own.to_string();
    loop {
        let (name, after) = (place.clone(), told.approvals);
        let (all, last) =
            keeper.ask(move |store| store.approvals_owed(&name, after, BATCH)).await?;
        for approval in &all {
            let key = format!("{}.{place}", approval.id);
            APPROVALS.put(jetstream, &key, approval.to_json()).await?;
            shared.metrics.fleet.sent(metrics::Kind::Approval);
        }
        told.approvals = last;
        if all.is_empty() {
            break;
        }
    }
    loop {
        let (name, after) = (place.clone(), told.verdicts);
        let (all, last) =
            keeper.ask(move |store| store.acknowledgements_owed(&name, after, BATCH)).await?;
        for said in &all {
            let key = format!("{}.{place}", said.alert);
            VERDICTS.put(jetstream, &key, said.to_json()).await?;
            shared.metrics.fleet.sent(metrics::Kind::Verdict);
        }
        told.verdicts = last;
        if all.is_empty() {
            break;
        }
    }
    let before = (shared.clock)().minus(KEPT);
    for id in keeper.ask(move |store| store.drop_withdrawn(before)).await? {
        APPROVALS.delete(jetstream, &format!("{id}.{place}")).await?;
    }
    Ok(())
}

/// Hears for ever what is said at other sensors.
pub(super) async fn hear(fleet: Fleet, jetstream: Context, keeper: Keeper, bucket: Bucket) {
    let mut allowances = Allowances::default();
    loop {
        fleet.shared.until_ready().await;
        if let Err(error) = watch(&fleet, &jetstream, &keeper, bucket, &mut allowances).await {
            fleet.shared.missed(bucket.name, &error);
        }
        sleep(AGAIN).await;
    }
}

async fn watch(
    fleet: &Fleet,
    jetstream: &Context,
    keeper: &Keeper,
    bucket: Bucket,
    allowances: &mut Allowances,
) -> Result<(), Error> {
    let lost = fleet.shared.lost();
    let messages = bucket.watch(jetstream).await?.take_until(lost);
    pin_mut!(messages);
    while let Some(message) = messages.next().await {
        let message = message?;
        // A person removed it.
        if message.payload.is_empty() {
            continue;
        }
        let said = read(fleet, bucket, &message.subject, &message.payload, allowances);
        match said {
            Ok(said) => merge(fleet, keeper, said).await?,
            Err(why) => fleet.shared.counted.refused(&message.subject, &why),
        }
    }
    Ok(())
}

/// What was said.
enum Said {
    Approval(Approval),
    Verdict(Acknowledgement),
}

fn read(
    fleet: &Fleet,
    bucket: Bucket,
    subject: &str,
    body: &[u8],
    allowances: &mut Allowances,
) -> Result<Said, Refused> {
    let key = subject.strip_prefix(&bucket.prefix()).and_then(|key| key.split_once('.'));
    let key = key.and_then(|(id, place)| Some((id.parse().ok()?, Place::behind("", place)?)));
    let (id, place): (Uuid, Place) = key.ok_or(Refused::Misplaced)?;
    let now = (fleet.shared.clock)();
    if !allowances.take(&place, now) {
        return Err(Refused::Flood);
    }
    let (said, of) = if bucket.name == APPROVALS.name {
        let approval = Approval::read(body, &place.to_string(), now)?;
        let of = approval.id;
        (Said::Approval(approval), of)
    } else {
        let verdict = Acknowledgement::read(body, &place.to_string(), now)?;
        let of = verdict.alert;
        (Said::Verdict(verdict), of)
    };
    if of == id { Ok(said) } else { Err(Refused::Misplaced) }
}

async fn merge(fleet: &Fleet, keeper: &Keeper, said: Said) -> Result<(), StoreError> {
    let shared = &fleet.shared;
    let own = shared.own.to_string();
    let (kind, merged) = match said {
        Said::Approval(told) => {
            let merged = keeper.ask(move |store| store.merge_approval(&own, &told)).await;
            (metrics::Kind::Approval, merged)
        }
        Said::Verdict(told) => {
            let merged = keeper.ask(move |store| store.merge_acknowledgement(&own, &told)).await;
            (metrics::Kind::Verdict, merged)
        }
    };
    shared.metrics.fleet.received(kind);
    if merged? {
        // The sensor follows what is new.
        keeper.change(|_| Ok(())).await?;
    }
    Ok(())
}
