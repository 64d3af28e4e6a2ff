//! What every alert has: the schema `egret.alert/1`, field by field.

use serde_json::Value;

/// What an alert always has, and what it may have beside.
const ALERT: [&[&str]; 2] = [
    &[
        "schema",
        "id",
        "time",
        "sensor",
        "analytic",
        "techniques",
        "title",
        "summary",
        "severity",
        "confidence",
        "asset",
        "evidence",
        "first_seen",
        "last_seen",
        "count",
        "status",
    ],
    &["destination"],
];
const ASSET: [&[&str]; 2] = [&["name", "role"], &["address", "mac"]];
const DESTINATION: [&[&str]; 2] = [&["address"], &["port", "sni", "ja4"]];

const KINDS: [&str; 14] = [
    "volume_spike",
    "tls_session",
    "first_seen_destination",
    "first_seen",
    "slow_egress",
    "guest_operation",
    "dns_answer",
    "port_match",
    "formula",
    "connection",
    "audit_event",
    "mirrored_traffic",
    "channel",
    "baseline",
];

/// Panics at the first field of `alert` that is missing, unknown, or of another form.
pub(crate) fn assert_alert(alert: &Value) {
    assert_keys(alert, ALERT);
    assert_eq!(alert["schema"], "egret.alert/1");
    let id: uuid::Uuid = text(&alert["id"]).parse().unwrap();
    assert_eq!((id.get_version_num(), id.to_string().as_str()), (5, text(&alert["id"])));
    let [first, last, time] = ["first_seen", "last_seen", "time"].map(|key| at(&alert[key]));
    assert!(first <= last && last <= time, "{first} {last} {time}");
    for key in ["sensor", "title", "summary"] {
        assert!(!text(&alert[key]).is_empty(), "{key}");
    }
    assert!(!text(&alert["summary"]).contains('\n'));
    assert!(["AN1416", "AN0731", "AN0646", "AN1131", "DC0078"].contains(&text(&alert["analytic"])));
    let techniques = alert["techniques"].as_array().unwrap();
    assert!(!techniques.is_empty() && techniques.iter().all(|name| text(name).starts_with('T')));
    let severities = ["informational", "low", "medium", "high", "critical"];
    assert!(severities.contains(&text(&alert["severity"])));
    assert!((0.0..=1.0).contains(&alert["confidence"].as_f64().unwrap()));
    assert!(alert["count"].as_u64().unwrap() >= 1);
    assert_eq!(alert["status"], "open");
    assert_asset(&alert["asset"]);
    if !alert["destination"].is_null() {
        assert_destination(&alert["destination"]);
    }
    let evidence = alert["evidence"].as_array().unwrap();
    assert!(!evidence.is_empty());
    for piece in evidence {
        assert!(KINDS.contains(&text(&piece["kind"])), "{piece}");
        assert!(at(&piece["time"]) <= time, "{piece}");
    }
}

fn assert_asset(asset: &Value) {
    assert_keys(asset, ASSET);
    assert!(["esxi", "vcenter", "guest", "other"].contains(&text(&asset["role"])));
    if let Some(address) = asset["address"].as_str() {
        let _: std::net::IpAddr = address.parse().unwrap();
    }
    if let Some(mac) = asset["mac"].as_str() {
        let octets: Vec<&str> = mac.split(':').collect();
        assert!(octets.len() == 6 && octets.iter().all(|octet| octet.len() == 2), "{mac}");
        assert_eq!(mac, mac.to_lowercase());
    }
}

fn assert_destination(destination: &Value) {
    assert_keys(destination, DESTINATION);
    let _: std::net::IpAddr = text(&destination["address"]).parse().unwrap();
    // GRE has none.
    let port = destination.get("port").map(|port| port.as_u64().unwrap());
    assert!(port.is_none_or(|port| (1..=65_535).contains(&port)));
    assert!(destination.get("sni").is_none_or(Value::is_string));
}

fn assert_keys(object: &Value, [required, optional]: [&[&str]; 2]) {
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    for key in required {
        assert!(keys.contains(key), "{key} is missing in {object}");
    }
    for key in keys {
        assert!(required.contains(&key) || optional.contains(&key), "{key} is unknown");
    }
}

/// A time in RFC 3339 with microseconds, in UTC.
fn at(value: &Value) -> jiff::Timestamp {
    let text = text(value);
    assert!(text.len() == 27 && text.ends_with('Z'), "{text}");
    text.parse().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}
