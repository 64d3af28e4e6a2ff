//! Lines as readers of Suricata expect them.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::alert::{Alert, sample};
use crate::decode::Refusal;
use crate::decode::Vlans;
use crate::event::{
    Account, AccountReason, App, Body, Carrier, Certificate, DnsAnswer, DnsAuthority, DnsData,
    DnsMessage, DnsQuestion, DnsTransport, Ech, Endpoint, Event, FlowState, Ja3, Ja4, StartTls,
    TlsSession, Traffic, Tunnel, TunnelKind, Volume,
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
fn a_session_over_quic_reads_like_suricata_s() {
    let session = TlsSession {
        carrier: Carrier::Quic(0x6b33_43cf),
        sni: Some("a.example".into()),
        alpn: vec!["h3".into()],
        offered: 0x0304,
        cipher: Some(0x1301),
        ja4: crate::event::Ja4::from("q13d0312h3_55b375c5d22e_f3854ce178b3").ok(),
        ..TlsSession::default()
    };
    let [client, server] = [endpoint("10.0.0.1", 40000), endpoint("198.51.100.7", 443)];
    let line = line(&event(17, client, server, Body::Tls(Box::new(session))));
    let written: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&written["event_type"], &written["proto"]), (&"quic".into(), &"UDP".into()));
    let own = concat!(
        r#""quic":{"version":"6b3343cf","sni":"a.example","#,
        r#""ja4":"q13d0312h3_55b375c5d22e_f3854ce178b3"},"#
    );
    assert!(line.contains(own), "{line}");
    assert_eq!(written["egret"]["client_alpns"], serde_json::json!(["h3"]));
    assert_eq!(written["tls"], Value::Null);
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

fn value_of(session: TlsSession) -> Value {
    serde_json::from_str(&line(&tcp(Body::Tls(Box::new(session))))).unwrap()
}

#[test]
fn a_session_says_both_halves() {
    let ja3 = |text: &str, byte| Some(Box::new(Ja3 { text: text.into(), hash: [byte; 16] }));
    let session = TlsSession {
        sni: Some("cdn.example".into()),
        alpn: vec!["h2".into()],
        offered: 0x0304,
        version: Some(0x0303),
        cipher: Some(0xc02f),
        server_alpn: Some("h2".into()),
        ech: Ech::Offered,
        resumed: true,
        ja3: ja3("771,49199,0,,", 0x0a),
        ja3s: ja3("771,49199,0", 0xb0),
        ja4: Ja4::from("t12d0101h2_x_y").ok(),
        ja4s: Ja4::from("t1201h2_c02f_z").ok(),
        ..TlsSession::default()
    };
    let value = value_of(session);
    assert_eq!(value["event_type"], "tls");
    assert_eq!(
        value["tls"],
        serde_json::json!({
            "session_resumed": true, "sni": "cdn.example", "version": "TLS 1.2",
            "ja3": { "hash": "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "string": "771,49199,0,," },
            "ja3s": { "hash": "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0", "string": "771,49199,0" },
            "ja4": "t12d0101h2_x_y", "client_alpns": ["h2"], "server_alpns": ["h2"],
        })
    );
    assert_eq!(
        value["egret"],
        serde_json::json!({
            "offered": "TLS 1.3", "cipher": "c02f", "ech": "offered", "ja4s": "t1201h2_c02f_z",
        })
    );
    let unanswered = value_of(TlsSession { offered: 0x0303, ..TlsSession::default() });
    assert_eq!(unanswered["tls"].to_string(), r#"{"version":"UNDETERMINED"}"#);
    assert_eq!(unanswered["egret"].to_string(), r#"{"offered":"TLS 1.2"}"#);
    let grease = value_of(TlsSession { ech: Ech::Grease, ..TlsSession::default() });
    assert_eq!(grease["egret"]["ech"], "grease");
}

#[test]
fn a_certificate_reads_like_suricata_s() {
    let certificate = Certificate {
        subject: "CN=mail.example".into(),
        issuer: "C=DE, O=CA".into(),
        serial: [0, 0xd0, 1].into(),
        not_before: 1_795_183_391,
        not_after: -1,
        fingerprint: [0xab; 20],
        self_signed: true,
    };
    let session = TlsSession {
        certificate: Some(Box::new(certificate)),
        carrier: Carrier::StartTls(StartTls::Postgres),
        ..TlsSession::default()
    };
    let value = value_of(session);
    let fingerprint = ["ab"; 20].join(":");
    assert_eq!(
        value["tls"],
        serde_json::json!({
            "subject": "CN=mail.example", "issuerdn": "C=DE, O=CA", "serial": "00:D0:01",
            "fingerprint": fingerprint, "version": "UNDETERMINED",
            "notbefore": "2026-11-20T14:03:11", "notafter": "1969-12-31T23:59:59",
            "from_proto": "pgsql",
        })
    );
    assert_eq!(value["egret"]["self_signed"], true);
}

#[test]
fn a_proxy_is_named_and_times_beyond_the_calendar_break_nothing() {
    let carrier = Carrier::Proxy("a.example:443".into());
    let value = value_of(TlsSession { carrier, ..TlsSession::default() });
    assert_eq!(value["tls"]["from_proto"], "http");
    assert_eq!(value["egret"]["proxy"], "a.example:443");

    let certificate = Certificate {
        subject: "".into(),
        issuer: "".into(),
        serial: [].into(),
        not_before: i64::MIN,
        not_after: i64::MAX,
        fingerprint: [0; 20],
        self_signed: false,
    };
    let certificate = Some(Box::new(certificate));
    let value = value_of(TlsSession { certificate, ..TlsSession::default() });
    assert_eq!(value["tls"]["notafter"], "9999-12-30T22:00:00");
    assert!(value["egret"].get("self_signed").is_none());
}

#[test]
fn versions_have_suricata_s_names() {
    for (version, name) in [
        (0x0002, "SSLv2"),
        (0x0300, "SSLv3"),
        (0x0301, "TLSv1"),
        (0x0304, "TLS 1.3"),
        (0x7f17, "TLS 1.3 draft-23"),
        (0x7f1c, "TLS 1.3 draft-28"),
        (0x7f1d, "0x7f1d"),
    ] {
        let session = TlsSession { version: Some(version), ..TlsSession::default() };
        let value: Value = serde_json::from_str(&line(&tcp(Body::Tls(Box::new(session))))).unwrap();
        assert_eq!(value["tls"]["version"], name);
    }
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
        authorities: Vec::new(),
        additionals: Vec::new(),
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
fn records_that_are_objects_in_eve_are_objects() {
    let authority = DnsAuthority {
        server: "ns.example".into(),
        mailbox: ".".into(),
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: 5,
    };
    let key = DnsData::HostKey { algorithm: 1, kind: 2, fingerprint: Box::from([0xab, 7]) };
    let mut message = response(vec![(44, key)]);
    let of_zone = response(vec![(6, DnsData::Authority(Box::new(authority)))]);
    message.authorities = of_zone.answers;
    message.additionals = response(vec![(15, DnsData::Name("mx.example".into()))]).answers;
    let value: Value = serde_json::from_str(&line(&dns(message))).unwrap();
    let [answers, authorities, additionals] =
        ["answers", "authorities", "additionals"].map(|section| value["dns"][section].to_string());
    assert_eq!(
        answers,
        r#"[{"rrname":"a.example","rrtype":"SSHFP","sshfp":{"algo":1,"fingerprint":"ab:07","type":2},"ttl":60}]"#
    );
    assert_eq!(
        authorities,
        concat!(
            r#"[{"rrname":"a.example","rrtype":"SOA","soa":{"expire":4,"minimum":5,"#,
            r#""mname":"ns.example","refresh":2,"retry":3,"rname":"<root>","serial":1},"ttl":60}]"#
        )
    );
    assert_eq!(
        additionals,
        r#"[{"rdata":"mx.example","rrname":"a.example","rrtype":"MX","ttl":60}]"#
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
fn an_alert_about_no_conversation_has_no_line() {
    let mut out = Vec::new();
    Writer::default().alert(&sample::egress(), &mut out);
    assert!(out.is_empty());
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
