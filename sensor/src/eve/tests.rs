//! Lines as readers of Suricata expect them.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::decode::Vlans;
use crate::event::{
    Account, AccountReason, DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport, Ech,
    Endpoint, FlowState, TlsSession, Traffic, Tunnel, TunnelKind, Volume,
};

fn endpoint(address: &str, port: u16) -> Endpoint {
    Endpoint { address: address.parse().unwrap(), port, mac: None }
}

fn event(protocol: u8, client: Endpoint, server: Endpoint, body: Body) -> Event {
    let opened = Timestamp::from_parts(1_795_183_390, 900_000_000);
    let mut vlans = Vlans::new();
    vlans.push(7);
    let (interface, tunnel) = (None, None);
    let flow = Flow { id: 42, slot: 0, client, server, protocol, vlans, interface, tunnel, opened };
    Event { time: Timestamp::from_parts(1_795_183_391, 123_456_000), flow, body }
}

fn tcp(body: Body) -> Event {
    event(6, endpoint("10.0.0.1", 40000), endpoint("198.51.100.7", 443), body)
}

fn line(event: &Event) -> String {
    let mut out = Vec::new();
    write_event(event, &[], &mut out);
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
        write_event(&event, &names, &mut out);
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
            r#""dest_port":443,"proto":"TCP","community_id":"1:tbgZIqNzSQ4I7euusMwE5+NAxYI=","#,
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
    let volume =
        Volume { since: Timestamp::ZERO, to_server: still, to_client: still, one_in: None };
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
    let other = line(&event(9, endpoint("10.0.0.1", 0), endpoint("10.0.0.2", 0), body()));
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_eq!(other["proto"], "009");
    for value in [icmp, other] {
        assert!(value.get("src_port").is_none() && value.get("tcp").is_none(), "{value}");
    }
}

#[test]
fn a_session_says_both_halves() {
    let session = TlsSession {
        sni: Some("cdn.example".into()),
        alpn: vec!["h2".into()],
        offered: 0x0304,
        version: Some(0x0303),
        cipher: Some(0xc02f),
        server_alpn: Some("h2".into()),
        ech: Ech::Offered,
        ..TlsSession::default()
    };
    let value: Value = serde_json::from_str(&line(&tcp(Body::Tls(Box::new(session))))).unwrap();
    let expected: Value = serde_json::from_str(
        r#"{"tls": {"sni": "cdn.example", "version": "TLS 1.2", "client_alpns": ["h2"],
            "server_alpns": ["h2"]},
            "egret": {"offered": "TLS 1.3", "cipher": "c02f", "ech": true}}"#,
    )
    .unwrap();
    assert_eq!(value["event_type"], "tls");
    assert_eq!(value["tls"], expected["tls"]);
    assert_eq!(value["egret"], expected["egret"]);

    let unanswered = Body::Tls(Box::new(TlsSession { offered: 0x0303, ..TlsSession::default() }));
    let value: Value = serde_json::from_str(&line(&tcp(unanswered))).unwrap();
    assert_eq!(value["tls"].to_string(), r#"{"version":"UNDETERMINED"}"#);
}

fn response(answers: Vec<(u16, DnsData)>) -> DnsMessage {
    let name: Arc<str> = "a.example".into();
    let answers = answers
        .into_iter()
        .map(|(rtype, data)| DnsAnswer { name: name.clone(), rtype, ttl: 60, data })
        .collect();
    DnsMessage {
        id: 4660,
        response: true,
        flags: 0x8183,
        transport: DnsTransport::Udp,
        questions: vec![DnsQuestion { name, rtype: 65280 }],
        answers,
        incomplete: false,
    }
}

fn dns(message: DnsMessage) -> Event {
    let (client, server) = (endpoint("10.0.0.1", 5353), endpoint("10.0.0.53", 53));
    event(17, client, server, Body::Dns(Box::new(message)))
}

#[test]
fn a_response_is_dns_version_3() {
    let binding = DnsData::ServiceBinding {
        priority: 1,
        target: ".".into(),
        port: Some(8443),
        hints: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
    };
    let service = DnsData::Service { priority: 1, weight: 2, port: 3, target: "s.example".into() };
    let message = response(vec![
        (1, DnsData::Address("192.0.2.7".parse().unwrap())),
        (5, DnsData::Name("b.example".into())),
        (16, DnsData::Text("v=spf1 \"-all\"".into())),
        (33, service),
        (65, binding),
        (46, DnsData::Other),
    ]);
    let line = line(&dns(message));
    let dns = line.split_once(r#""dns":"#).unwrap().1;
    assert_eq!(
        dns,
        concat!(
            r#"{"version":3,"type":"response","id":4660,"flags":"8183","qr":true,"rd":true,"#,
            r#""ra":true,"opcode":0,"rcode":"NXDOMAIN","#,
            r#""queries":[{"rrname":"a.example","rrtype":"65280"}],"answers":["#,
            r#"{"rrname":"a.example","rrtype":"A","ttl":60,"rdata":"192.0.2.7"},"#,
            r#"{"rrname":"a.example","rrtype":"CNAME","ttl":60,"rdata":"b.example"},"#,
            r#"{"rrname":"a.example","rrtype":"TXT","ttl":60,"rdata":"v=spf1 \"-all\""},"#,
            r#"{"rrname":"a.example","rrtype":"SRV","ttl":60,"#,
            r#""srv":{"priority":1,"weight":2,"port":3,"name":"s.example"}},"#,
            r#"{"rrname":"a.example","rrtype":"HTTPS","ttl":60,"#,
            r#""rdata":"1 . port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1"},"#,
            r#"{"rrname":"a.example","rrtype":"RRSIG","ttl":60}]}}"#,
            "\n"
        )
    );
}

#[test]
fn the_root_has_a_name() {
    let mut message = response(vec![(2, DnsData::Name(".".into()))]);
    message.questions[0].name = ".".into();
    let line = line(&dns(message));
    assert!(line.contains(r#""queries":[{"rrname":"<root>","#), "{line}");
    assert!(line.contains(r#""rdata":"<root>""#), "{line}");
}

#[test]
fn what_eve_does_not_say_of_a_message_is_egret_s() {
    let message =
        DnsMessage { transport: DnsTransport::Mdns, incomplete: true, ..response(Vec::new()) };
    let value: Value = serde_json::from_str(&line(&dns(message))).unwrap();
    assert_eq!(value["egret"], serde_json::json!({"transport": "mdns", "incomplete": true}));
    assert!(value["dns"].get("answers").is_none());
}

/// Beside the inner conversation, and beside what else EVE has no name for.
#[test]
fn a_tunnel_is_egret_s() {
    let tunnel = Tunnel {
        kind: TunnelKind::Vxlan,
        id: Some(0x00ff_ffff),
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
    for (kind, name) in [(TunnelKind::Gre, "gre"), (TunnelKind::Erspan, "erspan")] {
        let said = in_tunnel(Tunnel { kind, id: None, ..tunnel }, Body::Account(account()));
        assert!(said.starts_with(&format!(r#"{{"tunnel":{{"kind":"{name}","src_ip""#)), "{said}");
    }
}

#[test]
fn stats_say_what_was_refused() {
    let stats = Stats { pkts: 10, bytes: 1000, invalid: 3 };
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

proptest! {
    /// Whatever a name holds, the event is one line that any JSON reader gives back unchanged.
    #[test]
    fn any_name_survives(name in any::<String>()) {
        let session = TlsSession { sni: Some(name.as_str().into()), ..TlsSession::default() };
        let line = line(&tcp(Body::Tls(Box::new(session))));
        prop_assert_eq!(line.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&line).unwrap();
        prop_assert_eq!(value["tls"]["sni"].as_str(), Some(name.as_str()));
    }
}
