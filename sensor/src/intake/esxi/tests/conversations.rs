//! Who spoke with whom.

use super::*;
use crate::event::{Conversation, Traffic};

#[track_caller]
fn conversation(program: &str, body: &str) -> Conversation {
    match said(program, body) {
        Some(Said::Conversation(said)) => *said,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn proxies_tell_who_spoke_with_the_api() {
    let client = (ip("192.0.2.4"), 54080);
    let server = (ip("192.0.2.5"), 443);
    let ends = "192.0.2.4:54080 192.0.2.5:443 127.0.0.1:49192 127.0.0.1:8085";
    for body in [
        format!("[Originator@6876 sub=Default] 2026-05-11T10:22:31.070Z POST /sdk HTTP/1.1 200 via_upstream - 1670 11032 1 0 0 {ends}"),
        format!("POST /sdk 200 via_upstream - \"RetrieveProperties 1 2\" 1670 11032 - 1 0 0 {ends}"),
        "GET /a 200 via_upstream - 1670 11032 gzip 1 0 0 192.0.2.4:54080 HTTP/1.1 TLSv1.2 192.0.2.5:443 -".into(),
    ] {
        let said = conversation("envoy", &body);
        assert_eq!((said.client, said.server), (client, server), "{body}");
        assert_eq!(said.bytes, Some([1670, 11032]));
    }
    let body = "[Originator@6876 sub=Proxy Req 00015] New proxy client <SSL(<io_obj p:0x1, h:5, <TCP '192.0.2.5 : 443'>, <TCP '192.0.2.4 : 54080'>>)>";
    let said = conversation("rhttpproxy", body);
    assert_eq!((said.client, said.server, said.bytes), (client, server, None));
    let inside = "[Originator@6876 sub=Proxy Req 99723] Connected to localhost:8307 (/sdk) over <io_obj p:0x1, h:32, <TCP '127.0.0.1 : 57721'>, <TCP '127.0.0.1 : 8307'>>";
    assert_eq!(super::said("rhttpproxy", inside), None);
}

#[test]
fn every_form_of_a_firewall_s_line_is_read() {
    let four = |client: &str, server: &str| {
        let end = |text: &str| {
            let (address, port) = text.rsplit_once(' ').unwrap();
            (ip(address), port.parse().unwrap())
        };
        (end(client), end(server))
    };
    let traffic = |packets, bytes| Traffic { packets, bytes };
    for (program, body, (client, server), protocol, moved, is_blocked) in [
        (
            "dfwpktlogs",
            "b6507827 INET match PASS mainrs/1024 IN 52 TCP 192.0.2.3/49627->192.0.2.4/49153 SEW",
            four("192.0.2.3 49627", "192.0.2.4 49153"),
            6,
            None,
            false,
        ),
        (
            "dfwpktlogs",
            "2099 INET match DROP mainrs/1027 IN 36 PROTO 2 0.0.0.0->224.0.0.1",
            four("0.0.0.0 0", "224.0.0.1 0"),
            2,
            None,
            true,
        ),
        (
            "FIREWALL-PKTLOG",
            "INET6 match PASS 2 OUT 80 UDP fe80:0:0:0:68c2:8472:2364:9be/546->ff02:0:0:0:0:0:1:2/547",
            four("fe80::68c2:8472:2364:9be 546", "ff02::1:2 547"),
            17,
            None,
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "INET TERM PASS 5096 OUT TCP RST 192.0.2.3/60517->192.0.2.4/443 9/8 1461/4677 DR-Allow",
            four("192.0.2.3 60517", "192.0.2.4 443"),
            6,
            Some([traffic(9, 1461), traffic(8, 4677)]),
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "8b4a1980 INET TERM 1005 IN UDP 192.0.2.3/1->192.0.2.4/53 1/2 60/300",
            four("192.0.2.3 1", "192.0.2.4 53"),
            17,
            Some([traffic(1, 60), traffic(2, 300)]),
            false,
        ),
        (
            "FIREWALL-PKTLOG",
            "2026-05-15T19:41:25Z esx1 8b4a1980 INET match PASS 25577 OUT 84 ICMP 192.0.2.3->192.0.2.4",
            four("192.0.2.3 0", "192.0.2.4 0"),
            1,
            None,
            false,
        ),
    ] {
        let Some([sent, received]) = moved else {
            let expected = Conversation { client, server, protocol, bytes: None, is_blocked };
            assert_eq!(conversation(program, body), expected, "{body}");
            continue;
        };
        let Some(Said::Exported(record)) = said(program, body) else { panic!("{body}") };
        assert_eq!((record.from, record.to, record.protocol), (client, server, protocol));
        assert_eq!((record.sent, record.received), (sent, Some(received)), "{body}");
        assert_eq!((record.is_forward, record.is_blocked), (Some(true), is_blocked));
    }
    for body in [
        "",
        "INET",
        "INET match PASS 1 IN 52 TCP",
        "INET match PASS 1 IN 52 X 192.0.2.3->192.0.2.4",
    ] {
        assert_eq!(said("FIREWALL-PKTLOG", body), None, "{body}");
    }
}
