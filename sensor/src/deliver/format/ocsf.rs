//! Open Cybersecurity Schema Framework 1.4: Detection Finding, class 2004 of category 2.
//!
//! <https://schema.ocsf.io/1.4.0/classes/detection_finding>

use serde_json::{Value, json};

use super::super::links::Links;
use super::{PRODUCT, VERSION, known, millis, percent};
use crate::alert::attack::{ATTACK_VERSION, Attack, attack};
use crate::alert::{Alert, Analytic, Evidence, Severity};

/// The version of OCSF whose class this is.
const OCSF_VERSION: &str = "1.4.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;

pub(super) fn finding(alert: &Alert, links: Option<&Links>) -> Result<Value, serde_json::Error> {
    // Create, then Update.
    let activity = if alert.count > 1 { 2 } else { 1 };
    let asset = &alert.asset;
    let mut evidences = vec![conversation(alert)];
    for piece in &alert.evidence {
        evidences.push(artifact(piece)?);
    }
    let pcap = links.and_then(|links| links.pcap.as_ref());
    evidences.extend(pcap.map(|url| json!({ "url": { "url_string": url } })));
    Ok(known(json!({
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "activity_id": activity,
        "type_uid": CLASS * 100 + activity,
        "time": millis(alert.time),
        "start_time": millis(alert.first_seen),
        "end_time": millis(alert.last_seen),
        "count": alert.count,
        "message": alert.summary,
        "severity_id": severity(alert.severity),
        "severity": alert.severity,
        "confidence_score": percent(alert),
        "is_alert": true,
        "status_id": 1,
        "status": "New",
        "finding_info": {
            "uid": alert.id.to_string(),
            "title": alert.title,
            "desc": alert.summary,
            "src_url": links.map(|links| &links.console),
            "first_seen_time": millis(alert.first_seen),
            "last_seen_time": millis(alert.last_seen),
            "analytic": { "uid": alert.analytic, "type_id": 2, "type": "Behavioral" },
            "attacks": alert.techniques.iter().filter_map(|id| attack(id)).map(tactic)
                .collect::<Vec<_>>(),
        },
        "evidences": evidences,
        "resources": [{ "name": asset.name, "type": asset.role }],
        "metadata": {
            "version": OCSF_VERSION,
            "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION },
            "log_provider": alert.sensor,
            "uid": format!("{}-{}", alert.id, alert.count),
        },
    })))
}

const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn tactic(attack: &Attack) -> Value {
    let named = |(uid, name)| json!({ "uid": uid, "name": name });
    json!({
        "tactic": named(attack.tactic),
        "technique": named(attack.technique),
        "sub_technique": attack.sub_technique.map(named),
        "version": ATTACK_VERSION,
    })
}

fn conversation(alert: &Alert) -> Value {
    let asset = &alert.asset;
    let own = json!({ "name": asset.name, "ip": asset.address, "mac": asset.mac });
    if alert.analytic == Analytic::AN0646 {
        // Somebody used the API on the asset.
        return json!({
            "actor": alert.account().map(|account| json!({ "user": { "name": account } })),
            "src_endpoint": alert.client().map(|client| json!({ "ip": client })),
            "dst_endpoint": own,
        });
    }
    json!({
        "actor": alert.account().map(|account| json!({ "user": { "name": account } })),
        "src_endpoint": own,
        "dst_endpoint": alert.destination.as_ref().map(|to| {
            let port = (to.port > 0).then_some(to.port);
            json!({ "ip": to.address, "port": port, "hostname": to.sni })
        }),
        "data": alert.destination.as_ref().and_then(|to| to.ja4.as_ref())
            .map(|ja4| json!({ "ja4": ja4 })),
    })
}

fn artifact(piece: &Evidence) -> Result<Value, serde_json::Error> {
    Ok(json!({ "data": serde_json::to_value(piece)? }))
}
