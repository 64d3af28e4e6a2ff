//! DNS messages.

use super::*;
use crate::event::{DnsAnswer, DnsAuthority, DnsData, DnsMessage, DnsQuestion, DnsTransport};

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
        asked: true,
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
