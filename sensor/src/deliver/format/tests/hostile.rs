//! Alerts that say hostile names wherever they can: each receiver reads one alert, with the fields of any
//! other, and in them the names.

use egret_tests::traffic::is_harmless;
use proptest::prelude::*;

use super::*;
use crate::alert::sample::{hostile_names, saying};

/// What a receiver reads of such an alert.
fn sent(format: WebhookFormat, name: &str) -> Value {
    let bytes = body(format, &saying(name), None, NOW).unwrap();
    let is_one_line = bytes.iter().all(|byte| *byte >= b' ');
    assert!(is_one_line, "Splunk takes an event a line: {name:?}");
    let sent = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(shape(&sent), shape(&parsed(format, &saying("x"))), "{name:?}");
    sent
}

/// All that does not follow from names: keys, numbers, and where texts are.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::from("a text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect()
        }
        other => other.clone(),
    }
}

/// Every hostile name is read back at all these places, whole.
fn gives_back(format: WebhookFormat, places: &[&str]) {
    for name in hostile_names() {
        let sent = sent(format, &name);
        for place in places {
            assert_eq!(sent.pointer(place), Some(&json!(name)), "{place}");
        }
    }
}

#[test]
fn egrets_own_form_holds() {
    let places =
        ["/sensor", "/asset/name", "/asset/mac", "/destination/sni", "/evidence/5/statement"];
    gives_back(WebhookFormat::Egret, &places);
}

#[test]
fn ecs_holds() {
    let places = [
        "/observer/name",
        "/host/name",
        "/destination/domain",
        "/tls/client/server_name",
        "/related/hosts/1",
        "/egret/evidence/2/query",
    ];
    gives_back(WebhookFormat::Ecs, &places);
}

#[test]
fn ocsf_holds() {
    let places = [
        "/metadata/log_provider",
        "/resources/0/name",
        "/evidences/0/src_endpoint/name",
        "/evidences/0/dst_endpoint/hostname",
        "/evidences/0/data/ja4",
        "/evidences/3/data/answer",
    ];
    gives_back(WebhookFormat::Ocsf, &places);
}

#[test]
fn splunks_form_holds() {
    gives_back(WebhookFormat::SplunkHec, &["/host", "/event/asset/name", "/event/destination/sni"]);
}

/// There, texts are for people: chat windows, mails and terminals.
#[test]
fn alertmanagers_form_holds_and_is_fit_to_be_shown() {
    for name in hostile_names() {
        let alerts = sent(WebhookFormat::Alertmanager, &name);
        for alert in alerts.as_array().unwrap() {
            let fields = ["labels", "annotations"].map(|key| alert[key].as_object().unwrap());
            for text in fields.into_iter().flat_map(|fields| fields.values()) {
                let text = text.as_str().unwrap();
                assert!(text.chars().all(is_harmless) && text.len() <= 700, "{text:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_name_stays_in_its_field(name in any::<String>()) {
        for format in WebhookFormat::ALL {
            sent(format, &name);
        }
    }
}
