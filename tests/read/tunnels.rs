//! What comes wrapped says the same as what comes bare, and which tunnel it came through.

use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::wire::{Capture, Resolution};
use serde_json::{Value, json};

use super::captures::office;
use super::{directory, egret};

/// Fails when a tunnel is not gone through: then sessions, lookups and volumes are the outer packets'.
/// Fails, too, when it gets into flow ids, bytes, MAC addresses or alerts, or is not told.
#[test]
fn a_capture_in_a_tunnel_is_the_capture() {
    let bare = results(&office());
    assert!(bare.len() > 100);
    let ends = json!({"src_ip": "172.16.0.1", "dest_ip": "172.16.0.2"});
    let vxlan = |frame: &[u8]| {
        let [l0, l1] = (8 + 8 + frame.len() as u16).to_be_bytes();
        let header = [0xc0, 0, 0x12, 0xb5, l0, l1, 0, 0, 8, 0, 0, 0, 0, 0x13, 0x88, 0];
        outer(17, &[&header, frame].concat())
    };
    let erspan = |frame: &[u8]| {
        let header = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0x64, 0, 0, 0, 0];
        outer(47, &[&header, frame].concat())
    };
    let cases: [(&str, u32, &dyn Fn(&[u8]) -> Vec<u8>); 2] =
        [("vxlan", 5000, &vxlan), ("erspan", 100, &erspan)];
    for (kind, id, wrap) in cases {
        let mut wrapped = results(&wrapped(&office(), wrap));
        for event in &mut wrapped {
            let Some(own) = event["egret"].as_object_mut() else { continue };
            let Some(tunnel) = own.remove("tunnel") else { continue };
            let expected = json!({"kind": kind, "id": id});
            assert_eq!((&tunnel["kind"], &tunnel["id"]), (&expected["kind"], &expected["id"]));
            assert!(tunnel["src_ip"] == ends["src_ip"] && tunnel["dest_ip"] == ends["dest_ip"]);
            if own.is_empty() {
                event.as_object_mut().unwrap().remove("egret");
            }
            event["told"] = true.into();
        }
        for (wrapped, bare) in wrapped.iter().zip(&bare) {
            let mut expected = bare.clone();
            match bare["event_type"].as_str() {
                // What the frames were, and not what is in them.
                Some("stats") => expected["stats"] = wrapped["stats"].clone(),
                Some(_) => expected["told"] = true.into(),
                None => {}
            }
            assert_eq!(*wrapped, expected, "{kind}");
        }
        assert_eq!(wrapped.len(), bare.len());
        let hello = wrapped.iter().find(|event| event["event_type"] == "tls").unwrap();
        assert_eq!((&hello["src_ip"], &hello["told"]), (&"10.20.0.11".into(), &true.into()));
    }
}

/// The events of a capture, then its alerts.
fn results(capture: &[u8]) -> Vec<Value> {
    let directory = directory("a.pcap", capture);
    let run = egret().within(&directory).read("a.pcap");
    let _ = run.args("--events eve.json --alerts alerts.json").run().done();
    let written =
        ["eve.json", "alerts.json"].map(|name| fs::read_to_string(directory.path().join(name)));
    written.into_iter().flat_map(|lines| json_lines(&lines.unwrap())).collect()
}

/// The same capture with each of its frames wrapped.
fn wrapped(capture: &[u8], wrap: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Capture::new(Vec::new(), Resolution::Nanos).unwrap();
    let _ = egret_tests::wire::split(capture, |time, frame| {
        let frame = wrap(frame);
        out.record(time, &frame, frame.len() as u32).unwrap();
        true
    });
    out.finish().unwrap()
}

/// A packet from one end of the tunnel to the other.
fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [l0, l1] = (20 + payload.len() as u16).to_be_bytes();
    let link = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let ip = [0x45, 0, l0, l1, 0, 0, 0x40, 0, 64, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2];
    [&link, &ip, payload].concat()
}
