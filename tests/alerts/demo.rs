//! The demo capture and log: a morning to learn from, then four attacks; and what is printed about them.

use std::fs;
use std::io::Read;
use std::path::Path;

use egret_tests::egret::{Egret, json_lines};
use egret_tests::wire::split;
use serde_json::Value;

use super::schema::assert_alert;
use super::{agreed, egret, kept, without_wall_time};

fn read(capture: impl AsRef<Path>) -> Egret {
    let run = egret().read(capture.as_ref()).arg("--config").arg(kept("captures/demo.toml"));
    run.args("--learn 6h --syslog").arg(kept("captures/demo.log.gz"))
}

fn demo() -> Egret {
    read(kept("captures/demo.pcap.gz"))
}

/// The states of all alerts, as `--alerts` writes them.
fn alerts(run: Egret) -> String {
    run.args("--alerts -").run().done().stdout
}

/// What was planted and must be found.
fn planted() -> Vec<Value> {
    let truth = fs::read_to_string(kept("captures/demo.truth.json")).unwrap();
    let mut truth: Value = serde_json::from_str(&truth).unwrap();
    let Value::Array(mut attacks) = truth["attacks"].take() else { panic!("no attacks") };
    attacks.retain(|attack| attack["required"] == true);
    attacks
}

fn holds(list: &Value, item: &Value) -> bool {
    list.as_array().unwrap().contains(item)
}

/// Some 70 MB that were pulled together inside: people send as much on.
fn is_small(attack: &Value) -> bool {
    attack["kind"].as_str().unwrap().starts_with("exfiltration")
}

/// Fails when an attack is missed, told of another asset or place, or its numbers are not those
/// that were planted.
#[test]
fn the_planted_attacks_are_found_with_their_numbers() {
    let found = demo().arg("--json").run().done().json();
    let planted = planted();
    assert_eq!(planted.len(), 4);
    for attack in &planted {
        let is_of_attack = |alert: &&Value| {
            alert["analytic"] == attack["analytic"]
                && holds(&attack["asset"]["addresses"], &alert["asset"]["address"])
        };
        let of_attack: Vec<&Value> = found.iter().filter(is_of_attack).collect();
        let [alert] = of_attack[..] else { panic!("{attack}: {of_attack:?}") };
        if alert["analytic"] == "AN0646" {
            assert_eq!(alert["severity"], "medium", "{alert}");
            assert!(
                alert.to_string().contains(&attack["operations"]["account"].to_string()),
                "{alert}"
            );
            continue;
        }
        assert_eq!(alert["severity"], if is_small(attack) { "medium" } else { "high" }, "{alert}");
        let place = &alert["destination"];
        let place = serde_json::json!({ "address": place["address"], "port": place["port"] });
        assert!(holds(&attack["destinations"], &place), "{alert}");
        let evidence = |kind: &str| {
            let evidence = alert["evidence"].as_array().unwrap();
            evidence.iter().find(|piece| piece["kind"] == kind).unwrap_or_else(|| panic!("{alert}"))
        };
        if alert["analytic"] == "AN1416" {
            assert_eq!(alert["destination"]["sni"], attack["sni"]);
            let told = evidence("tls_session")["bytes_out"].as_f64().unwrap();
            let sent = attack["bytes_out"].as_f64().unwrap();
            assert!((told / sent - 1.0).abs() < 0.05, "{told} of {sent} bytes");
        } else {
            let pairs = evidence("formula")["pairs"].as_u64().unwrap() as usize;
            assert_eq!(pairs, attack["connections"].as_array().unwrap().len());
        }
    }
}

/// Fails when anything else in the capture is called high.
#[test]
fn nothing_harmless_is_high() {
    let mut high = demo().arg("--json").run().done().json();
    high.retain(|alert| alert["severity"] == "high" || alert["severity"] == "critical");
    let mut planted = planted();
    planted.retain(|attack| attack["analytic"] != "AN0646" && !is_small(attack));
    assert_eq!(high.len(), planted.len(), "{high:#?}");
}

/// Fails when what is learned from is alerted on.
#[test]
fn nothing_is_raised_while_it_only_learns() {
    let run = egret().read(kept("captures/demo.pcap.gz")).arg("--config");
    let run = run.arg(kept("captures/demo.toml")).args("--learn 10h --fail-on informational");
    assert_eq!(run.run().done().summary("alerts"), ["none"]);
}

/// Fails when a line that programs read strays from the schema.
#[test]
fn every_line_is_of_the_schema() {
    let lines = json_lines(&alerts(demo()));
    assert!(lines.len() > planted().len());
    lines.iter().for_each(assert_alert);
}

/// Fails when alerts depend on how the capture was cut into files or bursts.
#[test]
fn the_same_alerts_from_one_file_or_two() {
    let whole = alerts(demo());
    let mut capture = Vec::new();
    let packed = fs::File::open(kept("captures/demo.pcap.gz")).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut capture).unwrap();
    // In the middle of the upload: 2026-03-03 13:16:20 UTC.
    let [early, late] = split(&capture, |time, _| time < 1_772_543_780 * 1_000_000_000);
    let directory = tempfile::tempdir().unwrap();
    let path = |name| directory.path().join(name);
    fs::write(path("early.pcap"), early).unwrap();
    fs::write(path("late.pcap"), late).unwrap();
    assert!(alerts(demo()) == whole, "read twice");
    assert!(alerts(read(path("early.pcap")).read(path("late.pcap"))) == whole, "cut in two");
    assert!(alerts(read(path("late.pcap")).read(path("early.pcap"))) == whole, "in any order");
    assert!(alerts(read("-").input(&capture)) == whole, "from standard input");
}

/// Fails when what people or programs read changes unnoticed. Where it should:
/// `EGRET_BLESS=1 cargo test --test alerts`, and read the difference.
#[test]
fn what_is_printed_is_what_was_agreed() {
    let text = without_wall_time(&demo().run().done());
    agreed("golden/demo.txt", &text);
    agreed("golden/demo.alerts.jsonl", &alerts(demo()));
}
