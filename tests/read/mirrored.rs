//! Mirrored traffic that goes elsewhere, in the summary.

use egret_tests::egret::json_lines;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, end, path};
use egret_tests::wire::tunnel::{self as wrap, Above};
use egret_tests::wire::{Capture, Frame, Payload, Resolution, Segment, flag};
use serde_json::{Value, json};

use super::{directory, egret};

/// A conversation, each frame of which is copied to somebody a millisecond later, or only that.
fn capture(is_bare: bool, wrapped: fn(&[u8]) -> Above) -> Vec<u8> {
    let way = path(end("10.20.0.11", 50_000), end("203.0.113.5", 443));
    let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
    let mut frame = Frame::new(1);
    for number in 0..200 {
        let segment = Segment { flags: flag::ACK, sequence: number, acknowledgment: 1 };
        let bytes = frame.tcp(&way, segment, Payload::whole(&[7; 100])).bytes();
        let time = START + u64::from(number) * SECOND / 10;
        if is_bare {
            capture.record(time, bytes, bytes.len() as u32).unwrap();
        }
        let outer = wrap::outer(false, &wrapped(bytes));
        capture.record(time + SECOND / 1000, &outer, outer.len() as u32).unwrap();
    }
    capture.finish().unwrap()
}

fn mirrored(capture: &[u8]) -> Value {
    let directory = directory("a.pcap", capture);
    let said = egret().within(&directory).read("a.pcap").args("--json").run().done();
    let summary = json_lines(&said.stdout).pop().unwrap();
    summary["mirrored"].clone()
}

/// Fails when wrapped packets, or copies among them, are not told of.
#[test]
fn the_summary_names_who_mirrors_to_whom() {
    let [source, destination] = wrap::ENDS[0];
    for (is_bare, copies) in [(true, 200), (false, 0)] {
        let bytes = 200 * (14 + 20 + 8 + 8 + 14 + 20 + 20 + 100);
        let expected = json!([{
            "kind": "vxlan", "id": wrap::NETWORK, "src_ip": source, "dest_ip": destination,
            "dest_port": 4789, "packets": 200, "bytes": bytes, "copies": copies,
        }]);
        assert_eq!(mirrored(&capture(is_bare, wrap::vxlan)), expected);
    }
}

/// Fails when a copy hides behind a port of its own, or a tunnel there is taken for one.
#[test]
fn a_copy_on_a_port_of_its_own_is_told_of_and_a_tunnel_is_not() {
    let odd: fn(&[u8]) -> Above = |frame| wrap::udp(40_000, &[8, 0, 0, 0, 0, 0, 9, 0], frame);
    assert_eq!(mirrored(&capture(false, odd)), json!([]));
    let pairs = mirrored(&capture(true, odd));
    assert_eq!((&pairs[0]["kind"], &pairs[0]["dest_port"]), (&Value::Null, &json!(40_000)));
    assert_eq!(pairs[0]["packets"], 200);
}
