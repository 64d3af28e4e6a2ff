//! `egret check` on real mirrors: two hosts behind a bridge, whose ports are mirrored to the
//! sensor's interface well, twice, on one side only, or not at all.
//!
//! Needs root; without it each test says that it was skipped.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use std::process::Command;

use egret_tests::egret::Ran;
use serde_json::Value;

mod world;

use world::{Mirror, World};

/// The finding that answers `check` for the sensor's interface: its level, text and fix.
#[track_caller]
fn finding(findings: &[Value], check: &str) -> (String, String, String) {
    let found = findings.iter().find(|one| one["check"] == check && one["subject"] == "eth1");
    let Some(found) = found else { panic!("no {check} in {findings:#?}") };
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("level"), text("text"), text("fix"))
}

/// Fails unless a finding has this level, and these words in its text or fix.
#[track_caller]
fn assert_finding(findings: &[Value], check: &str, level: &str, words: &[&str]) {
    let (found, text, fix) = finding(findings, check);
    assert_eq!(found, level, "{text} -> {fix}");
    for word in words {
        assert!(format!("{text} -> {fix}").contains(word), "{word:?} in {text:?} -> {fix:?}");
    }
}

fn checked(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.stderr, "");
    ran.json()
}

#[test]
fn a_good_mirror_is_fine_and_an_offload_is_named_with_what_ends_it() {
    let Some(world) = World::new("good", &[(1, Mirror::Both)]) else { return };
    world.sensor("ethtool -K eth1 gro on");
    // Behind XDP it does no harm.
    let by_ring = ["--set", "capture.backend=\"afpacket\""];
    let ran = world.check_while_talking(&by_ring);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let findings = checked(&ran);
    for check in ["interface", "address", "mirror", "copies", "directions", "dropped"] {
        assert_finding(&findings, check, "ok", &[]);
    }
    assert_finding(&findings, "gro", "problem", &["joins packets"]);

    // What it says ends it, ends it.
    let (_, _, fix) = finding(&findings, "gro");
    world.sensor(fix.strip_prefix("sudo ").unwrap());
    assert_finding(&checked(&world.check_while_talking(&by_ring)), "gro", "ok", &["off"]);
}

#[test]
fn both_ports_mirrored_give_copies() {
    let ports = [(1, Mirror::Both), (2, Mirror::Both)];
    let Some(world) = World::new("twice", &ports) else { return };
    let ran = world.check_while_talking(&[]);
    assert_eq!(ran.code, 1);
    let findings = checked(&ran);
    assert_finding(&findings, "copies", "problem", &["50 %", "mirror one side"]);
    assert_finding(&findings, "directions", "ok", &[]);
}

#[test]
fn one_direction_mirrored_is_named() {
    let Some(world) = World::new("half", &[(1, Mirror::FromHost)]) else { return };
    let ran = world.check_while_talking(&[]);
    assert_eq!(ran.code, 1);
    let findings = checked(&ran);
    assert_finding(&findings, "directions", "problem", &["100 %", "0 only the server's"]);
    assert_finding(&findings, "copies", "ok", &[]);
}

#[test]
fn a_silent_mirror_is_a_problem_and_so_is_an_interface_that_is_down() {
    let Some(world) = World::new("silent", &[]) else { return };
    let ran = world.check();
    assert_eq!(ran.code, 1);
    let words = ["nothing arrived in 2", "Port mirroring", "show monitor session"];
    assert_finding(&checked(&ran), "mirror", "problem", &words);

    world.sensor("ip link set eth1 down");
    let words = ["is down", "sudo ip link set eth1 up"];
    assert_finding(&checked(&world.check()), "interface", "problem", &words);
}

#[test]
fn without_the_right_to_capture_the_command_that_gives_it_is_named() {
    let Some(world) = World::new("rights", &[]) else { return };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    command.args(["--inh-caps=-all", "--bounding-set=-all"]);
    let ran = world.run(&command, &["--json", "--seconds", "1"]);
    assert_eq!(ran.code, 1);
    let findings = ran.json();
    let found = findings.iter().find(|one| one["check"] == "capture_rights").unwrap();
    assert_eq!(found["level"], "problem");
    assert!(found["fix"].as_str().unwrap().contains("setcap cap_net_raw+ep"), "{found}");
    let (level, text, _) = finding(&findings, "capture");
    assert_eq!(level, "problem", "{text}");
    let found = findings.iter().find(|one| one["check"] == "fast_path_rights").unwrap();
    assert!(
        found["fix"].as_str().unwrap().contains("cap_bpf,cap_perfmon,cap_net_admin"),
        "{found}"
    );
    let words = ["afpacket: ", "not xdp: ", "it needs CAP_BPF and CAP_PERFMON and CAP_NET_ADMIN"];
    assert_finding(&findings, "backend", "note", &words);
}

#[test]
fn the_way_of_capture_follows_from_what_the_interface_is() {
    let Some(world) = World::new("ways", &[]) else { return };
    let backend = |level: &str, words: &[&str]| {
        assert_finding(&checked(&world.check()), "backend", level, words);
    };
    backend("ok", &["xdp: packets are counted in the driver and end there"]);
    world.sensor("ip addr add 10.99.0.9/24 dev eth1");
    backend("ok", &["tc: packets are counted in the kernel, both directions"]);
}

#[test]
fn frames_that_a_running_sensor_ends_are_no_silent_mirror() {
    let Some(world) = World::new("taken", &[(1, Mirror::Both)]) else { return };
    let _running = world.running();
    let findings = checked(&world.check_while_talking(&[]));
    assert_finding(&findings, "mirror", "note", &["XDP program (id ", "running Egret"]);
    assert_finding(&findings, "backend", "ok", &["an Egret runs here"]);
}

#[test]
fn people_get_lines_and_a_sum() {
    let Some(world) = World::new("people", &[]) else { return };
    let ran = world.run(&Command::new("env"), &["--seconds", "0"]);
    assert!(ran.stdout.contains("ok       eth1: up"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\x1b'));
    let sum = ran.stdout.lines().last().unwrap();
    assert!(sum.ends_with(" ok") && sum.contains(" problem"), "{sum}");
}
