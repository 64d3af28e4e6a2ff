//! Logs: alone, beside a capture, from a host's own files, and broken.

use std::fs;
use std::io::Write;
use std::path::Path;

use egret_tests::egret::{Egret, json_lines};
use egret_tests::esxi::{Host, Journal, Release, Teller, Vcenter, What};
use egret_tests::rng::Rng;
use egret_tests::scenario::{Packets, Plan, Scenario};
use serde_json::Value;
use tempfile::TempDir;

use super::{directory, egret};

/// What a log of noise begins with.
const NOON: u64 = 1_772_539_200_000_000_000; // 2026-03-03T12:00:00Z

/// Two days of a small estate, with attacks, as `estate.log` beside `estate.toml`.
fn estate(plan: &Plan) -> (TempDir, Scenario) {
    let mut scenario = plan.play();
    let mut log = Vec::new();
    scenario.journal.write(&mut log).unwrap();
    let directory = directory("estate.log", log);
    fs::write(directory.path().join("estate.toml"), &scenario.config).unwrap();
    (directory, scenario)
}

fn read_estate(directory: &TempDir) -> Egret {
    let run = egret().within(directory).arg("read").args("--syslog estate.log");
    run.args("--config estate.toml --learn 24h")
}

/// Events and alerts of a run, as they were written.
fn results(run: Egret, directory: &Path) -> [String; 2] {
    let _ = run.args("--events eve.json --alerts alerts.json").run().done();
    ["eve.json", "alerts.json"].map(|name| fs::read_to_string(directory.join(name)).unwrap())
}

fn operations(events: &str) -> Vec<Value> {
    let mut events = json_lines(events);
    events.retain(|event| event["event_type"] == "guest_operation");
    events
}

/// Fails when an operation is lost or told twice where host and vCenter both report it, a vCenter
/// repeats its events or a hostile name looks like one; when its account is not the vCenter's word; or when
/// two readings differ.
#[test]
fn every_operation_is_one_event_whoever_reports_it() {
    let plan =
        Plan { packets: Packets::None, noise_per_day: 200.0, ..Plan::evaluation(4, 6, 48, 24) };
    let plan = Plan { attacks: Vec::new(), ..plan };
    let (directory, scenario) = estate(&plan);
    let first = results(read_estate(&directory), directory.path());
    let told = operations(&first[0]);
    assert_eq!(told.len() as u64, scenario.truth.operations);
    for event in &told {
        let said = &event["egret"]["guest_operation"];
        let account = said["account"].as_str().unwrap_or_else(|| panic!("{event}"));
        assert!(account.to_lowercase().starts_with("corp\\svc-"), "{event}");
    }
    assert!(results(read_estate(&directory), directory.path()) == first, "read twice");
}

/// Fails when an account is guessed where no log names one.
#[test]
fn of_hosts_alone_nobody_knows_the_account() {
    let plan = Plan { noise_per_day: 100.0, ..Plan::hosts_only(5, 4, 48, 24) };
    let (directory, scenario) = estate(&Plan { attacks: Vec::new(), ..plan });
    let [events, _] = results(read_estate(&directory), directory.path());
    let told = operations(&events);
    assert_eq!(told.len() as u64, scenario.truth.operations);
    assert!(told.iter().all(|event| event["egret"]["guest_operation"]["account"].is_null()));
}

/// Fails when the files of a support bundle are not read as what was sent is.
#[test]
fn a_hosts_own_file() {
    let mut scenario = Plan { noise_per_day: 300.0, ..Plan::quiet(6, 1, 30, 24) }.play();
    let mut log = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    scenario.journal.write_on_disk(0, &mut log).unwrap();
    let mut plain = Vec::new();
    scenario.journal.write_on_disk(0, &mut plain).unwrap();
    log.flush().unwrap();
    let directory = directory("hostd.0.gz", log.finish().unwrap());
    fs::write(directory.path().join("hostd.log"), plain).unwrap();
    let read = |name| {
        let run = egret().within(&directory).arg("read").arg("--syslog").arg(name);
        results(run, directory.path())
    };
    let [events, alerts] = read("hostd.log");
    assert_eq!(operations(&events).len() as u64, scenario.truth.operations);
    assert!(read("hostd.0.gz") == [events, alerts], "packed");
}

/// Noise of a host of each release and of a vCenter.
fn noise(lines: u64) -> Vec<String> {
    let host = |release| Host {
        name: "esxi-01.corp.example".into(),
        address: "10.10.0.11".parse().unwrap(),
        release,
        ahead: 0,
    };
    let hosts = [Release::Six, Release::Seven, Release::Eight].map(host).to_vec();
    let vcenter = Vcenter {
        name: "vcenter-01".into(),
        address: "10.10.0.10".parse().unwrap(),
        offset: 2,
        datacenter: "DC [0]".into(),
    };
    let mut journal = Journal::new(hosts, vcenter);
    for seed in 0..lines {
        let teller = [Teller::Host(0), Teller::Host(1), Teller::Host(2), Teller::Vcenter];
        journal.add(NOON + seed * 1_000_000, teller[(seed % 4) as usize], What::Noise(seed));
    }
    journal.lines().into_iter().map(|line| line.text).collect()
}

/// A line with something broken in it.
fn mutate(line: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..rng.range(1, 4) {
        let at = rng.below(line.len().max(1) as u64) as usize;
        match rng.below(5) {
            0 => line.truncate(at),
            1 => line.insert(at.min(line.len()), rng.next() as u8),
            2 if !line.is_empty() => line[at] = rng.next() as u8,
            3 if !line.is_empty() => line[at] ^= 1 << rng.below(8),
            _ => {
                let piece = *rng.pick(&[&b"\xff\xfe"[..], b"\0", b"]", b"<14>", b" : "]);
                line.splice(at..at, piece.iter().copied());
            }
        }
    }
    line
}

fn operations_of(lines: &[Vec<u8>]) -> Vec<Value> {
    let directory = directory("broken.log", lines.join(&b'\n'));
    let run = egret().within(&directory).arg("read").args("--syslog broken.log");
    let [events, _] = results(run, directory.path());
    operations(&events)
}

/// Fails when a broken line stops the sensor, or makes an operation out of what a name only claims.
#[test]
fn ten_thousand_broken_lines_are_no_operations() {
    let lines: Vec<Vec<u8>> = noise(2000).into_iter().map(String::into_bytes).collect();
    assert_eq!(operations_of(&lines), [Value::Null; 0]);
    let mut rng = Rng::new(1);
    let broken: Vec<Vec<u8>> =
        (0..5).flat_map(|_| &lines).map(|line| mutate(line, &mut rng)).collect();
    assert_eq!(operations_of(&broken), [Value::Null; 0]);
}

/// Fails when a broken line of an operation stops the sensor.
#[test]
fn broken_operations_are_survived() {
    let plan = Plan { noise_per_day: 0.0, ..Plan::quiet(7, 4, 40, 24) };
    let mut scenario = plan.play();
    let mut rng = Rng::new(2);
    let lines = scenario.journal.lines();
    let broken: Vec<Vec<u8>> =
        lines.iter().map(|line| mutate(line.text.as_bytes(), &mut rng)).collect();
    assert!(operations_of(&broken).len() < lines.len());
}
