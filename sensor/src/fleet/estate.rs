//! What sensors learned of assets: each writes its own part, and whoever meets an asset asks for the parts of all.
//! Nobody watches the bucket: with 500,000 guests that would be everything, for each sensor.

use std::time::Duration;

use async_nats::jetstream::Context;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::bucket::{Bucket, Error};
use super::{Fleet, Place, places};
use crate::detect::Unknown;
use crate::exchange::{Learned, Refused, learned};
use crate::metrics;
use crate::peers::{Heard, Told};

/// The bucket; keys are `IDENTITY.SITE.SENSOR`.
pub(super) const ASSETS: Bucket = Bucket {
    name: "egret_assets",
    largest: learned::LARGEST,
    bytes: 8 << 30,
    kept: Some(Duration::from_secs(90 * 86_400)),
};

/// Parts of one asset that are read: of so many sensors.
const MOST_PARTS: usize = 64;
/// Assets that are asked about at a time.
const AT_ONCE: usize = 8;
/// How long a question may take: what the asset does waits no longer for its first answer. And how often it is asked
/// where there is none, each time with more patience: servers may have much to do.
const PATIENCE: Duration = Duration::from_millis(1500);
const TRIES: u32 = 3;
/// Before something is asked or written again after a failure.
const AGAIN: Duration = Duration::from_secs(2);

/// Tells others what detection has to tell, and asks them what it asks. While there is no connection nothing is
/// taken: detection keeps it.
pub(super) async fn run(
    fleet: Fleet,
    jetstream: Context,
    mut told: mpsc::Receiver<Told>,
    heard: mpsc::Sender<Heard>,
) {
    let mut asked = JoinSet::new();
    loop {
        fleet.shared.until_ready().await;
        // Detection has ended.
        let Some(next) = told.recv().await else { return };
        match next {
            Told::Ask(unknown) => {
                if asked.len() >= AT_ONCE {
                    asked.join_next().await;
                }
                while asked.try_join_next().is_some() {}
                asked.spawn(ask(fleet.clone(), jetstream.clone(), unknown, heard.clone()));
            }
            Told::Learned(learned) => {
                let key = format!("{}.{}", learned.identity.key(), fleet.own());
                let kind = metrics::Kind::Learned;
                write(&fleet, &jetstream, ASSETS, (&key, &learned.to_json()), kind).await;
            }
            Told::Places(places) => {
                let key = format!("{}.{}", fleet.own(), places.part);
                let kind = metrics::Kind::Places;
                write(&fleet, &jetstream, places::BUCKET, (&key, &places.to_json()), kind).await;
            }
        }
    }
}

/// Writes until it is taken.
async fn write(
    fleet: &Fleet,
    jetstream: &Context,
    bucket: Bucket,
    (key, value): (&str, &[u8]),
    kind: metrics::Kind,
) {
    if value.len() > bucket.largest {
        tracing::debug!("fleet: {key} is too large to be told: {} bytes", value.len());
        return;
    }
    loop {
        fleet.shared.until_ready().await;
        match bucket.put(jetstream, key, value.to_vec()).await {
            Ok(()) => return fleet.shared.metrics.fleet.sent(kind),
            Err(error) => fleet.shared.missed("what was learned is not told yet", &error),
        }
        sleep(AGAIN).await;
    }
}

/// Asks about one asset, and says when all is told. An answer that comes late still counts.
async fn ask(fleet: Fleet, jetstream: Context, unknown: Unknown, heard: mpsc::Sender<Heard>) {
    for attempt in 0..TRIES {
        let patience = PATIENCE * (1 + 3 * attempt);
        let answer = timeout(patience, answer(&fleet, &jetstream, &unknown, &heard)).await;
        // Who has ended asks no more.
        let _ = heard.send(Heard::Answered(unknown.name.clone())).await;
        match answer {
            Ok(Ok(())) => return,
            Ok(Err(error)) => fleet.shared.missed("others cannot be asked", &error),
            Err(_) => tracing::debug!("fleet: others do not answer in time"),
        }
        sleep(AGAIN).await;
        fleet.shared.until_ready().await;
    }
}

async fn answer(
    fleet: &Fleet,
    jetstream: &Context,
    unknown: &Unknown,
    heard: &mpsc::Sender<Heard>,
) -> Result<(), Error> {
    for identity in &unknown.identities {
        let keys = format!("{}.*.*", identity.key());
        for message in ASSETS.latest(jetstream, &keys, MOST_PARTS).await? {
            if let Some(learned) = read(fleet, &message.subject, &message.payload) {
                heard.send(Heard::Learned(Box::new(learned))).await?;
            }
        }
    }
    Ok(())
}

/// What another sensor learned, if that is as it should be.
fn read(fleet: &Fleet, subject: &str, body: &[u8]) -> Option<Learned> {
    let shared = &fleet.shared;
    let key = subject.strip_prefix(&ASSETS.prefix()).and_then(|key| key.split_once('.'));
    let key = key.and_then(|(identity, place)| Some((identity, Place::behind("", place)?)));
    // A person removed it, or it is this sensor's own.
    if body.is_empty() || key.as_ref().is_some_and(|(_, place)| *place == shared.own) {
        return None;
    }
    let read = key.ok_or(Refused::Misplaced).and_then(|(identity, place)| {
        let learned = Learned::read(body, &place.to_string(), (shared.clock)())?;
        if learned.identity.key() == identity { Ok(learned) } else { Err(Refused::Misplaced) }
    });
    match read {
        Ok(learned) => {
            shared.metrics.fleet.received(metrics::Kind::Learned);
            Some(learned)
        }
        Err(why) => {
            shared.counted.refused(subject, &why);
            None
        }
    }
}
