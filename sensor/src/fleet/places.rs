//! Where assets of other sensors go: what each told of its 64 parts, and then each part as it changes.

use std::time::Duration;

use async_nats::jetstream::Context;
use futures_util::{StreamExt, pin_mut};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::allowance::Allowances;
use super::bucket::{Bucket, Error};
use super::{Fleet, Place};
use crate::exchange::{Places, Refused, places};
use crate::metrics;
use crate::peers::Heard;

/// The bucket; keys are `SITE.SENSOR.PART`.
pub(super) const BUCKET: Bucket = Bucket {
    name: "egret_places",
    largest: places::LARGEST,
    bytes: 4 << 30,
    kept: Some(Duration::from_secs(90 * 86_400)),
};

/// Before it is read again after a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// Hears for ever.
pub(super) async fn hear(fleet: Fleet, jetstream: Context, heard: mpsc::Sender<Heard>) {
    let mut allowances = Allowances::default();
    loop {
        fleet.shared.until_ready().await;
        if let Err(error) = watch(&fleet, &jetstream, &heard, &mut allowances).await {
            fleet.shared.missed("where assets of others go is not heard", &error);
        }
        if heard.is_closed() {
            return;
        }
        sleep(AGAIN).await;
    }
}

async fn watch(
    fleet: &Fleet,
    jetstream: &Context,
    heard: &mpsc::Sender<Heard>,
    allowances: &mut Allowances,
) -> Result<(), Error> {
    let shared = &fleet.shared;
    let lost = shared.lost();
    let messages = BUCKET.watch(jetstream).await?.take_until(lost);
    pin_mut!(messages);
    while let Some(message) = messages.next().await {
        let message = message?;
        match read(fleet, &message.subject, &message.payload, allowances) {
            Ok(Some(told)) => heard.send(told).await?,
            Ok(None) => {}
            Err(why) => shared.counted.refused(&message.subject, &why),
        }
    }
    Ok(())
}

/// What a sensor told; nothing, where that is this one.
fn read(
    fleet: &Fleet,
    subject: &str,
    body: &[u8],
    allowances: &mut Allowances,
) -> Result<Option<Heard>, Refused> {
    let shared = &fleet.shared;
    let key = subject.strip_prefix(&BUCKET.prefix()).and_then(|key| key.rsplit_once('.'));
    let (place, part) = key
        .and_then(|(place, part)| Some((Place::behind("", place)?, part)))
        .ok_or(Refused::Misplaced)?;
    if place == shared.own {
        return Ok(None);
    }
    let now = (shared.clock)();
    if !allowances.take(&place, now) {
        return Err(Refused::Flood);
    }
    // A person removed it.
    if body.is_empty() {
        return Ok(Some(Heard::Gone(place.to_string())));
    }
    let told = Places::read(body, &place.to_string(), now)?;
    if told.part.to_string() != part {
        return Err(Refused::Misplaced);
    }
    shared.metrics.fleet.received(metrics::Kind::Places);
    Ok(Some(Heard::Places(Box::new(told))))
}
