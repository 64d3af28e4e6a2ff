//! Log files beside captures: one timeline, and files that are not what they should be.

use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::traffic::{Traffic, end, path};

use super::captures::datagrams;
use super::{directory, egret};

/// A minute, in nanoseconds.
const MINUTE: u64 = 60_000_000_000;
/// 2026-11-20T14:00:00Z
const HOUR: u64 = 1_795_183_200_000_000_000;

/// An operation on a machine of this name, so many minutes after 14:00, as a host's own file has it.
fn operation(minute: u64, vm: &str) -> String {
    format!(
        "2026-11-20T14:{minute:02}:00.000Z In(166) Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event {minute} : Guest operation Start Program performed on Virtual machine {vm}.\n"
    )
}

/// Fails when a log and a capture are not read in the order of time, or two readings differ.
#[test]
fn a_capture_and_its_logs_are_one_story() {
    let mut traffic = Traffic::default();
    for minute in [10, 20] {
        let question = path(end("10.20.0.11", 5000), end("10.0.0.53", 53));
        let name = format!("minute-{minute}.example");
        traffic.lookup(HOUR + minute * MINUTE, &question, &name, &["192.0.2.1".parse().unwrap()]);
    }
    let directory = directory("a.pcap", traffic.pcap());
    let log = [operation(5, "a"), operation(25, "c"), operation(15, "b")].concat();
    fs::write(directory.path().join("hostd.log"), log).unwrap();
    let read = || {
        let run = egret().within(&directory).read("a.pcap").args("--syslog hostd.log");
        let _ = run.args("--events eve.json").run().done();
        fs::read_to_string(directory.path().join("eve.json")).unwrap()
    };
    let events = read();
    let order: Vec<_> = json_lines(&events)
        .iter()
        .filter(|line| {
            line["event_type"] == "guest_operation"
                || (line["event_type"] == "dns" && line["dns"]["type"] == "response")
        })
        .map(|line| line["timestamp"].as_str().unwrap()[14..16].to_owned())
        .collect();
    assert_eq!(order, ["05", "10", "15", "20", "25"]);
    assert_eq!(events, read());
}

/// Fails when logs cannot be read without a capture, or the summary does not count them.
#[test]
fn logs_alone_are_enough() {
    let log = [&operation(5, "a"), "no message\n", "2026-11-20T14:06:00Z sshd[1]: x\n"].concat();
    let directory = directory("hostd.log", log);
    let ran = egret().within(&directory).args("read --syslog hostd.log").run().done();
    assert_eq!(ran.summary("logs"), ["3 messages, 1 understood, 1 unreadable"]);
    let json =
        egret().within(&directory).args("read --syslog hostd.log --json").run().done().json();
    assert_eq!(json.last().unwrap()["log_messages"], 3);
}

/// Fails when a log that cannot be read is passed over, or what holds results is overwritten first.
#[test]
fn what_cannot_be_read_is_said() {
    let directory = directory("a.pcap", datagrams(3));
    fs::write(directory.path().join("eve.json"), "kept").unwrap();
    for (arguments, code, word) in [
        ("a.pcap --syslog none.log --events eve.json", 1, "none.log"),
        ("a.pcap --syslog - --events eve.json", 2, "from files only"),
        ("a.pcap --syslog eve.json --events eve.json", 2, "would be overwritten"),
        ("", 2, "<FILE>"),
    ] {
        let ran = egret().within(&directory).arg("read").args(arguments).run();
        assert!(ran.code == code && ran.stderr.contains(word), "{arguments}: {ran:?}");
        assert_eq!(fs::read_to_string(directory.path().join("eve.json")).unwrap(), "kept");
    }
}
