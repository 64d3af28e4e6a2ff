//! What sensors of a fleet tell each other: the messages, how they are written, and what is refused.
//!
//! Whoever sends them may be broken, of another version, or hostile. So a message is bounded before it is
//! parsed, must name a schema that is known and the sensor whose word it is told as, and may hold no more
//! than its bounds say and no time that is to come. What else it holds that is not known here is left out:
//! a later version may add to a schema.
//!
//! How what is told joins what is known is where that lives: [`crate::baseline`], [`crate::detect`] and
//! [`crate::store`]; `docs/fleet/merging.md` has it in one table.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use acknowledgement::Acknowledgement;
pub use approval::Approval;
pub use learned::Learned;
pub use places::Places;

use crate::text::printable_within;
use crate::time::Timestamp;

pub mod acknowledgement;
pub mod approval;
pub mod learned;
pub mod places;

/// Clocks of sensors may be so far apart.
const AHEAD: Duration = Duration::from_secs(3600);
/// The longest name of a sensor, an asset, a person or a place, in bytes.
const LONGEST_NAME: usize = 255;

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is larger than any such message is.
    #[error("has {bytes} bytes, at most {most} are taken")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
    /// It is not what it should be.
    #[error("cannot be read: {0}")]
    Syntax(String),
    /// It is of another kind or version.
    #[error("is {found}, and {known} is known here; is that sensor of another version?")]
    Schema {
        /// What it says it is.
        found: String,
        /// What is read here.
        known: &'static str,
    },
    /// It speaks for another sensor than the one that sent it.
    #[error("is sent as {expected} and says that it is {said}'s")]
    Sender {
        /// Whose it says it is.
        said: String,
        /// Who sent it.
        expected: String,
    },
    /// It holds more than such a message may.
    #[error("has more, or longer, {0} than a message may have")]
    Bounds(&'static str),
    /// It tells of what is to come.
    #[error("tells of a time to come; do the sensors' clocks agree?")]
    Future,
    /// It came where its sender, or what it tells of, has no place.
    #[error("came where nothing of its kind is told")]
    Misplaced,
    /// Its sender tells more than any that is well.
    #[error("is one of more than any sensor has to tell")]
    Flood,
}

impl Refused {
    /// All reasons, as metrics call them.
    pub const REASONS: [&str; 6] = ["size", "form", "schema", "sender", "time", "flood"];

    /// The reason, as metrics call it.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "size",
            Self::Syntax(_) | Self::Bounds(_) => "form",
            Self::Schema { .. } => "schema",
            Self::Sender { .. } | Self::Misplaced => "sender",
            Self::Future => "time",
            Self::Flood => "flood",
        }
    }
}

/// A message.
pub(crate) trait Message: DeserializeOwned {
    /// Its kind and version.
    const SCHEMA: &'static str;
    /// The most bytes it may have.
    const LARGEST: usize;

    /// The kind and version it says.
    fn schema(&self) -> &str;

    /// Whose word it says it is.
    fn sender(&self) -> Cow<'_, str>;

    /// Whether it may be the word of this sensor.
    fn is_of(&self, sensor: &str) -> bool {
        self.sender() == sensor
    }

    /// What of it is beyond its bounds, or to come.
    ///
    /// # Errors
    /// That.
    fn check(&self, _latest: Timestamp) -> Result<(), Refused> {
        Ok(())
    }
}

/// Only what a message's head must say.
#[derive(serde::Deserialize)]
struct Head {
    schema: String,
}

/// Reads a message that `sensor` sent.
pub(crate) fn read<M: Message>(bytes: &[u8], sensor: &str, now: Timestamp) -> Result<M, Refused> {
    if bytes.len() > M::LARGEST {
        return Err(Refused::TooLarge { bytes: bytes.len(), most: M::LARGEST });
    }
    let message: M = serde_json::from_slice(bytes).map_err(|error| unread::<M>(bytes, &error))?;
    if message.schema() != M::SCHEMA {
        return Err(other_schema::<M>(message.schema()));
    }
    if !message.is_of(sensor) {
        let said = printable_within(&message.sender(), 60).to_string();
        return Err(Refused::Sender { said, expected: sensor.to_owned() });
    }
    message.check(now.plus(AHEAD))?;
    Ok(message)
}

/// Why a message cannot be read: what is of another version may have other fields.
fn unread<M: Message>(bytes: &[u8], error: &serde_json::Error) -> Refused {
    match serde_json::from_slice(bytes) {
        Ok(Head { schema }) if schema != M::SCHEMA => other_schema::<M>(&schema),
        _ => Refused::Syntax(printable_within(&error.to_string(), 200).to_string()),
    }
}

fn other_schema<M: Message>(found: &str) -> Refused {
    Refused::Schema { found: printable_within(found, 60).to_string(), known: M::SCHEMA }
}

fn write(message: &impl Serialize) -> Vec<u8> {
    // Maps with keys that are no text, and writers that fail, are what fails: here is neither.
    serde_json::to_vec(message).unwrap_or_default()
}

/// Whether there are at most so many, each at most so long.
fn are_within<'a>(
    mut names: impl ExactSizeIterator<Item = &'a String>,
    most: usize,
    longest: usize,
    what: &'static str,
) -> Result<(), Refused> {
    if names.len() <= most && names.all(|name| name.len() <= longest) {
        Ok(())
    } else {
        Err(Refused::Bounds(what))
    }
}

#[cfg(test)]
mod tests;
