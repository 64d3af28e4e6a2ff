//! Alerts on their way: the stream, the subject, and what makes it one message over all attempts.

use std::borrow::Cow;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};

use super::{Fleet, Place, TARGET};
use crate::alert::{Alert, SCHEMA, Status};
use crate::exchange::{Message, Refused, read};
use crate::metrics;
use crate::time::Timestamp;

/// The stream.
pub(super) const STREAM: &str = "EGRET_ALERTS";
/// What subjects of alerts begin with; the sensor that raised it follows.
pub(super) const PREFIX: &str = "egret.alert.";
/// No alert is larger, in bytes.
pub(super) const LARGEST: usize = 512 << 10;
/// How long an alert is kept, how many bytes of all, and how many messages of one sensor.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
const MOST_BYTES: i64 = 2 << 30;
const MOST_OF_ONE: i64 = 20_000;
/// A message that is published again within this time is the same one.
const SAME_WITHIN: Duration = Duration::from_secs(3600);
/// Says that whoever raised the alert has delivered it already.
pub(super) const DELIVERED: &str = "Egret-Delivered";

/// Why an alert was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// It is too large.
    #[error("the alert has {0} bytes, and others take {LARGEST}")]
    Large(usize),
    /// It is not JSON.
    #[error("the alert cannot be written as JSON: {0}")]
    Body(#[from] serde_json::Error),
    /// The servers did not take it.
    #[error("NATS: {0}")]
    Servers(String),
}

impl Message for Alert {
    const SCHEMA: &'static str = SCHEMA;
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.sensor)
    }

    /// It does not say its site.
    fn is_of(&self, sensor: &str) -> bool {
        Place::behind("", sensor).is_some_and(|place| place.sensor == self.sensor)
    }

    fn check(&self, latest: Timestamp) -> Result<(), Refused> {
        if self.time > latest { Err(Refused::Future) } else { Ok(()) }
    }
}

/// How the stream is kept.
pub(super) fn stream(replicas: usize) -> Config {
    Config {
        name: STREAM.to_owned(),
        subjects: vec![format!("{PREFIX}*.*")],
        max_messages: -1,
        max_messages_per_subject: MOST_OF_ONE,
        max_message_size: i32::try_from(LARGEST + 1024).unwrap_or(i32::MAX),
        max_bytes: MOST_BYTES,
        max_consumers: -1,
        max_age: KEPT,
        duplicate_window: SAME_WITHIN,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        num_replicas: replicas,
        ..Config::default()
    }
}

/// Reads an alert, and who raised it.
pub(super) fn receive(
    subject: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(Place, Alert), Refused> {
    let sender = Place::behind(PREFIX, subject).ok_or(Refused::Misplaced)?;
    let mut alert: Alert = read(body, &sender.to_string(), now)?;
    // Only such are told.
    alert.status = Status::Open;
    Ok((sender, alert))
}

/// Where this sensor's alerts go on their way to the others: one more target of its outbox.
#[derive(Debug, Clone)]
pub struct Publisher(pub(super) Fleet);

/// There is one fleet.
impl PartialEq for Publisher {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Publisher {}

impl Publisher {
    /// What the target is called.
    pub(crate) const fn name() -> &'static str {
        TARGET
    }

    /// Whether the servers can take something now.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.shared.is_ready()
    }

    /// Waits until they can.
    pub(crate) async fn ready(&self) {
        self.0.shared.until_ready().await;
    }

    /// One attempt. Taken means: a majority of the servers has it on disk.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows.
    pub(crate) async fn send(&self, alert: &Alert) -> Result<(), PublishError> {
        let shared = &self.0.shared;
        let body = serde_json::to_vec(alert)?;
        if body.len() > LARGEST {
            return Err(PublishError::Large(body.len()));
        }
        let own = &shared.own;
        let mut message = PublishMessage::build()
            .payload(body.into())
            .message_id(format!("{own}.{}-{}", alert.id, alert.count));
        if shared.has_delivered(alert).await {
            message = message.header(DELIVERED, own.to_string().as_str());
        }
        let Some(jetstream) = shared.jetstream.get() else {
            return Err(PublishError::Servers("there is no connection".to_owned()));
        };
        let failed = |error: &dyn std::fmt::Display| {
            shared.missed("an alert is not told yet", error);
            PublishError::Servers(error.to_string())
        };
        let taken = jetstream.send_publish(format!("{PREFIX}{own}"), message).await;
        taken.map_err(|error| failed(&error))?.await.map_err(|error| failed(&error))?;
        shared.metrics.fleet.sent(metrics::Kind::Alert);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample::egress;

    #[test]
    fn an_alert_is_read_as_its_subject_says_and_is_open() {
        let alert = Alert { status: Status::Suppressed, ..egress() };
        let now = alert.time;
        let body = serde_json::to_vec(&alert).unwrap();
        let subject = "egret.alert.dc1.dc1-rack7";
        let (sender, read) = receive(subject, &body, now).unwrap();
        assert_eq!((sender.site.as_str(), sender.sensor.as_str()), ("dc1", "dc1-rack7"));
        assert_eq!((read.id, read.status), (alert.id, Status::Open));
        for other in ["egret.alert.dc1.rack8", "egret.alert.dc1", "egret.flows.dc1.dc1-rack7"] {
            assert_eq!(receive(other, &body, now).unwrap_err().reason(), "sender", "{other}");
        }
        let early = now.minus(Duration::from_secs(3601));
        assert_eq!(receive(subject, &body, early).unwrap_err(), Refused::Future);
    }
}
