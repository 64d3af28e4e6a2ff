//! Names that an attacker chose: every line stays one line of JSON, and nothing acts on a terminal.

use std::collections::BTreeSet;
use std::fs;

use egret_tests::dns::{self, Data, Record, rcode, rtype};
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{HOSTILE, START, Traffic, end, is_harmless, path, put_in, stand_in};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::Value;

use super::accounting::{events, of_type};
use super::captures::{datagrams, question};
use super::{directory, egret};

/// Every hostile name as the server name of a session, as the question and the alias of a DNS
/// response and as a text in it.
fn capture() -> Vec<u8> {
    let mut traffic = Traffic::default();
    for (number, name) in HOSTILE.into_iter().enumerate() {
        let at = START + number as u64 * SECOND;
        let port = 40_000 + number as u16;
        let asked = stand_in(name);
        let hello = traffic.client_hello(name);
        let to = path(end("10.20.0.11", port), end("203.0.113.5", 443));
        traffic.tcp(at, to).send(true, &hello);

        let record = |data| Record { name: asked.clone(), ttl: 60, data };
        let answers = [record(Data::Cname(asked.clone())), record(Data::Txt(asked.clone()))];
        let response = dns::response(1, &asked, rtype::TXT, rcode::NO_ERROR, &answers);
        let back = question("10.20.0.11", port).back();
        traffic.datagram(at, &back, &put_in(&response, name));
    }
    traffic.pcap()
}

/// Fails when a name ends its line early, breaks out of its string, or makes the JSON invalid.
#[test]
fn events_stay_json_lines() {
    let events = events(&capture());
    let sessions = of_type(events.clone(), "tls");
    let responses = of_type(events.clone(), "dns");
    assert_eq!((sessions.len(), responses.len()), (HOSTILE.len(), HOSTILE.len()));
    assert_eq!(events.len(), 4 * HOSTILE.len() + 1, "two flows each, and the stats at the end");
    assert_eq!(of_type(events, "alert").len(), 0);
    // The exact bytes can be told from the text: another name gives another.
    let names = |of: &dyn Fn(usize) -> String| {
        let mut names: Vec<String> = (0..HOSTILE.len()).map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    let sni = |at: usize| sessions[at]["tls"]["sni"].as_str().unwrap().to_owned();
    let alias =
        |at: usize| responses[at]["dns"]["answers"][0]["rdata"].as_str().unwrap().to_owned();
    let text = |at: usize| responses[at]["dns"]["answers"][1]["rdata"].as_str().unwrap().to_owned();
    for names in [names(&sni), names(&alias), names(&text)] {
        assert_eq!(names.len(), HOSTILE.len(), "{names:?}");
        assert!(names.iter().all(|name| name.chars().all(is_harmless)), "{names:?}");
    }
}

/// A record of TLS.
fn record(messages: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &(messages.len() as u16).to_be_bytes(), messages].concat()
}

/// A length in so many bytes, and behind it what has that length.
fn counted<const N: usize>(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[4 - N..], bytes].concat()
}

/// A ClientHello of TLS 1.2 that asks for this name and these protocols.
fn client_hello(sni: &[u8], protocols: &[&[u8]]) -> Vec<u8> {
    let name = counted::<2>(&[&[0][..], &counted::<2>(sni)].concat());
    let list: Vec<u8> = protocols.iter().flat_map(|protocol| counted::<1>(protocol)).collect();
    let extensions =
        [&[0, 0][..], &counted::<2>(&name), &[0, 16], &counted::<2>(&counted::<2>(&list))].concat();
    let body = [&[3, 3][..], &[7; 32], b"\0\0\x02\xc0\x2f\x01\0", &counted::<2>(&extensions)];
    record(&[&[1][..], &counted::<3>(&body.concat())].concat())
}

/// What a server of TLS 1.2 answers, with a certificate whose owner and issuer have this name.
fn server_flight(name: &[u8]) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, stand_in(name));
    let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let chain = counted::<3>(&counted::<3>(&put_in(certificate.der(), name)));
    let hello = [&[2, 0, 0, 38, 3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat();
    record(&[&hello[..], &[11], &counted::<3>(&chain)].concat())
}

/// All texts in an event.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Fails when what both ends of a session say of themselves breaks an event, or comes out as it was sent.
#[test]
fn what_sessions_say_stays_in_its_field() {
    let mut traffic = Traffic::default();
    let long = "\u{202e}".repeat(2000).into_bytes();
    let names: Vec<&[u8]> = HOSTILE.into_iter().chain([&long[..240]]).collect();
    for (number, name) in names.iter().enumerate() {
        let at = START + number as u64 * SECOND;
        let sni = if number == HOSTILE.len() { &long } else { *name };
        let to = path(end("10.20.0.11", 40_000 + number as u16), end("203.0.113.5", 3128));
        let mut tcp = traffic.tcp(at, to);
        tcp.send(true, &[b"CONNECT ", *name, b":443 HTTP/1.1\r\n\r\n"].concat());
        tcp.send(false, b"HTTP/1.1 200 OK\r\n\r\n");
        tcp.send(true, &client_hello(sni, &[name, name]));
        tcp.send(false, &server_flight(name));
    }
    let sessions = of_type(events(&traffic.pcap()), "tls");
    assert_eq!(sessions.len(), names.len());
    for text in sessions.iter().flat_map(texts) {
        assert!(text.chars().all(is_harmless) && text.len() < 1200, "{text:?}");
    }
    let different = |place: &str| {
        let all = sessions.iter().filter_map(|session| session.pointer(place)?.as_str());
        all.collect::<BTreeSet<_>>().len()
    };
    for place in ["/tls/sni", "/tls/client_alpns/1", "/tls/subject", "/tls/issuerdn"] {
        assert_eq!(different(place), names.len(), "{place}");
    }
    // The name with a line's end in it is no request to a proxy.
    assert_eq!(different("/egret/proxy"), names.len() - 1);
}

/// Fails when what is printed for people passes such a name on as it is.
#[test]
fn people_are_shown_printable_text() {
    let directory = directory("hostile.pcap", capture());
    let ran = egret().within(&directory).read("hostile.pcap").arg("-vv").run().done();
    let harmless = |text: &str| text.lines().all(|line| line.chars().all(is_harmless));
    assert!(harmless(&ran.stdout) && harmless(&ran.stderr), "{ran:?}");

    // The file's name, too, may be another's choice.
    let name = "a\nalerts   none\x1b[31m\u{202e}.pcap";
    fs::write(directory.path().join(name), &datagrams(2)[..110]).unwrap();
    let ran = egret().within(&directory).read(name).run().done();
    assert!(harmless(&ran.stdout), "{:?}", ran.stdout);
    let note = r"a\nalerts   none\x1b[31m\u{202e}.pcap: ends early at byte 100: ";
    assert!(ran.summary("note")[0].starts_with(note), "{:?}", ran.summary("note"));
    assert_eq!(ran.summary("alerts").len(), 1);
}
