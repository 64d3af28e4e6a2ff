//! Verdicts for tests.

use egret_tests::scenario::truth::{Asset, Attack, Destination, Exfiltration, Time, Truth};

use super::judge::{About, Days, Found, Judged, Severity, Verdict};

const START: u64 = 1_772_409_600_000_000_000;

/// A harsh estate without attacks and alerts.
pub(super) fn verdict(assets: u64, length: f64) -> Verdict {
    Verdict {
        name: "estate-1".into(),
        days: Days::Everyday,
        truth: Truth {
            seed: 1,
            start: Time(START),
            learned: Time(START),
            end: Time(START),
            attacks: Vec::new(),
            hard_negatives: Vec::new(),
            operations: 0,
            changes: 0,
            assets,
            harsh: vec!["level_shift".into()],
        },
        length,
        usual: Vec::new(),
        outcomes: Vec::new(),
        alerts: Vec::new(),
        held: [0, 0],
    }
}

/// A promised exfiltration after staging, to a new place.
pub(super) fn exfiltration(kind: &str, bytes: u64, seconds: u64) -> Attack {
    Attack {
        kind: kind.into(),
        analytic: "AN1416".into(),
        required: true,
        asset: Asset { name: "app-02".into(), addresses: vec!["10.20.0.12".parse().unwrap()] },
        first: Time(START),
        last: Time(START + seconds * 1_000_000_000),
        connections: vec![Time(START)],
        destinations: vec![Destination { address: "198.51.100.7".parse().unwrap(), port: 443 }],
        sni: Some("www.new.example".into()),
        bytes_out: bytes,
        operations: None,
        mirror: None,
        evasion: None,
        prepared: None,
        exfiltration: Some(Exfiltration {
            size: bytes,
            duration: seconds,
            first_byte: Time(START),
            staged: bytes,
        }),
        beacon: None,
    }
}

/// Found by one alert after so many seconds.
pub(super) const fn found(delay: f64) -> Found {
    Found { delay, connections: 1, severity: Severity::High, alerts: 1, is_complete: true }
}

/// An alert about nothing.
pub(super) fn false_alert(analytic: &str, severity: Severity) -> Judged {
    let line = serde_json::json!({
        "id": "1", "time": Time(START), "analytic": analytic, "severity": severity.to_string(),
        "confidence": 0.7, "summary": "s", "asset": { "name": "app-02" },
    });
    let line = serde_json::from_value(line).unwrap();
    Judged { line, severity, about: About::Harmless(None) }
}

/// One of a channel's detector.
pub(super) fn false_channel(name: &str, severity: Severity) -> Judged {
    let mut alert = false_alert("DC0078", severity);
    let piece = serde_json::json!({ "time": Time(START), "channel": name });
    alert.line.evidence.extend(serde_json::from_value(piece));
    alert
}
