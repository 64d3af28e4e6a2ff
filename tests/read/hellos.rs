//! ClientHellos cut into segments and records in every way, through the binary.

use egret_tests::bench::hello::{self, Client};
use egret_tests::rng::Rng;
use egret_tests::scenario::SECOND;
use egret_tests::segments::{Segment, cut, one_byte_records, ways};
use egret_tests::traffic::{START, end, path};
use egret_tests::wire::{Capture, Frame, Payload, Resolution, Segment as Tcp, flag};
use serde_json::Value;

use super::accounting::{events, of_type};
use super::captures::office;
use super::{directory, egret};

/// A browser's hello: post-quantum, with an encrypted one and GREASE.
fn browser() -> Vec<u8> {
    hello::client(&mut Rng::new(7), Client::Browser, Some("www.example.com"), true)
}

/// A conversation for each stream, opened and never answered.
fn capture(streams: &[Vec<Segment>]) -> Vec<u8> {
    const OPENED: u32 = u32::MAX - 700;
    let mut capture = Capture::new(Vec::new(), Resolution::Nanos).unwrap();
    let (mut frame, mut time) = (Frame::new(1), START);
    for (number, segments) in streams.iter().enumerate() {
        let to = path(end("10.20.0.11", 20_000 + number as u16), end("203.0.113.5", 443));
        let mut send = |flags, ahead: u32, bytes: &[u8]| {
            let sequence = OPENED.wrapping_add(ahead);
            let segment = Tcp { flags, sequence, acknowledgment: 1 };
            capture.frame(time, frame.tcp(&to, segment, Payload::whole(bytes))).unwrap();
            time += 1000;
        };
        send(flag::SYN, 0, b"");
        for (at, bytes) in segments {
            send(flag::ACK, 1 + *at as u32, bytes);
        }
        time += SECOND / 100;
    }
    capture.finish().unwrap()
}

/// Fails when a way of sending loses a hello, or changes what is said of it.
#[test]
fn a_hello_is_one_event_however_it_comes() {
    let hello = browser();
    let mut streams = vec![vec![(0, hello.clone())]];
    for stream in [hello.clone(), one_byte_records(&hello)] {
        streams.extend(ways(&stream).into_iter().map(|(_, segments)| segments));
    }
    let sessions = of_type(events(&capture(&streams)), "tls");
    assert_eq!(sessions.len(), streams.len());
    let said = |session: &Value| (session["tls"].clone(), session["egret"].clone());
    for session in &sessions {
        assert_eq!(said(session), said(&sessions[0]), "{session}");
    }
    let (tls, own) = said(&sessions[0]);
    assert_eq!((&tls["sni"], &own["ech"]), (&"www.example.com".into(), &"grease".into()));
    let ja4 = tls["ja4"].as_str().unwrap();
    assert!(ja4.starts_with("t13d15") && ja4.len() == 36, "{ja4}");
    assert_eq!(tls["ja3"]["hash"].as_str().unwrap().len(), 32);
    assert!(tls["ja3"]["string"].as_str().unwrap().starts_with("771,4865-4866-4867-"), "{tls}");
}

/// Fails when nobody is told of hellos whose end never came.
#[test]
fn hellos_that_never_complete_are_told() {
    let hello = browser();
    let mut streams: Vec<Vec<Segment>> = (2..=12)
        .map(|count| {
            let mut segments = cut(&hello, count, 0);
            segments.pop();
            segments
        })
        .collect();
    let damaged = [&hello[..5], &[1, 0, 0, 2, 3, 3], &hello[11..]].concat();
    streams.push(vec![(0, damaged)]);
    let directory = directory("a.pcap", capture(&streams));
    let ran = egret().within(&directory).read("a.pcap").run().done();
    assert_eq!(ran.summary("TLS").len(), 1);
    let told = ran.summary("TLS")[0].to_owned();
    assert!(told.ends_with(", 11 cut off, 1 could not be read"), "{told}");
    let summary = egret().within(&directory).read("a.pcap").arg("--json").run().done().json();
    assert_eq!((&summary[0]["cut_hellos"], &summary[0]["refused_hellos"]), (&11.into(), &1.into()));
}

/// Fails when the server's half has no fingerprints, or a first session counts as resumed.
#[test]
fn an_answer_has_its_fingerprints() {
    let sessions = of_type(events(&office()), "tls");
    let answered: Vec<&Value> =
        sessions.iter().filter(|session| session["tls"]["version"] == "TLS 1.3").collect();
    assert_eq!(answered.len(), 30);
    for session in answered {
        let (tls, own) = (&session["tls"], &session["egret"]);
        assert!(tls["ja3s"]["string"].as_str().unwrap().starts_with("771,"), "{tls}");
        assert!(own["ja4s"].as_str().unwrap().starts_with("t13"), "{own}");
        assert!(tls.get("session_resumed").is_none() && own.get("ech").is_none());
    }
}
