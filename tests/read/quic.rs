//! Sessions over QUIC, as the events of a capture tell them.

use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::quic::{Initials, V1, V2, client_hello, crypto, opaque, server_hello};
use egret_tests::rng::Rng;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic, end, path};
use serde_json::{Value, json};

use super::{directory, egret};

const MILLISECOND: u64 = SECOND / 1000;

/// A post-quantum hello in two datagrams, the second one first, and the server's answer.
fn session(traffic: &mut Traffic, at: u64, version: u32, port: u16, name: &str) {
    let mut rng = Rng::new(u64::from(port));
    let hello = client_hello(&mut rng, name, true);
    let (first, second) = hello.split_at(900);
    let client = Initials::client(version, b"first id");
    let server = Initials::server(version, b"first id");
    let way = path(end("10.20.0.11", 50_000), end("203.0.113.5", port));
    let datagram =
        |number, at, part: &[u8]| client.datagram(b"first id", b"c", number, &crypto(at, part));
    traffic.datagram(at, &way, &datagram(1, 900, second));
    traffic.datagram(at + MILLISECOND, &way, &datagram(0, 0, first));
    let answer = [
        server.packet(b"c", b"server's", 0, &crypto(0, &server_hello(&mut rng))),
        opaque(version, 2, b"c", b"server's", 900),
    ];
    traffic.datagram(at + 20 * MILLISECOND, &way.back(), &answer.concat());
    let ack = client.datagram(b"server's", b"c", 2, &[2, 0, 0, 0, 0]);
    traffic.datagram(at + 21 * MILLISECOND, &way, &ack);
    traffic.datagram(at + 30 * MILLISECOND, &way, &[0x41; 900]);
}

#[test]
fn a_session_over_quic_is_one_event_with_both_halves() {
    let mut traffic = Traffic::default();
    session(&mut traffic, START, V1, 443, "www.example.com");
    session(&mut traffic, START + SECOND, V2, 8443, "two.example.com");
    let directory = directory("a.pcap", traffic.pcap());
    let run =
        egret().within(&directory).read("a.pcap").args("--events eve.json --json").run().done();
    let events = json_lines(&fs::read_to_string(directory.path().join("eve.json")).unwrap());
    let of = |kind: &str| -> Vec<&Value> {
        events.iter().filter(|event| event["event_type"] == kind).collect()
    };
    let sessions = of("quic");
    assert_eq!((sessions.len(), of("tls").len(), of("flow").len()), (2, 0, 2));
    for (event, version, port, name) in [
        (sessions[0], "1", 443, "www.example.com"),
        (sessions[1], "6b3343cf", 8443, "two.example.com"),
    ] {
        assert_eq!(
            (&event["quic"]["version"], &event["quic"]["sni"]),
            (&json!(version), &json!(name))
        );
        assert_eq!((&event["proto"], &event["dest_port"]), (&json!("UDP"), &json!(port)));
        assert_eq!(event["egret"]["cipher"], "1301");
        assert_eq!(event["egret"]["client_alpns"], json!(["h2", "http/1.1"]));
        let flow = of("flow").into_iter().find(|flow| flow["flow_id"] == event["flow_id"]).unwrap();
        assert_eq!(flow["flow"]["pkts_toserver"], 4);
    }
    let summary = run.json().pop().unwrap();
    assert_eq!((&summary["client_hellos"], &summary["snis"]), (&json!(2), &json!(2)));
}
