use std::time::Duration;

use serde_json::json;

use super::*;
use crate::alert::attack::attack;
use crate::alert::{Analytic, Asset, Destination, Evidence, Fact, SCHEMA, Severity, Status};

mod hostile;

/// What people read: each example in it is a body that is written here.
const GUIDE: &str = include_str!("../../../../docs/delivery.md");

/// When the examples are sent.
const NOW: Timestamp = Timestamp::from_parts(1_795_183_400, 0);

/// The alert of the examples.
pub(in super::super) fn sample() -> Alert {
    let seen =
        |seconds: u64, micros: u64| Timestamp::from_parts(1_795_180_000 + seconds, micros * 1000);
    let community_id = "1:xu2sPvWIT1S6whrXsyyutGQyNOk=".to_owned();
    let spike = Fact::VolumeSpike {
        direction: "in".into(),
        scope: "internal".into(),
        window_seconds: 600,
        observed_bytes: 1_800_000_000,
        expected_bytes: 4_000_000,
        score: 14.2,
        until: None,
        known_hours: None,
    };
    let session = Fact::TlsSession {
        community_id,
        bytes_out: 1_700_000_000,
        usual_bytes_out: 0,
        days: None,
        sessions: 1,
        notes: vec!["never_resolved".into()],
        source: None,
        one_in: None,
    };
    Alert {
        schema: SCHEMA.into(),
        id: uuid::Uuid::from_u128(0x6f1c_8d3e_52ab_5a4f_9d10_27a1_c0ff_ee01),
        time: seen(3_391, 123_456),
        sensor: "dc1-rack7".to_owned(),
        analytic: Analytic::AN1416,
        techniques: vec!["T1048.002".into()],
        title: "Unexpected TLS upload by esxi-01".to_owned(),
        summary: "esxi-01 sent 1.7 GB to cdn.example, where it never went before.".to_owned(),
        severity: Severity::High,
        confidence: 0.97,
        asset: Asset {
            name: "esxi-01".to_owned(),
            role: "esxi".into(),
            address: "10.10.0.11".parse().ok(),
            mac: Some("00:50:56:6a:00:01".to_owned()),
        },
        destination: Some(Destination {
            address: "198.51.100.7".parse().unwrap(),
            port: 443,
            sni: Some("cdn.example".to_owned()),
            ja4: Some("t13d1516h2_8daaf6152771_b186095e22b6".to_owned()),
        }),
        evidence: vec![
            Evidence { time: seen(3_000, 0), weight: 4.6, fact: spike },
            Evidence { time: seen(3_391, 0), weight: 5.1, fact: session },
        ],
        first_seen: seen(3_000, 0),
        last_seen: seen(3_391, 0),
        count: 1,
        status: Status::Open,
        flow: None,
    }
}

fn parsed(format: WebhookFormat, alert: &Alert) -> Value {
    serde_json::from_slice(&body(format, alert, None, NOW).unwrap()).unwrap()
}

/// The code block of the guide behind the heading that names a format.
fn example(heading: &str) -> &'static str {
    let section = GUIDE.split_once(&format!("\n### {heading}\n")).expect(heading).1;
    let block = section.split_once("```").unwrap().1.split_once('\n').unwrap().1;
    block.split_once("\n```").unwrap().0
}

#[test]
fn the_examples_of_the_guide_are_what_is_sent() {
    for format in WebhookFormat::ALL {
        let text = serde_json::to_string_pretty(&parsed(format, &sample())).unwrap();
        let shown = example(&format!("`{}`", format.name()));
        let shown: Value = serde_json::from_str(shown).unwrap_or_default();
        let sent: Value = serde_json::from_str(&text.replace(VERSION, "0.1.0")).unwrap();
        assert_eq!(shown, sent, "{}, which is\n{text}", format.name());
    }
}

#[test]
fn the_guides_syslog_message_is_what_is_sent() {
    let sent = super::super::syslog::message(&sample(), None).replace(VERSION, "0.1.0");
    assert_eq!(example("CEF in RFC 5424"), sent);
}

/// A link that is not where the guide says is not found.
#[test]
fn links_are_in_the_fields_that_the_guide_names() {
    let (alert, base) = (sample(), "https://egret.example:9477".parse().unwrap());
    let (id, with) = (alert.id, |has| Links::below(&base, sample().id, has));
    let console = format!("https://egret.example:9477/#alert={id}");
    let pcap = format!("https://egret.example:9477/api/alerts/{id}/pcap");
    for (format, at, packets_at) in [
        (WebhookFormat::Egret, "/links/console", "/links/pcap"),
        (WebhookFormat::SplunkHec, "/event/links/console", "/event/links/pcap"),
        (WebhookFormat::Ecs, "/event/url", "/event/reference"),
        (WebhookFormat::Ocsf, "/finding_info/src_url", "/evidences/3/url/url_string"),
        (WebhookFormat::Alertmanager, "/0/generatorURL", "/0/annotations/pcap"),
    ] {
        let sent = |has| {
            let bytes = body(format, &alert, Some(&with(has)), NOW).unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let name = format.name();
        assert_eq!(sent(true).pointer(at), Some(&json!(console)), "{name}");
        assert_eq!(sent(true).pointer(packets_at), Some(&json!(pcap)), "{name}");
        assert_eq!(sent(false).pointer(at), Some(&json!(console)), "{name}");
        assert!(!sent(false).to_string().contains("/pcap"), "{name}");
    }
    let line = |has| cef(&alert, Some(&with(has)));
    let both =
        format!(" cs4={} cs4Label=console cs5={pcap} cs5Label=pcap ", console.replace('=', "\\="));
    assert!(line(true).contains(&both), "{}", line(true));
    assert!(line(false).contains("cs4Label=console") && !line(false).contains("cs5"));
}

/// A format that lost a field where there is no destination would be found by its receiver only.
#[test]
fn what_is_not_known_is_left_out() {
    let mut alert = sample();
    (alert.destination, alert.asset.mac) = (None, None);
    alert.techniques = vec!["T9999".into()];
    for format in WebhookFormat::ALL {
        let text = parsed(format, &alert).to_string();
        assert!(!text.contains("null"), "{}: {text}", format.name());
        assert!(!text.contains("198.51.100.7") && !text.contains("00:50"), "{text}");
    }
    assert!(!cef(&alert, None).contains("dst="));
}

/// An alert of logs has an account and a client, and often no address of its own.
#[test]
fn who_used_guest_operations_is_told_in_every_format() {
    let alert = crate::alert::sample::guest_operations();
    for format in WebhookFormat::ALL {
        let text = parsed(format, &alert).to_string();
        assert!(!text.contains("null"), "{}: {text}", format.name());
        assert!(text.contains("CORP\\\\eve") && text.contains("web-01"), "{text}");
    }
    let ecs = parsed(WebhookFormat::Ecs, &alert);
    assert_eq!(ecs["user"]["name"], "CORP\\eve");
    assert_eq!(ecs["source"]["ip"], "10.20.0.66");
    assert_eq!(ecs["event"]["category"][0], "host");
    assert!(ecs["network"].is_null() && ecs["host"]["ip"].is_null());
    let evidence = &parsed(WebhookFormat::Ocsf, &alert)["evidences"][0];
    assert_eq!(evidence["actor"]["user"]["name"], "CORP\\eve");
    assert_eq!(evidence["dst_endpoint"]["name"], "web-01");
    let line = cef(&alert, None);
    assert!(line.contains(" suser=CORP\\\\eve ") && !line.contains(" src="), "{line}");
}

#[test]
fn an_update_is_an_update_and_keeps_its_id() {
    let mut alert = sample();
    let first = parsed(WebhookFormat::Ocsf, &alert);
    alert.count = 2;
    let second = parsed(WebhookFormat::Ocsf, &alert);
    assert_eq!((&first["type_uid"], &second["type_uid"]), (&json!(200_401), &json!(200_402)));
    assert_eq!(first["finding_info"]["uid"], second["finding_info"]["uid"]);
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
}

/// With Alertmanager another severity is another alert: without its end the old one would stay.
#[test]
fn a_risen_severity_ends_the_alert_it_was() {
    let mut alert = sample();
    assert_eq!(parsed(WebhookFormat::Alertmanager, &alert).as_array().unwrap().len(), 1);
    alert.count = 2;
    let all = parsed(WebhookFormat::Alertmanager, &alert);
    let ends = |severity: &str| {
        let all = all.as_array().unwrap();
        let one = all.iter().find(|one| one["labels"]["severity"] == severity).unwrap();
        one["endsAt"].as_str().unwrap().to_owned()
    };
    assert_eq!(ends("high"), NOW.plus(Duration::from_secs(86_400)).to_string());
    for severity in ["informational", "low", "medium", "critical"] {
        assert_eq!(ends(severity), alert.last_seen.to_string());
    }
}

#[test]
fn every_alerts_technique_has_its_names() {
    for id in ["T1048.002", "T1568.003", "T1675", "T1020.001"] {
        assert!(attack(id).is_some(), "{id}");
    }
    assert_eq!(attack("T1048"), None);
}

#[test]
fn ipv6_addresses_have_cef_fields_of_their_own() {
    let mut alert = sample();
    alert.asset.address = "fd00::11".parse().ok();
    let line = cef(&alert, None);
    assert!(line.contains(" c6a2=fd00::11 c6a2Label=Source IPv6 Address "), "{line}");
    assert!(!line.contains(" src="), "{line}");
}
