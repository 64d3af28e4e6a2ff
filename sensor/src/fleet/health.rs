//! How each sensor is: told by itself to the bucket `egret_sensors`, and read when a person looks.
//!
//! Nobody watches the bucket: with 1,000 sensors that would be a hundred messages a second to each of them. Who
//! is asked reads it, and what was read is good for some seconds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::Context;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::bucket::{Bucket, Error};
use super::{PATIENCE, Place, Shared, names};
use crate::exchange::{Message, Refused, read};
use crate::metrics;
use crate::status;
use crate::time::Timestamp;

/// No sensor says more of itself, in bytes.
const LARGEST: usize = 16 << 10;
/// A sensor that has said nothing for so long is forgotten.
const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// The bucket.
pub(super) const BUCKET: Bucket =
    Bucket { name: "egret_sensors", largest: LARGEST, bytes: 64 << 20, kept: Some(KEPT) };
/// Sensors that are read.
const MOST: usize = 2_000;
/// Interfaces and problems that are told of one sensor, and how long a text of them may be, in bytes.
const MOST_TOLD: usize = 16;
const LONGEST: usize = 300;
/// What was read is good for so long.
const FRESH: Duration = Duration::from_secs(3);

/// How a sensor is: `egret.health/1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `egret.health/1`.
    pub schema: String,
    /// Where it is.
    pub site: String,
    /// Its name.
    pub sensor: String,
    /// When this was so, by its own clock.
    pub time: Timestamp,
    /// Version of the program.
    pub version: String,
    /// When it started.
    pub started: Timestamp,
    /// Frames received since then.
    pub packets: u64,
    /// Frames lost before they were read.
    pub lost: u64,
    /// Assets that it knows.
    pub assets: u64,
    /// Alerts raised since the start.
    pub alerts: u64,
    /// Deliveries that wait, of all targets.
    pub pending: u64,
    /// What it captures from.
    pub interfaces: Vec<Interface>,
    /// What is not as it should be: the reasons of `/readyz`.
    pub problems: Vec<String>,
}

/// One interface of a sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// How it is: `up` when it is well.
    pub state: String,
}

/// All sensors that are known.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sensors {
    /// As they told, by site and name.
    pub sensors: Vec<Health>,
    /// When that was read; none: never.
    pub read: Option<Timestamp>,
}

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<(Option<Instant>, Sensors)>);

impl Default for Health {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            site: String::new(),
            sensor: String::new(),
            time: Timestamp::default(),
            version: String::new(),
            started: Timestamp::default(),
            packets: 0,
            lost: 0,
            assets: 0,
            alerts: 0,
            pending: 0,
            interfaces: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Message for Health {
    const SCHEMA: &'static str = "egret.health/1";
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Owned(names::text(&self.site, &self.sensor))
    }
}

impl Health {
    /// How this sensor is.
    pub(super) fn of(shared: &Shared, status: &status::Shared) -> Self {
        let status = status.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let now = (shared.clock)();
        let cut = |text: &str| crate::text::printable_within(text, LONGEST).to_string();
        let interfaces = status.interfaces.iter().take(MOST_TOLD);
        Self {
            schema: Self::SCHEMA.to_owned(),
            site: shared.own.site.clone(),
            sensor: shared.own.sensor.clone(),
            time: now,
            version: status.version.to_owned(),
            started: status.started,
            packets: shared.metrics.capture_packets.get(),
            lost: metrics::sum(&shared.metrics.capture_dropped),
            assets: status.assets.len() as u64,
            alerts: metrics::sum(&shared.metrics.alerts),
            pending: metrics::sum(&shared.metrics.delivery_pending),
            interfaces: interfaces
                .map(|one| Interface { name: cut(&one.name), state: cut(&one.state) })
                .collect(),
            problems: status.missing(now).iter().take(MOST_TOLD).map(|one| cut(one)).collect(),
        }
    }
}

/// Tells how a sensor is.
pub(super) async fn tell(jetstream: &Context, own: &Place, health: &Health) -> Result<(), Error> {
    BUCKET.put(jetstream, &own.to_string(), serde_json::to_vec(health)?).await
}

/// All sensors, read anew unless that was done lately; while the servers are away, as they were.
pub(super) async fn sensors(shared: &Shared) -> Sensors {
    // Held while they are read: who asks meanwhile gets the same.
    let mut known = shared.sensors.0.lock().await;
    let is_fresh = known.0.is_some_and(|at| at.elapsed() < FRESH);
    let Some(jetstream) = shared.jetstream.get() else { return known.1.clone() };
    if is_fresh || !shared.link.is_connected() {
        return known.1.clone();
    }
    match timeout(PATIENCE, read_all(shared, jetstream)).await {
        Ok(Ok(sensors)) => *known = (Some(Instant::now()), sensors),
        Ok(Err(error)) => shared.missed("sensors cannot be read", &error),
        Err(_) => tracing::debug!("fleet: sensors were not read in time"),
    }
    known.1.clone()
}

async fn read_all(shared: &Shared, jetstream: &Context) -> Result<Sensors, Error> {
    let (mut sensors, now) = (BTreeMap::new(), (shared.clock)());
    for message in BUCKET.latest(jetstream, ">", MOST).await? {
        let sender = Place::behind(&BUCKET.prefix(), &message.subject);
        // A person removed it, or it says nothing.
        if message.payload.is_empty() {
            continue;
        }
        let told = sender.ok_or(Refused::Misplaced).and_then(|sender| {
            let health: Health = read(&message.payload, &sender.to_string(), now)?;
            Ok((sender, health))
        });
        match told {
            Ok((sender, health)) => {
                shared.metrics.fleet.received(metrics::Kind::Health);
                sensors.insert(sender, health.bounded());
            }
            Err(why) => shared.counted.refused(&message.subject, &why),
        }
    }
    Ok(Sensors { sensors: sensors.into_values().collect(), read: Some(now) })
}

impl Health {
    /// With no more in its lists than a sensor of ours tells.
    fn bounded(mut self) -> Self {
        self.interfaces.truncate(MOST_TOLD);
        self.problems.truncate(MOST_TOLD);
        self
    }
}
