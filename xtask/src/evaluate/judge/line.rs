//! What is read of alerts.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use anyhow::Context;
use egret_tests::scenario::truth::Time;
use serde::Deserialize;

/// How bad an alert is, as it names it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

/// What is read of a line of the alert schema `egret.alert/1`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    id: String,
    pub(crate) time: Time,
    pub(crate) analytic: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: f64,
    pub(crate) summary: String,
    pub(crate) asset: Asset,
    pub(crate) destination: Option<Destination>,
    #[serde(default)]
    pub(crate) evidence: Vec<Piece>,
}

impl Line {
    /// The detector that raised it, of a channel's alert.
    pub(crate) fn channel(&self) -> Option<&str> {
        self.evidence.iter().find_map(|piece| piece.channel.as_deref())
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asset {
    pub(crate) name: String,
    /// Of a machine that only logs name it may not be known.
    pub(crate) address: Option<IpAddr>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Destination {
    pub(crate) address: IpAddr,
    pub(crate) sni: Option<String>,
}

/// What is read of a piece of evidence; those of some kinds have none of it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Piece {
    pub(crate) time: Time,
    pub(crate) finding: Option<String>,
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) vms: Vec<String>,
    /// The name of a channel's detector.
    pub(crate) channel: Option<String>,
    /// The id of an audit record.
    pub(crate) record: Option<String>,
    /// Of mirrored traffic.
    pub(crate) packets: Option<u64>,
}

/// What `egret read --json` ends with.
#[derive(Debug, Deserialize)]
struct Summary {
    #[serde(default)]
    suppressed: Vec<Held>,
}

/// An alert that was not told, as the site had more of late than its budget allows.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Held {
    pub(crate) analytic: String,
    pub(crate) time: Time,
    /// Its name, else its address.
    pub(crate) asset: String,
}

/// What was held back, from all that the binary printed.
pub(crate) fn held(printed: &str) -> anyhow::Result<Vec<Held>> {
    let last = printed.lines().last().context("no summary")?;
    let summary: Summary = serde_json::from_str(last).context("summary")?;
    Ok(summary.suppressed)
}

/// All lines of one alert, in order.
pub(crate) type Alert = Vec<Line>;

/// Reads JSON lines and brings those of one alert together, in order of the first lines.
pub(crate) fn alerts(text: &str) -> anyhow::Result<Vec<Alert>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut alerts: Vec<Alert> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("alert line {}", number + 1))?;
        let place = *places.entry(line.id.clone()).or_insert(alerts.len());
        match alerts.get_mut(place) {
            Some(alert) => alert.push(line),
            None => alerts.push(vec![line]),
        }
    }
    Ok(alerts)
}
