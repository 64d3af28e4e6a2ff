//! What comes from others: bounded before it is read, and held against its subject. Nobody is believed more than
//! that NATS let them write where they wrote.

use serde::de::DeserializeOwned;

use super::Place;
use crate::exchange;
use crate::metrics;

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is larger than any of its kind.
    Size,
    /// It is not of a form that is known: no JSON, or a field that is not as it should be.
    Form,
    /// It is of another schema, or another version of it.
    Schema,
    /// It says another sender than its subject.
    Sender,
    /// It is of a time that has not come.
    Time,
    /// Its sender sends more than any that is well.
    Flood,
}

impl Refused {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Size, Self::Form, Self::Schema, Self::Sender, Self::Time, Self::Flood];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Form => "form",
            Self::Schema => "schema",
            Self::Sender => "sender",
            Self::Time => "time",
            Self::Flood => "flood",
        }
    }
}

impl From<exchange::Refused> for Refused {
    fn from(refused: exchange::Refused) -> Self {
        match refused {
            exchange::Refused::TooLarge { .. } => Self::Size,
            exchange::Refused::Syntax(_) | exchange::Refused::Bounds(_) => Self::Form,
            exchange::Refused::Schema { .. } => Self::Schema,
            exchange::Refused::Sender { .. } => Self::Sender,
            exchange::Refused::Future => Self::Time,
        }
    }
}

/// A message of one kind.
pub(super) trait Message: DeserializeOwned {
    /// Its schema and version.
    const SCHEMA: &'static str;
    /// None of them is larger, in bytes.
    const LARGEST: usize;

    /// The schema it says.
    fn schema(&self) -> &str;
    /// Whether it says that it is of this sender.
    fn is_of(&self, sender: &Place) -> bool;
}

/// Reads what `sender` wrote, as the subject or the key says.
pub(super) fn read<M: Message>(sender: &Place, bytes: &[u8]) -> Result<M, Refused> {
    if bytes.len() > M::LARGEST {
        return Err(Refused::Size);
    }
    let message: M = serde_json::from_slice(bytes).map_err(|_| {
        // What is of another version may have other fields.
        let says = |schema: &Schema| schema.schema != M::SCHEMA;
        let schema = serde_json::from_slice::<Schema>(bytes).ok();
        if schema.is_some_and(|schema| says(&schema)) { Refused::Schema } else { Refused::Form }
    })?;
    match (message.schema() == M::SCHEMA, message.is_of(sender)) {
        (false, _) => Err(Refused::Schema),
        (_, false) => Err(Refused::Sender),
        _ => Ok(message),
    }
}

/// What every message says.
#[derive(serde::Deserialize)]
struct Schema {
    schema: String,
}

/// Counts what is refused.
#[derive(Debug)]
pub(super) struct Counted {
    metrics: metrics::Fleet,
}

impl Counted {
    pub(super) const fn new(metrics: metrics::Fleet) -> Self {
        Self { metrics }
    }

    pub(super) fn refused(&self, sender: &str, why: Refused) {
        let count = self.metrics.refused(why.name());
        // At the first, the second, the fourth, and so on.
        if count.is_power_of_two() {
            let sender = crate::text::printable_within(sender, 200);
            tracing::warn!("fleet: a message at {sender} is refused: {} ({count})", why.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Health;

    #[test]
    fn what_is_not_as_it_should_be_is_refused_by_its_reason() {
        let sender = Place { site: "dc1".to_owned(), sensor: "a".to_owned() };
        let good = Health { site: "dc1".into(), sensor: "a".into(), ..Health::default() };
        let good = serde_json::to_string(&good).unwrap();
        assert!(read::<Health>(&sender, good.as_bytes()).is_ok());
        let large = format!("{good}{}", " ".repeat(Health::LARGEST));
        let newer = r#"{"schema":"egret.health/2","all":"else"}"#;
        let deep = "[".repeat(10_000);
        for (text, why) in [
            (large.as_str(), Refused::Size),
            ("", Refused::Form),
            ("{}", Refused::Form),
            (deep.as_str(), Refused::Form),
            (&good.replace("\"packets\":0", "\"packets\":-1"), Refused::Form),
            (newer, Refused::Schema),
            (&good.replace("egret.health/1", "egret.alert/1"), Refused::Schema),
            (&good.replace("dc1", "dc2"), Refused::Sender),
        ] {
            assert_eq!(read::<Health>(&sender, text.as_bytes()).unwrap_err(), why, "{text:.80}");
        }
    }
}
