//! Audit records in files: alone, beside captures, and what cannot be read of them.

use std::fs;

use super::captures::datagrams;
use super::{directory, egret};

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
