//! Alerts that the site's budget held back, as the summary lists them.

use serde_json::{Value, json};

use crate::alert::{Alert, Analytic};
use crate::time::Timestamp;

/// An alert that was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAlert {
    /// Of which analytic.
    pub analytic: Analytic,
    /// When.
    pub time: Timestamp,
    /// About whom.
    pub asset: String,
    /// In a sentence.
    pub summary: String,
}

impl HeldAlert {
    /// What is shown of an alert.
    pub fn of(alert: &Alert) -> Self {
        Self {
            analytic: alert.analytic,
            time: alert.time,
            asset: alert.asset.name.clone(),
            summary: alert.summary.clone(),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "analytic": self.analytic,
            "time": self.time,
            "asset": self.asset,
            "summary": self.summary,
        })
    }
}
