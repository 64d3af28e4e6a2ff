//! Mirrors that leak: what an audit log tells and what the wire shows are one alert.

use std::fs;
use std::io::Write;

use egret_tests::audit::{Call, Caller, Session, Trail};
use egret_tests::egret::{Egret, json_lines};
use egret_tests::scenario::{MINUTE, SECOND};
use egret_tests::traffic::{START, end, path};
use egret_tests::wire::tunnel::{between, vxlan_of};
use egret_tests::wire::{Capture, Frame, Payload, Resolution, Segment, flag};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use super::schema::assert_alert;
use super::{agreed, egret, pieces, without_wall_time};

const CONFIG: &str = r#"
[sensor]
name = "dc1-rack7"

[[asset]]
name = "web-01"
address = ["10.50.1.10"]

[detect.mirror_policy]
destinations = ["tmt-0a50c", "10.30.0.9"]
principals = ["arn:aws:iam::111122223333:role/netops"]
"#;

/// Packets come so long after the change, for a minute.
const AFTER: u64 = 20 * SECOND;

/// A session to somebody's own target, whose records come this late, among those of whoever may; as a file
/// of CloudTrail.
fn trail(late: u64) -> Vec<u8> {
    let netops = Caller { account: "111122223333", role: "netops", from: "10.10.9.30" };
    let stranger = Caller { role: "developer", from: "198.18.7.7", ..netops };
    let mut trail = Trail::default();
    let own = Session { id: "tms-0a01", source: "eni-0a02", target: "tmt-0a50c", network: 1001 };
    trail.call(START - 60 * SECOND, 0, &netops, Call::Create(own));
    let made = Session { id: "tms-0bad", source: "eni-0a01", target: "tmt-0bad", network: 77 };
    for (second, call) in [
        (1, Call::Interface { id: "eni-0bad", address: "198.51.100.7" }),
        (2, Call::Target { id: "tmt-0bad", interface: "eni-0bad" }),
        (3, Call::Create(made)),
    ] {
        trail.call(START + second * SECOND, late, &stranger, call);
    }
    for minute in 0..30 {
        trail.call(START + minute * MINUTE, 0, &netops, Call::Look);
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&trail.file()).unwrap();
    packed.finish().unwrap()
}

/// The machine's packets in VXLAN, twice a second, after one that is no mirror's: what is there from the
/// beginning is usual.
fn capture() -> Vec<u8> {
    let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
    let mut frame = Frame::new(1);
    let before = path(end("10.50.1.11", 45_000), end("10.50.9.9", 5432));
    let segment = Segment { flags: flag::SYN, sequence: 1, acknowledgment: 0 };
    let first = frame.tcp(&before, segment, Payload::whole(&[]));
    capture.record(START - MINUTE, first.bytes(), first.bytes().len() as u32).unwrap();
    let way = path(end("10.50.1.10", 45_000), end("10.50.9.9", 5432));
    for number in 0..120 {
        let segment = Segment { flags: flag::ACK, sequence: number * 700, acknowledgment: 1 };
        let inner = frame.tcp(&way, segment, Payload::whole(&[b'q'; 700]));
        let outer = between([10, 50, 1, 10], [198, 51, 100, 7], &vxlan_of(77, inner.bytes()));
        let time = START + 3 * SECOND + AFTER + u64::from(number) * SECOND / 2;
        capture.record(time, &outer, outer.len() as u32).unwrap();
    }
    capture.finish().unwrap()
}

fn files(late: u64) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let file = |name, content: &[u8]| fs::write(directory.path().join(name), content).unwrap();
    file("a.pcap", &capture());
    file("trail.json.gz", &trail(late));
    file("egret.toml", CONFIG.as_bytes());
    directory
}

/// A reading that has next to nothing to learn from.
fn run(directory: &TempDir) -> Egret {
    egret().within(directory).args("read --config egret.toml --learn 1s")
}

/// The last state of the only alert.
fn only(text: &str) -> Value {
    let lines = json_lines(text);
    lines.iter().for_each(assert_alert);
    let last = lines.last().cloned().unwrap();
    assert!(lines.iter().all(|line| line["id"] == last["id"]), "{text}");
    last
}

/// Fails when the halves are two alerts, one of them is missing, or what is told late is another story.
#[test]
fn a_change_and_its_packets_are_one_critical_alert_also_when_it_is_told_late() {
    let told = [0, 15 * MINUTE].map(|late| {
        let directory = files(late);
        run(&directory).args("a.pcap --audit trail.json.gz --alerts -").run().done().stdout
    });
    assert_eq!(told[0], told[1]);
    let alert = only(&told[0]);
    assert_eq!((&alert["analytic"], &alert["severity"]), (&"AN1131".into(), &"critical".into()));
    let changes = pieces(&alert, "kind", "audit_event");
    assert!(changes.iter().any(|piece| piece["call"] == "CreateTrafficMirrorSession"), "{alert}");
    assert!(changes.iter().any(|piece| piece["finding"] == "unapproved_principal"), "{alert}");
    let traffic = pieces(&alert, "kind", "mirrored_traffic");
    let [traffic] = traffic[..] else { panic!("{alert}") };
    assert_eq!((&traffic["packets"], &traffic["wire_id"]), (&120.into(), &77.into()));
    assert_eq!(alert["destination"]["address"], "198.51.100.7");
}

/// Fails when one half alone is nothing, or as bad as both.
#[test]
fn a_change_alone_is_medium_and_packets_alone_are_high() {
    let directory = files(0);
    for (of, severity) in [("--audit trail.json.gz", "medium"), ("a.pcap", "high")] {
        let alert = only(&run(&directory).args(of).args("--alerts -").run().done().stdout);
        assert_eq!(alert["severity"], severity, "{alert}");
    }
}

/// Fails when what people or programs read changes unnoticed. Where it should:
/// `EGRET_BLESS=1 cargo test --test alerts`, and read the difference.
#[test]
fn what_is_printed_is_what_was_agreed() {
    let directory = files(0);
    let read = || run(&directory).args("a.pcap --audit trail.json.gz");
    agreed("golden/mirrors.txt", &without_wall_time(&read().run().done()));
    agreed("golden/mirrors.alerts.jsonl", &read().args("--alerts -").run().done().stdout);
}
