//! The `alert` object of EVE: what a rule's match says there, an analytic's finding says here. All
//! of the alert is beside it, below `egret.alert`.

use serde::Serialize;

use super::Time;
use crate::alert::attack::attack;
use crate::alert::{self, Analytic, Severity};
use crate::decode::protocol;
use crate::event::{App, Flow};

/// `alert`
#[derive(Serialize)]
pub(super) struct Alert<'a> {
    action: &'static str,
    gid: u32,
    signature_id: u32,
    rev: u32,
    signature: &'a str,
    category: &'static str,
    severity: u8,
    metadata: Metadata<'a>,
}

/// What public rule sets keep in a rule's metadata: lists of strings.
#[derive(Serialize)]
struct Metadata<'a> {
    mitre_tactic_id: Vec<&'static str>,
    mitre_technique_id: &'a [alert::Text],
    signature_severity: [&'static str; 1],
}

impl<'a> Alert<'a> {
    pub(super) fn new(alert: &'a alert::Alert) -> Self {
        let tactics = alert.techniques.iter().filter_map(|id| attack(id)).map(|known| known.tactic);
        let (ids, names): (Vec<_>, Vec<_>) = tactics.unzip();
        Self {
            action: "allowed",
            gid: 1,
            signature_id: signature_id(alert.analytic),
            rev: 1,
            signature: &alert.title,
            category: names.first().copied().unwrap_or_default(),
            severity: priority(alert.severity),
            metadata: Metadata {
                mitre_tactic_id: ids,
                mitre_technique_id: &alert.techniques,
                signature_severity: [signature_severity(alert.severity)],
            },
        }
    }
}

/// `egret` of an alert's line.
#[derive(Serialize)]
pub(super) struct Own<'a> {
    pub(super) alert: &'a alert::Alert,
}

/// The line of an alert that only logs tell of: it is about no conversation.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    alert: Alert<'a>,
    egret: Own<'a>,
}

impl<'a> Line<'a> {
    pub(super) fn new(alert: &'a alert::Alert) -> Self {
        Self {
            timestamp: Time(alert.time),
            event_type: "alert",
            alert: Alert::new(alert),
            egret: Own { alert },
        }
    }
}

/// What the conversation of an alert speaks, where the analytic goes by that.
pub(super) const fn app(analytic: Analytic, flow: &Flow) -> Option<App> {
    match (analytic, flow.protocol) {
        (Analytic::AN1416, protocol::UDP) => Some(App::Quic),
        (Analytic::AN1416, _) => Some(App::Tls),
        (Analytic::AN0731 | Analytic::AN0646 | Analytic::AN1131 | Analytic::DC0078, _) => None,
    }
}

/// One number for each analytic: its own, in the range that is left to local rules.
const fn signature_id(analytic: Analytic) -> u32 {
    1_000_000
        + match analytic {
            Analytic::AN1416 => 1416,
            Analytic::AN0731 => 731,
            Analytic::AN0646 => 646,
            Analytic::AN1131 => 1131,
            Analytic::DC0078 => 78,
        }
}

/// As rules have it: 1 is worst.
const fn priority(severity: Severity) -> u8 {
    match severity {
        Severity::Critical | Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low | Severity::Informational => 3,
    }
}

const fn signature_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Critical",
        Severity::High => "Major",
        Severity::Medium => "Minor",
        Severity::Low | Severity::Informational => "Informational",
    }
}
