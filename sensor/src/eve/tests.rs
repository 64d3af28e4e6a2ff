//! Lines as readers of Suricata expect them.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::alert::{Alert, sample};
use crate::decode::Refusal;
use crate::decode::Vlans;
use crate::event::{
    Account, AccountReason, App, Body, Endpoint, Event, FlowState, TlsSession, Traffic, Tunnel,
    TunnelKind, Volume,
};

mod dns;
mod hostile;
mod reports;
mod sessions;

fn endpoint(address: &str, port: u16) -> Endpoint {
    Endpoint { address: address.parse().unwrap(), port, mac: None }
}

fn event(protocol: u8, client: Endpoint, server: Endpoint, body: Body) -> Event {
    let opened = Timestamp::from_parts(1_795_183_390, 900_000_000);
    let mut vlans = Vlans::new();
    vlans.push(7).unwrap();
    let (interface, tunnel) = (None, None);
    let flow = Flow { id: 42, slot: 0, client, server, protocol, vlans, interface, tunnel, opened };
    Event { time: Timestamp::from_parts(1_795_183_391, 123_456_000), flow, body }
}

fn tcp(body: Body) -> Event {
    event(6, endpoint("10.0.0.1", 40000), endpoint("198.51.100.7", 443), body)
}

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    Writer::default().event(event, &mut out);
    String::from_utf8(out).unwrap()
}

fn account() -> Account {
    Account {
        to_server: Traffic { packets: 3, bytes: 300 },
        to_client: Traffic { packets: 2, bytes: 200 },
        last: Timestamp::from_parts(1_795_183_391, 123_456_000),
        state: FlowState::Closed,
        reason: AccountReason::Timeout,
        tcp_flags: Some([0x1b, 0x1a]),
        app: Some(App::Tls),
        one_in: None,
    }
}

#[test]
fn an_interface_stands_where_suricata_has_it_when_there_is_one() {
    let names = ["eth1".to_owned(), "eth2".to_owned()];
    let mut event = tcp(Body::Account(account()));
    for (interface, seen) in [
        (Some(1), r#""flow_id":42,"in_iface":"eth2","event_type":"flow","#),
        (Some(2), r#""flow_id":42,"event_type":"flow","#),
        (None, r#""flow_id":42,"event_type":"flow","#),
    ] {
        event.flow.interface = interface;
        let mut out = Vec::new();
        Writer::new(names.to_vec()).event(&event, &mut out);
        assert!(String::from_utf8(out).unwrap().contains(seen), "{interface:?}");
    }
}

#[test]
fn a_flow_reads_like_suricata_s() {
    assert_eq!(
        line(&tcp(Body::Account(account()))),
        concat!(
            r#"{"timestamp":"2026-11-20T14:03:11.123456+0000","flow_id":42,"event_type":"flow","#,
            r#""vlan":[7],"src_ip":"10.0.0.1","src_port":40000,"dest_ip":"198.51.100.7","#,
            r#""dest_port":443,"proto":"TCP","ip_v":4,"app_proto":"tls","community_id":"1:tbgZIqNzSQ4I7euusMwE5+NAxYI=","#,
            r#""flow":{"pkts_toserver":3,"pkts_toclient":2,"bytes_toserver":300,"#,
            r#""bytes_toclient":200,"start":"2026-11-20T14:03:10.900000+0000","#,
            r#""end":"2026-11-20T14:03:11.123456+0000","age":1,"state":"closed","#,
            r#""reason":"timeout","alerted":false},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","#,
            r#""tcp_flags_tc":"1a","syn":true,"fin":true,"psh":true,"ack":true}}"#,
            "\n"
        )
    );
}

#[test]
fn what_has_no_name_in_eve_has_no_line() {
    let still = Traffic::default();
    let volume = Volume {
        since: Timestamp::ZERO,
        to_server: still,
        to_client: still,
        tcp_flags: None,
        one_in: None,
    };
    assert_eq!(line(&tcp(Body::Opened)), "");
    assert_eq!(line(&tcp(Body::Volume(volume))), "");
}

#[test]
fn protocols_without_ports_have_none() {
    let body = || Body::Account(Account { tcp_flags: None, ..account() });
    let icmp = line(&event(58, endpoint("fe80::1", 128), endpoint("fe80::2", 0), body()));
    let icmp: Value = serde_json::from_str(&icmp).unwrap();
    assert_eq!(icmp["proto"], "IPv6-ICMP");
    assert_eq!((&icmp["icmp_type"], &icmp["icmp_code"]), (&128.into(), &0.into()));
    assert!(icmp.get("response_icmp_type").is_none(), "nobody answered");
    let answered = Account { state: FlowState::Established, tcp_flags: None, ..account() };
    let answered = Body::Account(answered);
    let icmp = line(&event(58, endpoint("fe80::1", 128), endpoint("fe80::2", 0), answered));
    let icmp: Value = serde_json::from_str(&icmp).unwrap();
    assert_eq!(icmp["response_icmp_type"], 129);
    assert_eq!((&icmp["response_icmp_code"], &icmp["ip_v"]), (&0.into(), &6.into()));
    let other = line(&event(144, endpoint("10.0.0.1", 0), endpoint("10.0.0.2", 0), body()));
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_eq!(other["proto"], "144", "the first that has no name");
    let other = line(&event(9, endpoint("10.0.0.1", 0), endpoint("10.0.0.2", 0), body()));
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_eq!(other["proto"], "IGP");
    for value in [icmp, other] {
        assert!(value.get("src_port").is_none() && value.get("tcp").is_none(), "{value}");
    }
}

/// Beside the inner conversation, and beside what else EVE has no name for.
#[test]
fn a_tunnel_is_egret_s() {
    let tunnel = Tunnel {
        kind: TunnelKind::Vxlan,
        id: Some(0x00ff_ffff),
        depth: 1,
        source: "172.16.0.1".parse().unwrap(),
        destination: "fd00::2".parse().unwrap(),
    };
    let in_tunnel = |tunnel, body| {
        let mut event = tcp(body);
        event.flow.tunnel = Some(Arc::new(tunnel));
        let line = line(&event);
        assert!(
            line.contains(r#""src_ip":"10.0.0.1","#),
            "the conversation is the inner one: {line}"
        );
        line.split_once(r#""egret":"#).unwrap().1.to_owned()
    };
    let vxlan = r#"{"kind":"vxlan","id":16777215,"src_ip":"172.16.0.1","dest_ip":"fd00::2"}"#;
    assert_eq!(in_tunnel(tunnel, Body::Account(account())), format!("{{\"tunnel\":{vxlan}}}}}\n"));
    let session = Body::Tls(Box::new(TlsSession { offered: 0x0303, ..TlsSession::default() }));
    let expected = format!("{{\"offered\":\"TLS 1.2\",\"tunnel\":{vxlan}}}}}\n");
    assert_eq!(in_tunnel(tunnel, session), expected);
    let names = ["vxlan", "vxlan-gpe", "geneve", "gre", "nvgre", "erspan", "ipip", "gtp-u"];
    for (kind, name) in TunnelKind::ALL.into_iter().zip(names) {
        let said = in_tunnel(Tunnel { kind, id: None, ..tunnel }, Body::Account(account()));
        assert!(said.starts_with(&format!(r#"{{"tunnel":{{"kind":"{name}","src_ip""#)), "{said}");
    }
    let said = in_tunnel(Tunnel { depth: 2, ..tunnel }, Body::Account(account()));
    assert!(said.contains(r#""id":16777215,"depth":2,"src_ip""#), "{said}");
}

/// A reader of rules' alerts finds what it looks for; the flow says from then on that it was alerted.
#[test]
fn an_alert_reads_like_that_of_a_rule() {
    let conversation = tcp(Body::Account(account()));
    let alert = Alert { flow: Some(Box::new(conversation.flow.clone())), ..sample::egress() };
    let (mut writer, mut out) = (Writer::default(), Vec::new());
    writer.alert(&alert, &mut out);
    let line = String::from_utf8(out).unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    assert!(line.contains(concat!(
        r#""event_type":"alert","vlan":[7],"src_ip":"10.0.0.1","src_port":40000,"#,
        r#""dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","ip_v":4,"app_proto":"tls","#
    )));
    assert!(line.contains(concat!(
        r#""alert":{"action":"allowed","gid":1,"signature_id":1001416,"rev":1,"#,
        r#""signature":"Unexpected TLS egress from an ESXi host","category":"Exfiltration","#,
        r#""severity":1,"metadata":{"mitre_tactic_id":["TA0010"],"#,
        r#""mitre_technique_id":["T1048.002"],"signature_severity":["Major"]}}"#
    )));
    assert_eq!(value["egret"]["alert"], serde_json::to_value(&alert).unwrap());

    let mut alerted = |event: &Event| {
        let mut out = Vec::new();
        writer.event(event, &mut out);
        let value: Value = serde_json::from_slice(&out).unwrap();
        value["flow"]["alerted"].as_bool().unwrap()
    };
    let living = Account { reason: AccountReason::Active, ..account() };
    assert!(alerted(&tcp(Body::Account(living))));
    assert!(alerted(&conversation));
    assert!(!alerted(&conversation), "once it has ended nothing is remembered of it");
}

#[test]
fn an_alert_about_no_conversation_has_a_line_without_one() {
    let mut out = Vec::new();
    let alert = sample::guest_operations();
    Writer::default().alert(&alert, &mut out);
    let line: Value = serde_json::from_slice(&out).unwrap();
    let fields: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["alert", "egret", "event_type", "timestamp"]);
    assert_eq!(line["alert"]["signature_id"], 1_000_646);
    assert_eq!(line["egret"]["alert"], serde_json::to_value(&alert).unwrap());
}

#[test]
fn broken_frames_are_one_line_a_reason() {
    let refused = [(Refusal::Ipv4Length, 7), (Refusal::NotIp, 9), (Refusal::UdpLength, 0)];
    let mut out = Vec::new();
    write_anomalies(Timestamp::ZERO, refused, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"timestamp":"1970-01-01T00:00:00.000000+0000","event_type":"anomaly","#,
            r#""anomaly":{"type":"decode","event":"decoder.ipv4.iplen_smaller_than_hlen"},"#,
            r#""egret":{"layer":"ipv4","reason":"bad_length","count":7}}"#,
            "\n"
        )
    );
    let mut out = Vec::new();
    write_anomalies(Timestamp::ZERO, Refusal::ALL.map(|refusal| (refusal, 1)), &mut out);
    let lines = out.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, Refusal::ALL.iter().filter(|refusal| refusal.is_malformed()).count());
}

#[test]
fn stats_say_what_was_refused() {
    let decoder = Decoder { pkts: 10, bytes: 1000, invalid: 3 };
    let stats = Stats { decoder, ..Stats::default() };
    let refused = Refused::from([
        ("ipv4", [("checksum", 1), ("length", 1)].into()),
        ("ethernet", [("length", 1)].into()),
    ]);
    let mut out = Vec::new();
    write_stats(Timestamp::ZERO, &stats, &refused, &[], &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"timestamp":"1970-01-01T00:00:00.000000+0000","event_type":"stats","#,
            r#""stats":{"decoder":{"pkts":10,"bytes":1000,"invalid":3}},"#,
            r#""egret":{"refused":{"ethernet":{"length":1},"ipv4":{"checksum":1,"length":1}}}}"#,
            "\n"
        )
    );
}
