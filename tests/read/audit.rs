//! Audit records in files: alone, beside captures, and what cannot be read of them.

use std::fs;
use std::io::Write;

use egret_tests::audit::{Call, Caller, Session, Trail};
use egret_tests::egret::json_lines;
use egret_tests::traffic::{Traffic, end, path};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::captures::datagrams;
use super::{directory, egret};

/// 2026-11-20T14:00:00Z, and a minute, in nanoseconds.
const HOUR: u64 = 1_795_183_200_000_000_000;
const MINUTE: u64 = 60_000_000_000;

/// A mirror that was removed so many minutes after 14:00, as CloudTrail has it.
fn removed(minute: u64) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventTime":"2026-11-20T14:{minute:02}:00Z","eventID":"{minute}","eventSource":"ec2.amazonaws.com","eventName":"DeleteTrafficMirrorSession","requestParameters":{{"DeleteTrafficMirrorSessionRequest":{{"TrafficMirrorSessionId":"tms-{minute}"}}}}}}"#
    )
}

/// Fails when records and a capture are not read in the order of time, or one that comes twice is told twice.
#[test]
fn a_capture_and_audit_records_are_one_story() {
    let mut traffic = Traffic::default();
    for minute in [10, 20] {
        let question = path(end("10.20.0.11", 5000), end("10.0.0.53", 53));
        traffic.lookup(
            HOUR + minute * MINUTE,
            &question,
            "a.example",
            &["192.0.2.1".parse().unwrap()],
        );
    }
    let directory = directory("a.pcap", traffic.pcap());
    let first = format!("{{\"Records\":[{},{}]}}", removed(25), removed(15));
    fs::write(directory.path().join("a.json"), first).unwrap();
    fs::write(directory.path().join("b.json"), [removed(15), removed(5)].join("\n")).unwrap();
    let run = egret().within(&directory).read("a.pcap").args("--audit a.json --audit b.json");
    let ran = run.args("--events eve.json").run().done();
    assert_eq!(ran.summary("audit"), ["4 records, 3 understood, 1 repeated"]);
    let events = fs::read_to_string(directory.path().join("eve.json")).unwrap();
    let order: Vec<_> = json_lines(&events)
        .iter()
        .filter(|line| line["event_type"] == "audit" || line["dns"]["type"] == "response")
        .map(|line| line["timestamp"].as_str().unwrap()[14..16].to_owned())
        .collect();
    assert_eq!(order, ["05", "10", "15", "20", "25"]);
}

/// Fails when audit records cannot be read without a capture, or the summary does not count them.
#[test]
fn records_alone_are_enough() {
    let records = "{\"owner\":1,\"Records\":[{\"eventName\":\"a\"},{\"eventName\":\"b\"},{\"a\":1,\"a\":2}]}\nnoise\n";
    let directory = directory("trail.json", records);
    let ran = egret().within(&directory).args("read --audit trail.json").run().done();
    assert_eq!(ran.summary("audit"), ["4 records, 0 understood, 1 malformed, 1 duplicate key"]);
    let json =
        egret().within(&directory).args("read --audit trail.json --json").run().done().json();
    let summary = json.last().unwrap();
    assert_eq!(summary["audit_records"], 4);
    assert_eq!(summary["audit_records_refused"]["duplicate_key"], 1);
}

/// Fails when a file that cannot be read is passed over, or what holds results is overwritten first.
#[test]
fn what_cannot_be_read_is_said() {
    let directory = directory("a.pcap", datagrams(3));
    fs::write(directory.path().join("eve.json"), "kept").unwrap();
    for (arguments, code, word) in [
        ("a.pcap --audit none.json --events eve.json", 1, "none.json"),
        ("a.pcap --audit - --events eve.json", 2, "from files only"),
        ("a.pcap --audit eve.json --events eve.json", 2, "would be overwritten"),
    ] {
        let ran = egret().within(&directory).arg("read").args(arguments).run();
        assert!(ran.code == code && ran.stderr.contains(word), "{arguments}: {ran:?}");
        assert_eq!(fs::read_to_string(directory.path().join("eve.json")).unwrap(), "kept");
    }
}

/// Fails when packed files of CloudTrail or events of vCenter are not understood, or not as what they are.
#[test]
fn a_packed_trail_and_events_of_vcenter_are_told_as_audit_events() {
    let netops = Caller { account: "111122223333", role: "netops", from: "AWS Internal" };
    let session = Session { id: "tms-1", source: "eni-1", target: "tmt-1", network: 77 };
    let mut trail = Trail::default();
    trail.call(HOUR, 15 * MINUTE, &netops, Call::Create(session));
    trail.call(HOUR + MINUTE, 0, &netops, Call::Look);
    trail.refused(HOUR + 2 * MINUTE, &netops, Call::Delete(session));
    trail.call(HOUR + 3 * MINUTE, 0, &netops, Call::Interface { id: "eni-2", address: "10.0.0.7" });
    trail.erspan(HOUR + 4 * MINUTE, "CORP\\j.doe", 99, "198.51.100.7");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&trail.file()).unwrap();
    let directory = directory("trail.json.gz", packed.finish().unwrap());
    fs::write(directory.path().join("vcenter.json"), trail.lines()).unwrap();
    let run = egret().within(&directory).args("read --audit trail.json.gz --audit vcenter.json");
    let ran = run.args("--events eve.json").run().done();
    assert_eq!(ran.summary("audit"), ["5 records, 4 understood"]);
    let events = fs::read_to_string(directory.path().join("eve.json")).unwrap();
    let told: Vec<String> = json_lines(&events)
        .iter()
        .filter(|line| line["event_type"] == "audit")
        .map(|line| {
            let audit = &line["egret"]["audit"];
            ["source", "action", "refused", "console", "wire_id", "addresses"]
                .map(|key| audit[key].to_string())
                .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""cloudtrail" "mirror_create" false true 77 null"#,
            r#""cloudtrail" "mirror_delete" true true null null"#,
            r#""cloudtrail" "address" null null null ["10.0.0.7"]"#,
            r#""vcenter" "mirror_create" false null 99 ["198.51.100.7"]"#,
        ]
    );
}
