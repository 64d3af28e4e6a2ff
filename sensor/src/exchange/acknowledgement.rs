//! `egret.acknowledgement/1`: that a person has seen an alert, at one sensor, and found it to be something.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LONGEST_NAME, Message, Refused};
use crate::alert::{Severity, Verdict};
use crate::time::Timestamp;

/// The most bytes of a message.
pub const LARGEST: usize = 32 << 10;
/// The longest note, in bytes.
const LONGEST_NOTE: usize = 8 << 10;

/// What a person said of an alert at one sensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    schema: String,
    /// Where it was said.
    pub sensor: String,
    /// Of which alert.
    pub alert: Uuid,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub person: String,
    /// What they noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What they found it to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// How bad it was then: what becomes worse is open again.
    pub severity: Severity,
}

impl Acknowledgement {
    pub(crate) fn new(
        sensor: &str,
        (alert, severity): (Uuid, Severity),
        (at, person): (Timestamp, String),
        (note, verdict): (Option<String>, Option<Verdict>),
    ) -> Self {
        let (schema, sensor) = (Self::SCHEMA.to_owned(), sensor.to_owned());
        let note = note.map(|mut note| {
            note.truncate(note.floor_char_boundary(LONGEST_NOTE));
            note
        });
        Self { schema, sensor, alert, at, person, note, verdict, severity }
    }

    /// As it is sent.
    pub fn to_json(&self) -> Vec<u8> {
        super::write(self)
    }

    /// Reads what `sensor` sent.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(bytes: &[u8], sensor: &str, now: Timestamp) -> Result<Self, Refused> {
        super::read(bytes, sensor, now)
    }
}

impl Message for Acknowledgement {
    const SCHEMA: &'static str = "egret.acknowledgement/1";
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.sensor)
    }

    fn check(&self, latest: Timestamp) -> Result<(), Refused> {
        if self.person.len() > LONGEST_NAME {
            return Err(Refused::Bounds("names"));
        }
        if self.note.as_ref().is_some_and(|note| note.len() > LONGEST_NOTE) {
            return Err(Refused::Bounds("notes"));
        }
        if self.at > latest { Err(Refused::Future) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a clock that is far ahead, or who lies about the time, has the last word for ever.
    #[test]
    fn what_was_said_tomorrow_is_refused() {
        let now = Timestamp::from_parts(1_795_000_000, 0);
        let read = |ahead: u64, note: usize| {
            let at = now.plus(std::time::Duration::from_secs(ahead));
            let said = (Some("n".repeat(note)), Some(Verdict::Incident));
            let alert = (Uuid::from_u128(7), Severity::High);
            let mut told = Acknowledgement::new("rack-1", alert, (at, "ann".to_owned()), said);
            assert!(told.note.as_ref().is_some_and(|note| note.len() <= LONGEST_NOTE));
            told.note = Some("n".repeat(note));
            let read = Acknowledgement::read(&told.to_json(), "rack-1", now);
            read.map_or_else(
                |refused| refused.reason(),
                |read| if read == told { "taken" } else { "" },
            )
        };
        assert_eq!([read(60, 10), read(86_400, 10), read(0, 9000)], ["taken", "time", "form"]);
    }
}
