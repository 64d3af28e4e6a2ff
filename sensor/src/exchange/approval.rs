//! `egret.approval/1`: what a person approved, or took back, at one sensor.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LONGEST_NAME, Message, Refused};
use crate::config::{Config, file};
use crate::text::printable_within;
use crate::time::Timestamp;

/// The most bytes of a message.
pub const LARGEST: usize = 32 << 10;

/// What one sensor says of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    schema: String,
    /// Where it was given or withdrawn.
    pub sensor: String,
    /// Which approval, the same at every sensor.
    pub id: Uuid,
    /// It was given here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
    /// It was withdrawn here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

/// An approval was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub person: String,
    /// What: the `[[approve]]` that it would be in a config.
    pub entry: String,
}

/// An approval was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub person: String,
}

impl Approval {
    pub(crate) fn given(sensor: &str, id: Uuid, given: Given) -> Self {
        Self::new(sensor, id, Some(given), None)
    }

    pub(crate) fn withdrawn(sensor: &str, id: Uuid, withdrawn: Withdrawn) -> Self {
        Self::new(sensor, id, None, Some(withdrawn))
    }

    fn new(sensor: &str, id: Uuid, given: Option<Given>, withdrawn: Option<Withdrawn>) -> Self {
        Self { schema: Self::SCHEMA.to_owned(), sensor: sensor.to_owned(), id, given, withdrawn }
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

impl Message for Approval {
    const SCHEMA: &'static str = "egret.approval/1";
    const LARGEST: usize = LARGEST;

    fn schema(&self) -> &str {
        &self.schema
    }

    fn sender(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.sensor)
    }

    fn check(&self, latest: Timestamp) -> Result<(), Refused> {
        let given = self.given.iter().map(|given| (given.at, &given.person));
        let withdrawn = self.withdrawn.iter().map(|withdrawn| (withdrawn.at, &withdrawn.person));
        for (at, person) in given.chain(withdrawn) {
            if person.len() > LONGEST_NAME {
                return Err(Refused::Bounds("names"));
            }
            if at > latest {
                return Err(Refused::Future);
            }
        }
        let Some(given) = &self.given else { return Ok(()) };
        // As strictly as the config is read.
        match file::parse("the approval", &given.entry, &[], Config::default()) {
            Ok(read) if read.approve.len() == 1 => Ok(()),
            Ok(_) => Err(Refused::Syntax("it does not approve one thing".to_owned())),
            Err(error) => {
                Err(Refused::Syntax(printable_within(&error.to_string(), 200).to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

    /// Fails when a sensor that is hostile or of another version can have something approved that no config
    /// could.
    #[test]
    fn what_no_config_could_approve_is_refused() {
        let read = |entry: &str, at: Timestamp| {
            let given = Given { at, person: "eve".to_owned(), entry: entry.to_owned() };
            let told = Approval::given("rack-1", Uuid::from_u128(7), given);
            let read = Approval::read(&told.to_json(), "rack-1", NOW);
            read.map_or_else(
                |refused| refused.reason(),
                |read| if read == told { "taken" } else { "" },
            )
        };
        let entry = "[[approve]]\nsni = [\"*.example.com\"]\nasset = [\"web-01\"]\n";
        assert_eq!(read(entry, NOW), "taken");
        assert_eq!(read(entry, NOW.plus(std::time::Duration::from_secs(7200))), "time");
        assert_eq!(read("", NOW), "form");
        assert_eq!(read(&entry.repeat(2), NOW), "form");
        assert_eq!(read("[[approve]]\nanything = true\n", NOW), "form");
        assert_eq!(read(&format!("{entry}# {}", "x".repeat(LARGEST)), NOW), "size");
        let other = br#"{"schema":"egret.approval/1","sensor":"rack-2","id":"00000000-0000-0000-0000-000000000007"}"#;
        assert_eq!(Approval::read(other, "rack-1", NOW).unwrap_err().reason(), "sender");
    }
}
