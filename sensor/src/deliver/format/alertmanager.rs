//! Prometheus Alertmanager's API, version 2: an array of alerts, each known by its labels.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::links::Links;
use super::known;
use crate::alert::{Alert, Severity};
use crate::text::printable_within;
use crate::time::Timestamp;

/// How long an alert is shown after it was last seen or sent: long enough for the next shift.
const SHOWN: Duration = Duration::from_secs(24 * 3600);

/// The longest annotation, in bytes.
const LONGEST: usize = 700;

/// The alert, and behind an update the end of what it was before: another severity is another
/// label, which makes it another alert there.
pub(super) fn alerts(alert: &Alert, links: Option<&Links>, now: Timestamp) -> Value {
    let shown_until = alert.last_seen.max(now).plus(SHOWN);
    let mut all = vec![one(alert, links, alert.severity, shown_until)];
    if alert.count > 1 {
        let others = Severity::ALL.into_iter().filter(|severity| *severity != alert.severity);
        all.extend(others.map(|severity| one(alert, links, severity, alert.last_seen)));
    }
    Value::Array(all)
}

fn one(alert: &Alert, links: Option<&Links>, severity: Severity, ends: Timestamp) -> Value {
    let asset = &alert.asset;
    known(json!({
        "labels": {
            "alertname": format!("Egret{:?}", alert.analytic),
            "alert_id": alert.id.to_string(),
            "analytic": alert.analytic,
            "technique": alert.techniques.join(","),
            "severity": severity.name(),
            "sensor": short(&alert.sensor),
            "asset": short(&asset.name),
            "role": asset.role,
        },
        "annotations": {
            "summary": short(&alert.title),
            "description": short(&alert.summary),
            "pcap": links.and_then(|links| links.pcap.as_ref()),
        },
        "generatorURL": links.map(|links| &links.console),
        "startsAt": alert.first_seen,
        // It has to end after it starts.
        "endsAt": ends.max(alert.first_seen.plus(Duration::from_millis(1))),
    }))
}

/// Annotations and labels are for people: chat windows, mails, terminals.
fn short(text: &str) -> String {
    printable_within(text, LONGEST).to_string()
}
