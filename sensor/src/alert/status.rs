//! What became of an alert: whether it was told, and what people say of it.

use serde::{Deserialize, Serialize};

/// What people have said about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has looked, or it became worse since.
    Open,
    /// A person has seen it.
    Acknowledged,
    /// It is held back: the site has had more alerts of late than its budget allows, and this one is
    /// weak.
    Suppressed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Suppressed];

    /// Its name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Suppressed => "suppressed",
        }
    }
}

/// What a person found an alert to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing bad: a false alarm.
    Harmless,
    /// What its title says.
    Incident,
}

impl Verdict {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Harmless, Self::Incident];

    /// Its name in commands, the database and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Incident => "incident",
        }
    }
}
