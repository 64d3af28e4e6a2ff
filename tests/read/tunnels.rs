//! What comes wrapped says the same as what comes bare, and which tunnel it came through.

use std::fs;

use egret_tests::egret::json_lines;
use serde_json::{Value, json};

use super::captures::office;
use super::{directory, egret};

/// Fails when a tunnel is not gone through: then sessions, lookups and volumes are the outer packets'.
/// Fails, too, when it gets into flow ids, bytes, MAC addresses or alerts, or is not told.
#[test]
fn a_capture_in_a_tunnel_is_the_capture() {
    let bare = results(&office());
    assert!(bare.len() > 100);
    let vxlan = |length: u16| {
        let [l0, l1] = (16 + length).to_be_bytes();
        vec![0xc0, 0, 0x12, 0xb5, l0, l1, 0, 0, 8, 0, 0, 0, 0, 0x13, 0x88, 0]
    };
    let erspan = |_| vec![0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 0x64, 0, 0, 0, 0];
    let cases: [(_, _, _, Header); 2] = [("vxlan", 5000, 17, vxlan), ("erspan", 100, 47, erspan)];
    for (kind, id, protocol, header) in cases {
        let wrapped = results(&wrapped(&office(), protocol, header));
        assert_eq!(wrapped.len(), bare.len());
        for (wrapped, bare) in wrapped.iter().zip(&bare) {
            let mut expected = bare.clone();
            match bare["event_type"].as_str() {
                // What the frames were, and not what is in them.
                Some("stats") => {
                    expected["stats"] = wrapped["stats"].clone();
                    expected["egret"]["mirror"][0]["tunnel"] =
                        json!({"kind": kind, "id": id, "src_ip": "172.16.0.1"});
                }
                Some(_) => {
                    expected["egret"]["tunnel"] = json!({
                        "kind": kind, "id": id, "src_ip": "172.16.0.1", "dest_ip": "172.16.0.2",
                    });
                }
                // Alerts.
                None => {}
            }
            assert_eq!(*wrapped, expected, "{kind}");
        }
        assert!(wrapped.iter().any(|event| event["tls"]["sni"] == "www.example.com"));
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

/// Makes a tunnel's header in front of a frame of this length.
type Header = fn(u16) -> Vec<u8>;

/// The same capture with each of its frames, of which some were cut, in an IP packet behind the
/// header of a tunnel.
fn wrapped(capture: &[u8], protocol: u8, header: Header) -> Vec<u8> {
    let (file, mut rest) = capture.split_at(24);
    let mut out = file.to_vec();
    while let Some((record, after)) = rest.split_first_chunk::<16>() {
        let [.., c0, c1, c2, c3, w0, w1, w2, w3] = *record;
        let captured = u32::from_le_bytes([c0, c1, c2, c3]);
        let wire_len = u32::from_le_bytes([w0, w1, w2, w3]);
        let (frame, after) = after.split_at(captured as usize);
        rest = after;
        let outer = outer(protocol, &header(wire_len as u16), wire_len as u16);
        out.extend_from_slice(&record[..8]);
        for length in [captured, wire_len] {
            out.extend_from_slice(&(outer.len() as u32 + length).to_le_bytes());
        }
        out.extend_from_slice(&outer);
        out.extend_from_slice(frame);
    }
    out
}

/// What is between the ends of the tunnel in front of a frame of this length.
fn outer(protocol: u8, header: &[u8], length: u16) -> Vec<u8> {
    let [l0, l1] = (20 + header.len() as u16 + length).to_be_bytes();
    let link = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    let ip = [0x45, 0, l0, l1, 0, 0, 0x40, 0, 64, protocol, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2];
    [&link[..], &ip, header].concat()
}
