//! Alerts of late, as the site's budget counts them.

use serde::{Deserialize, Serialize};

use crate::alert::{Analytic, Verdict};

/// An alert that was told or held back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ToldAlert {
    /// Of which analytic.
    pub analytic: Analytic,
    /// When it was first raised, in seconds since the epoch.
    pub first: u64,
    /// When it was last raised or changed.
    pub last: u64,
    /// What became of it.
    pub standing: Standing,
    /// Whether it was told as high or critical.
    pub high: bool,
    /// What the budget took from its evidence, in nats.
    pub lift: f64,
    /// The evidence at which more is to be told of it than was, in nats; none: all is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<f64>,
    /// What a person found it to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It was told, and counts against the budget.
    Told,
    /// It is held back.
    Held,
    /// It was told, and no budget is for its kind.
    Exempt,
}
