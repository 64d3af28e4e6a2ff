//! Elastic Common Schema 8.17: an event of kind `alert`; Egret's own fields are below `egret`.
//!
//! <https://www.elastic.co/docs/reference/ecs>

use serde_json::{Value, json};

use super::super::links::Links;
use super::{PRODUCT, VERSION, community_ids, known};
use crate::alert::attack::{Attack, attack};
use crate::alert::{Alert, Analytic, Severity};

/// The version of ECS whose fields these are.
const ECS_VERSION: &str = "8.17.0";

pub(super) fn event(alert: &Alert, links: Option<&Links>) -> Result<Value, serde_json::Error> {
    let (asset, destination) = (&alert.asset, alert.destination.as_ref());
    let place = destination.map(|to| to.address);
    let server_name = destination.and_then(|to| to.sni.as_deref());
    let of_packets = alert.analytic != Analytic::AN0646;
    let domain = if of_packets { "network" } else { "host" };
    Ok(known(json!({
        "@timestamp": alert.time,
        "ecs": { "version": ECS_VERSION },
        "message": alert.summary,
        "event": {
            "kind": "alert",
            "category": [domain, "intrusion_detection"],
            "type": ["info"],
            "module": "egret",
            "dataset": "egret.alert",
            "provider": "egret",
            "id": alert.id.to_string(),
            "severity": score(alert.severity),
            "start": alert.first_seen,
            "end": alert.last_seen,
            "reason": alert.title,
            "url": links.map(|links| &links.console),
            "reference": links.and_then(|links| links.pcap.as_ref()),
        },
        "rule": { "id": alert.analytic, "name": alert.title, "ruleset": "MITRE ATT&CK analytics" },
        "threat": threat(alert),
        "observer": {
            "name": alert.sensor,
            "vendor": PRODUCT,
            "product": PRODUCT,
            "type": "ids",
            "version": VERSION,
        },
        "host": { "name": asset.name, "ip": asset.address.map(|ip| [ip]), "mac": mac(alert).map(|mac| [mac]) },
        "source": source(alert),
        "user": alert.account().map(|account| json!({ "name": account })),
        "destination": destination.map(|to| json!({
            "address": server_name.map_or_else(|| to.address.to_string(), str::to_owned),
            "domain": server_name,
            "ip": to.address,
            "port": (to.port > 0).then_some(to.port),
        })),
        "tls": server_name.map(|name| json!({ "client": { "server_name": name } })),
        "network": of_packets.then(|| {
            json!({ "direction": "outbound", "community_id": some(community_ids(alert)) })
        }),
        "related": {
            "ip": asset.address.into_iter().chain(place).chain(alert.client()).collect::<Vec<_>>(),
            "hosts": std::iter::once(asset.name.as_str()).chain(server_name).collect::<Vec<_>>(),
            "user": alert.account().map(|account| [account]),
        },
        "egret": serde_json::to_value(alert)?,
    })))
}

/// None instead of an empty list.
fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

/// As Elastic's own rules score severities.
const fn score(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
        Severity::Critical => 99,
    }
}

fn threat(alert: &Alert) -> Value {
    let attacks: Vec<&Attack> = alert.techniques.iter().filter_map(|id| attack(id)).collect();
    let of = |part: fn(&Attack) -> Option<(&'static str, &'static str)>| {
        let (ids, names): (Vec<_>, Vec<_>) = attacks.iter().filter_map(|a| part(a)).unzip();
        (!ids.is_empty()).then_some((ids, names))
    };
    let both = |(ids, names)| json!({ "id": ids, "name": names });
    let mut technique = of(|a| Some(a.technique)).map(both).unwrap_or(Value::Null);
    if let (Some(fields), Some(sub)) = (technique.as_object_mut(), of(|a| a.sub_technique)) {
        fields.insert("subtechnique".to_owned(), both(sub));
    }
    json!({
        "framework": "MITRE ATT&CK",
        "tactic": of(|a| Some(a.tactic)).map(both),
        "technique": technique,
    })
}

/// Where it came from: the asset, else, where only logs tell of it, the client that used the API.
fn source(alert: &Alert) -> Value {
    let own = (alert.asset.address, mac(alert));
    let (address, mac) = match alert.analytic {
        Analytic::AN0646 => (alert.client(), None),
        Analytic::AN1131 if own.0.is_none() => (alert.client(), None),
        Analytic::AN1416 | Analytic::AN0731 | Analytic::AN1131 | Analytic::DC0078 => own,
    };
    if address.is_none() && mac.is_none() {
        return Value::Null;
    }
    json!({ "address": address, "ip": address, "mac": mac })
}

/// ECS writes MAC addresses as RFC 7042 does: upper case, with hyphens.
fn mac(alert: &Alert) -> Option<String> {
    alert.asset.mac.as_ref().map(|mac| mac.to_uppercase().replace(':', "-"))
}
