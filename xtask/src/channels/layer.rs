//! `deploy/attack-navigator.json`: a layer of the ATT&CK Navigator, format 4.5.

use std::collections::BTreeMap;

use egret::alert::Severity;
use egret::detect::CHANNELS;
use serde_json::{Value, json};

/// Analytics with pages of their own: technique, name, what it tells of.
const ANALYTICS: [(&str, &str, &str); 4] = [
    ("T1048.002", "AN1416", "TLS egress that is neither approved nor usual"),
    ("T1568.003", "AN0731", "ports calculated from DNS answers"),
    ("T1675", "AN0646", "unusual use of guest operations"),
    ("T1020.001", "AN1131", "mirrors that send traffic where it should not go"),
];

/// The layer.
pub(super) fn text() -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&layer())? + "\n")
}

fn layer() -> Value {
    let mut techniques: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for (id, name, what) in ANALYTICS {
        let of = techniques.entry(id).or_default();
        of.0 = Severity::ALL.len();
        of.1.push(format!("{name}: {what}"));
    }
    for detector in CHANNELS {
        let score = Severity::ALL.iter().position(|severity| *severity == detector.most);
        for id in detector.techniques {
            let of = techniques.entry(id).or_default();
            of.0 = of.0.max(score.unwrap_or(0) + 1);
            of.1.push(format!("{}: {}", detector.name, detector.detects));
        }
    }
    let techniques: Vec<Value> = techniques
        .iter()
        .map(|(id, (score, by))| {
            json!({
                "techniqueID": id,
                "score": score,
                "enabled": true,
                "comment": by.join("\n"),
                "showSubtechniques": !id.contains('.'),
            })
        })
        .collect();
    json!({
        "name": "Egret",
        "versions": { "attack": "18", "navigator": "5.1.0", "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": "What Egret tells of, by technique: 1 informational, 2 low, 3 medium, 4 high, 5 critical \
                        at most. Written by cargo xtask channels.",
        "techniques": techniques,
        "gradient": {
            "colors": ["#ffffffff", "#8ec843ff"],
            "minValue": 0,
            "maxValue": Severity::ALL.len(),
        },
        "hideDisabled": false,
        "sorting": 0,
    })
}
