//! What one reading learns and the next one knows, and what is told of what both find.

use std::fs;
use std::path::Path as File;

use egret_tests::egret::json_lines;
use egret_tests::scenario::{HOUR, SECOND};
use egret_tests::traffic::{START, Traffic, end, path};
use egret_tests::wire::Endpoint;
use serde_json::Value;

use super::captures::RESOLVER;
use super::{directory, egret};

const DAY: u64 = 24 * HOUR;
const ESXI: &str = "[[asset]]\nname = \"esxi-01\"\nrole = \"esxi\"\naddress = [\"10.20.9.11\"]\n";

/// A guest looks a name up and sends `up` bytes there by TLS.
fn visit(traffic: &mut Traffic, at: u64, guest: Endpoint, (name, server): (&str, &str), up: u64) {
    let (at, answer) = (START + at, server.parse().unwrap());
    traffic.lookup(at, &path(guest, end(RESOLVER, 53)), name, &[answer]);
    let over = if up > 1_000_000 { 300 * SECOND } else { SECOND };
    traffic.tls(at + SECOND, path(guest, end(server, 443)), name, [up, 2000], over);
}

/// The same guest under another address.
fn at(guest: Endpoint, address: &str) -> Endpoint {
    Endpoint { ip: address.parse().unwrap(), ..guest }
}

/// What was learned, an asset each.
fn learned(directory: &File) -> Vec<Value> {
    let list = egret().within(directory).args("baseline list --json --set sensor.data_dir=state");
    list.run().done().json()
}

fn sessions(learned: &[Value], asset: &str) -> u64 {
    let asset = learned.iter().find(|known| known["asset"] == asset);
    let places = asset.and_then(|asset| asset["destinations"].as_array());
    places.map_or(0, |places| places.iter().filter_map(|place| place["sessions"].as_u64()).sum())
}

/// Fails when what was learned of a guest stays with its address: the guest would be new, and whoever has
/// its address would have its habits.
#[test]
fn a_guest_that_moved_keeps_its_baseline_and_its_successor_starts_anew() {
    const USUAL: (&str, &str) = ("www.example.com", "203.0.113.5");
    let (guest, other) = (end("10.20.0.11", 50_000), end("10.20.0.12", 50_000));
    let mut before = Traffic::default();
    for hour in 0..4 {
        visit(&mut before, hour * HOUR, guest, USUAL, 20_000);
    }
    let mut after = Traffic::default();
    visit(&mut after, DAY, at(other, "10.20.0.11"), USUAL, 20_000);
    visit(&mut after, DAY + HOUR, at(guest, "10.20.7.77"), USUAL, 20_000);
    let directory = directory("before.pcap", before.pcap());
    fs::write(directory.path().join("after.pcap"), after.pcap()).unwrap();
    let read = |file: &str| egret().within(&directory).read(file).args("--state state");
    let _ = read("before.pcap").args("--learn 1d").run().done();
    assert_eq!(sessions(&learned(directory.path()), "10.20.0.11"), 4);
    let _ = read("after.pcap").run().done();
    let known = learned(directory.path());
    assert_eq!(sessions(&known, "10.20.0.11"), 5, "{known:#?}");
    let successor = "10.20.0.11@00:50:56:80:00:0c";
    assert_eq!(sessions(&known, successor), 1, "{known:#?}");
    let list = egret().within(&directory).args("baseline list 10.20.0.11");
    let shown = list.args("--set sensor.data_dir=state").run().done().stdout;
    assert!(shown.contains("learned in 5 hours"), "{shown}");
}

/// Fails when a place becomes usual by being visited while an alert about it is open.
#[test]
fn an_open_alert_teaches_nothing() {
    let (guest, other) = (end("10.20.0.11", 50_000), end("10.20.0.12", 50_000));
    let (bad, good) = (("drop.evil.example", "203.0.113.9"), ("www.new.example", "203.0.113.20"));
    let mut traffic = Traffic::default();
    for (guest, minute) in [(guest, 0), (other, 1)] {
        visit(&mut traffic, minute * 60 * SECOND, guest, ("www.example.com", "203.0.113.5"), 2_000);
    }
    visit(&mut traffic, DAY + HOUR, guest, bad, 600_000_000);
    for day in 1..12 {
        visit(&mut traffic, day * DAY + 2 * HOUR, guest, bad, 20_000);
        visit(&mut traffic, day * DAY + 2 * HOUR, other, good, 20_000);
    }
    let directory = directory("days.pcap", traffic.pcap());
    let run = egret().within(&directory).read("days.pcap");
    let _ = run.args("--learn 1d --state state --alerts alerts.json").run().done();
    let alerts = fs::read_to_string(directory.path().join("alerts.json")).unwrap();
    assert!(json_lines(&alerts).iter().all(|alert| alert["asset"]["name"] == "10.20.0.11"));
    assert!(!alerts.is_empty());
    let known = learned(directory.path());
    let place = |asset: &str, name: &str| -> Value {
        let asset = known.iter().find(|known| known["asset"] == asset).unwrap();
        let mut places = asset["destinations"].as_array().unwrap().iter();
        places.find(|place| place["destination"] == name).unwrap().clone()
    };
    let suspected = place("10.20.0.11", "evil.example");
    assert_eq!((&suspected["trusted"], &suspected["days_since"]), (&false.into(), &0.into()));
    assert_eq!(suspected["days_with_alert"], 11, "{suspected}");
    let harmless = place("10.20.0.12", "new.example");
    assert_eq!((&harmless["trusted"], &harmless["days_since"]), (&true.into(), &9.into()));
}

/// Fails when a spent budget holds nothing back or does not say so, holds back what is always told, or a
/// site that has the budget is told less.
#[test]
fn what_the_budget_holds_back_is_listed_and_management_egress_is_told() {
    let mut traffic = Traffic::default();
    let [first, second, esxi] =
        ["10.20.0.11", "10.20.0.12", "10.20.9.11"].map(|address| end(address, 50_000));
    for (guest, minute) in [(first, 0), (second, 1)] {
        visit(&mut traffic, minute * 60 * SECOND, guest, ("www.example.com", "203.0.113.5"), 2_000);
    }
    visit(&mut traffic, DAY + HOUR, first, ("a.first.example", "203.0.113.9"), 600_000_000);
    visit(&mut traffic, DAY + 2 * HOUR, second, ("b.second.example", "203.0.113.10"), 600_000_000);
    visit(&mut traffic, DAY + 3 * HOUR, esxi, ("c2.third.example", "203.0.113.11"), 900);
    let directory = directory("days.pcap", traffic.pcap());
    fs::write(directory.path().join("egret.toml"), ESXI).unwrap();
    let read = |budget: &str| {
        let run = egret().within(&directory).read("days.pcap").args("--config egret.toml");
        let run = run.args("--learn 1d --alerts alerts.json --set");
        let ran = run.arg(format!("detect.site_budget.alerts={budget}")).run().done();
        let alerts = fs::read_to_string(directory.path().join("alerts.json")).unwrap();
        let names: Vec<String> =
            json_lines(&alerts).iter().map(|alert| alert["asset"]["name"].to_string()).collect();
        (ran, names)
    };
    let (ran, names) = read("1000");
    assert!(
        ["\"10.20.0.11\"", "\"10.20.0.12\"", "\"esxi-01\""]
            .iter()
            .all(|who| names.iter().any(|name| name == who)),
        "{names:?}"
    );
    assert!(ran.summary("held").is_empty());
    let (ran, names) = read("0.01");
    assert!(names.iter().all(|name| name == "\"esxi-01\"") && !names.is_empty(), "{names:?}");
    assert_eq!(ran.summary("held"), ["2 weak alerts, beyond detect.site_budget"]);
    assert!(ran.stdout.contains("AN1416: 10.20.0.12 sent "), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("HIGH") || ran.stdout.contains("esxi-01"), "{}", ran.stdout);
}
