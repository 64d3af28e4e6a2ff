//! Nothing is lost and nothing is counted twice: packets, bytes, sessions, answers.

use std::collections::BTreeMap;

use egret_tests::scenario::{DAY, SECOND};
use egret_tests::traffic::{START, Traffic, end, path};
use egret_tests::wire::{Capture, Resolution};
use serde_json::{Value, json};

use super::captures::{RESOLVER, datagram, question};
use super::{directory, egret};

/// The events of a capture.
pub(crate) fn events(capture: &[u8]) -> Vec<Value> {
    let directory = directory("a.pcap", capture);
    egret().within(&directory).read("a.pcap").args("--events -").run().done().json()
}

/// Those of one type.
pub(crate) fn of_type(mut events: Vec<Value>, event_type: &str) -> Vec<Value> {
    events.retain(|event| event["event_type"] == event_type);
    events
}

/// What the `flow` events say of `field`, added up.
fn sum<'a>(flows: impl IntoIterator<Item = &'a Value>, field: &str) -> u64 {
    flows.into_iter().map(|event| event["flow"][field].as_u64().unwrap()).sum()
}

/// A whole datagram, changed at one place and then cut.
fn broken(at: usize, bytes: &[u8], length: usize) -> Vec<u8> {
    let mut frame = datagram().bytes().to_vec();
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame.truncate(length);
    frame
}

/// Fails when a broken frame is lost from the count, counted twice or taken for a packet.
#[test]
fn every_packet_is_decoded_or_refused() {
    const IPV4: usize = 14;
    const UDP: usize = IPV4 + 20;
    let good = datagram().bytes().to_vec();
    let frames = [
        good.clone(),
        broken(0, &[], 10),                         // in the Ethernet header
        broken(12, &[0x08, 0x06], 60),              // ARP
        broken(IPV4, &[0x95], 60),                  // IP version 9
        broken(0, &[], IPV4 + 12),                  // in the IPv4 header
        broken(IPV4, &[0x43], 60),                  // an IPv4 header of 12 bytes
        broken(12, &[0x86, 0xdd, 0x60], IPV4 + 30), // in the IPv6 header
        broken(0, &[], UDP + 2),                    // in the ports
        broken(UDP + 4, &[0, 3], 60),               // a UDP length of 3
        broken(IPV4 + 9, &[6], UDP + 3),            // in the ports
        good.clone(),
        broken(0, &[], UDP + 6), // cut by the snap length: whole enough
    ];
    let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
    for (second, frame) in frames.iter().enumerate() {
        capture.record(START + second as u64 * SECOND, frame, 60).unwrap();
    }
    let events = events(&capture.finish().unwrap());

    let stats = events.last().unwrap();
    let refused: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_value(stats["egret"]["refused"].clone()).unwrap();
    assert_eq!(
        json!(refused),
        json!({
            "link": { "truncated": 1, "not_ip": 1 },
            "ip": { "unknown_version": 1 },
            "ipv4": { "truncated": 1, "bad_length": 1 },
            "ipv6": { "truncated": 1 },
            "udp": { "truncated": 1, "bad_length": 1 },
            "tcp": { "truncated": 1 },
        })
    );
    let anomalies = of_type(events.clone(), "anomaly");
    let names: Vec<&str> =
        anomalies.iter().map(|event| event["anomaly"]["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "decoder.ethernet.pkt_too_small",
            "decoder.ipraw.invalid_ip_version",
            "decoder.ipv4.pkt_too_small",
            "decoder.ipv4.iplen_smaller_than_hlen",
            "decoder.ipv6.pkt_too_small",
            "decoder.tcp.pkt_too_small",
            "decoder.udp.pkt_too_small",
            "decoder.udp.len_invalid",
        ],
        "each reason once, however many frames"
    );
    assert!(anomalies.iter().all(|event| event["egret"]["count"] == 1));
    let flows = of_type(events.clone(), "flow");
    let decoded = sum(&flows, "pkts_toserver") + sum(&flows, "pkts_toclient");
    let all_refused: u64 = refused.values().flat_map(BTreeMap::values).sum();
    assert_eq!((decoded, all_refused), (3, 9));
    let decoder = &stats["stats"]["decoder"];
    // ARP is refused and yet nothing is wrong with it.
    assert_eq!(decoder, &json!({ "pkts": 12, "bytes": 12 * 60, "invalid": 8 }));
}

/// Fails when a report on a living flow is repeated at its end, or starts another flow.
#[test]
fn a_day_long_conversation_adds_up() {
    let mut traffic = Traffic::default();
    let up = path(end("10.20.0.11", 40_000), end("203.0.113.5", 443));
    let mut tcp = traffic.tcp(START, up);
    let steps = DAY / (20 * SECOND);
    for step in 0..steps {
        tcp.bulk(step % 2 == 0, 1000 + step, 0);
        tcp.pause(20 * SECOND);
    }
    let age = (tcp.close() - START) / SECOND;
    let [up, down] = tcp.wire;
    let flows = of_type(events(&traffic.pcap()), "flow");

    assert_eq!((sum(&flows, "bytes_toserver"), sum(&flows, "bytes_toclient")), (up, down));
    let packets = sum(&flows, "pkts_toserver") + sum(&flows, "pkts_toclient");
    assert_eq!(packets, 3 + steps + 3);
    assert!(flows.len() > 200, "it was reported while it lived: {} times", flows.len());
    assert!(flows.iter().all(|flow| flow["flow_id"] == flows[0]["flow_id"]));
    let (last, before) = flows.split_last().unwrap();
    assert!(before.iter().all(|flow| flow["flow"]["reason"] == "active"));
    assert_eq!((&last["flow"]["state"], &last["flow"]["age"]), (&"closed".into(), &age.into()));
}

/// Fails when half a handshake is waited for in vain, or made up.
#[test]
fn a_session_without_an_answer_is_still_an_event() {
    let mut traffic = Traffic::default();
    let to = path(end("10.20.0.11", 40_000), end("203.0.113.5", 8443));
    let hello = traffic.client_hello(b"silent.example");
    traffic.tcp(START, to).send(true, &hello);
    let capture = traffic.pcap();
    let [only_client, _] = egret_tests::wire::split(&capture, |_, frame| frame[26] == 10);
    for capture in [&capture, &only_client] {
        let sessions = of_type(events(capture), "tls");
        assert_eq!(sessions.len(), 1);
        let session = &sessions[0];
        assert_eq!(session["tls"]["sni"], "silent.example");
        assert_eq!(session["tls"]["version"], "UNDETERMINED");
        assert_eq!(
            (&session["src_ip"], &session["dest_port"]),
            (&"10.20.0.11".into(), &8443.into())
        );
    }
}

/// Fails when hello and answer become two events, or the answer is lost.
#[test]
fn a_session_is_one_event_with_both_halves() {
    let mut traffic = Traffic::default();
    let to = path(end("10.20.0.11", 40_000), end("203.0.113.5", 443));
    traffic.tls(START, to, "www.example.com", [100, 100], SECOND);
    let events = events(&traffic.pcap());
    let sessions = of_type(events.clone(), "tls");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["tls"]["sni"], "www.example.com");
    assert_eq!(sessions[0]["tls"]["version"], "TLS 1.3");
    let flows = of_type(events, "flow");
    assert_eq!((flows.len(), &flows[0]["app_proto"]), (1, &"tls".into()));
}

/// Fails when a DNS response is given the resolver as its source, also where only it was seen.
#[test]
fn a_dns_response_has_the_client_as_its_source() {
    let mut traffic = Traffic::default();
    let answers = ["192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap()];
    traffic.lookup(START, &question("10.20.0.11", 50_000), "www.example.com", &answers);
    let capture = traffic.pcap();
    let [only_answers, _] = egret_tests::wire::split(&capture, |_, frame| frame[34..36] == [0, 53]);
    for (capture, messages) in [(&capture, 2), (&only_answers, 1)] {
        let events = events(capture);
        assert_eq!(of_type(events.clone(), "flow")[0]["app_proto"], "dns");
        let dns = of_type(events, "dns");
        assert_eq!(dns.len(), messages);
        let response = dns.last().unwrap();
        assert_eq!(response["dns"]["type"], "response");
        assert_eq!(response["src_ip"], "10.20.0.11");
        assert_eq!(response["src_port"], 50_000);
        assert_eq!((&response["dest_ip"], &response["dest_port"]), (&RESOLVER.into(), &53.into()));
        let rdata = |at: usize| &response["dns"]["answers"][at]["rdata"];
        assert_eq!((rdata(0), rdata(1)), (&"192.0.2.7".into(), &"192.0.2.8".into()));
    }
}

/// Fails when what people read and what machines read are counted apart.
#[test]
fn the_summary_tells_what_the_events_tell() {
    let capture = super::captures::office();
    let events = events(&capture);
    let directory = directory("a.pcap", &capture);
    let read = || egret().within(&directory).read("a.pcap");
    let json = &read().arg("--json").run().done().json()[0];
    let responses = events.iter().filter(|event| event["dns"]["type"] == "response").count();
    let count = |event_type| of_type(events.clone(), event_type).len();
    assert_eq!(json["dns_responses"], responses);
    assert_eq!(json["client_hellos"], count("tls"));
    assert_eq!(json["packets"], events.last().unwrap()["stats"]["decoder"]["pkts"]);
    assert_eq!(json["bytes"], events.last().unwrap()["stats"]["decoder"]["bytes"]);

    let ran = read().run().done();
    assert_eq!(ran.summary("TLS"), ["31 ClientHellos, 31 with a server name"]);
    assert_eq!(ran.summary("DNS"), ["30 responses, 30 answers"]);
    assert_eq!(ran.summary("flows"), ["61 conversations"]);
    assert_eq!(ran.summary("refused"), ["nothing"]);
    assert_eq!(ran.summary("capture"), ["2026-11-20 14:00:00 to 2026-11-20 14:30:21 UTC, 30m 21s"]);
}
