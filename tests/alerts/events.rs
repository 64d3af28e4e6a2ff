//! Alerts among the events: the lines that readers of Suricata's `alert` events find.

use std::collections::BTreeSet;
use std::fs;

use egret_tests::egret::json_lines;
use serde_json::Value;

use super::{egret, kept};

/// Events and alerts of the demo, as they were written.
fn results() -> [String; 2] {
    let directory = tempfile::tempdir().unwrap();
    let run = egret().within(&directory).read(kept("captures/demo.pcap.gz"));
    let run = run.arg("--syslog").arg(kept("captures/demo.log.gz"));
    let run = run.arg("--config").arg(kept("captures/demo.toml")).args("--learn 6h");
    let _ = run.args("--events eve.json --alerts alerts.json").run().done();
    ["eve.json", "alerts.json"].map(|name| fs::read_to_string(directory.path().join(name)).unwrap())
}

/// Fails when an alert is missing among the events, is told elsewhere than behind what raised it, names
/// a conversation that is not there, or when two readings differ. What only logs tell of has none.
#[test]
fn every_alert_is_an_event_of_its_conversation() {
    let [events, alerts] = results();
    let lines = json_lines(&events);
    let of_type = |kind: &str| -> Vec<&Value> {
        lines.iter().filter(|line| line["event_type"] == kind).collect()
    };
    let told: Vec<&Value> = of_type("alert").iter().map(|line| &line["egret"]["alert"]).collect();
    let alerts = json_lines(&alerts);
    assert!(!alerts.is_empty() && told.iter().copied().eq(&alerts), "{told:#?}");

    let flows: BTreeSet<u64> =
        of_type("flow").iter().map(|flow| flow["flow_id"].as_u64().unwrap()).collect();
    for line in of_type("alert") {
        let alert = &line["egret"]["alert"];
        let number: u64 = alert["analytic"].as_str().unwrap()[2..].parse().unwrap();
        assert_eq!(line["alert"]["signature_id"], 1_000_000 + number);
        assert_eq!(line["alert"]["signature"], alert["title"]);
        if number == 646 {
            assert_eq!(line.get("flow_id"), None, "{line}");
            continue;
        }
        assert!(flows.contains(&line["flow_id"].as_u64().unwrap()), "{line}");
        // What a channel shows may be of many conversations.
        if number != 78 || !alert["destination"].is_null() {
            assert_eq!(line["dest_ip"], alert["destination"]["address"]);
            assert_eq!(line["dest_port"], alert["destination"]["port"]);
        }
        let ids = alert["evidence"].as_array().unwrap().iter().map(|piece| &piece["community_id"]);
        assert!(ids.into_iter().any(|id| *id == line["community_id"]), "{line}");
    }
    let alerted = of_type("flow").iter().filter(|flow| flow["flow"]["alerted"] == true).count();
    assert!(alerted > 0, "no conversation that lived on says so");
    assert!(results()[0] == events, "read twice");
}
