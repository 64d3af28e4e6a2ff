//! ClientHellos that come in many segments and records, in any order: read whole, or counted.

use egret_tests::bench::hello::{self, Client};
use egret_tests::rng::Rng;
use egret_tests::segments::{Segment, cut, one_byte_records, ways};

use super::*;
use crate::event::Ech;

/// Where the client's stream begins: it goes over the end of the sequence numbers.
const SYN: u32 = u32::MAX - 200;

/// What is made of a client's segments behind its SYN.
fn read_segments(segments: &[Segment]) -> (Vec<TlsSession>, Counts) {
    let tcp = |sequence, flags| Tcp { sequence, flags };
    let mut packets = vec![packet(443, tcp(SYN, tcp_flags::SYN), b"")];
    packets.extend(segments.iter().map(|(at, bytes)| {
        packet(443, tcp(SYN.wrapping_add(1 + *at as u32), tcp_flags::ACK), bytes)
    }));
    let (mut table, mut bodies) = (Table::new(16).unwrap(), Bodies::default());
    let mut reader = Reader::new(Wanted::All);
    for packet in &packets {
        table.burst(std::slice::from_ref(packet), &mut reader.observing(&mut bodies));
    }
    table.finish(&mut reader.observing(&mut bodies));
    (bodies.sessions(), reader.counts())
}

/// What a session says of its client.
fn said(session: &TlsSession) -> String {
    let TlsSession { sni, alpn, offered, ech, session_id, ja4, ja3, .. } = session;
    format!("{sni:?} {alpn:?} {offered:x} {ech:?} {session_id:?} {ja4:?} {ja3:?}")
}

/// A browser's with GREASE, an encrypted hello and, post-quantum, a key of 1216 bytes; and others.
fn hellos() -> Vec<Vec<u8>> {
    [
        (Client::Browser, true),
        (Client::Browser, false),
        (Client::OpenSsl, true),
        (Client::Old, false),
    ]
    .into_iter()
    .map(|(client, post_quantum)| {
        hello::client(&mut Rng::new(7), client, Some("www.example.com"), post_quantum)
    })
    .collect()
}

/// Fails when a way of sending hides a hello, or makes it say something else.
#[test]
fn a_hello_reads_the_same_however_it_comes() {
    for hello in hellos() {
        let (whole, _) = read_segments(&[(0, hello.clone())]);
        let expected = said(&whole[0]);
        assert_eq!(whole[0].sni.as_deref(), Some("www.example.com"));
        assert!(whole[0].ja4.is_some() && whole[0].ja3.is_some());
        for stream in [hello.clone(), one_byte_records(&hello)] {
            for (way, segments) in ways(&stream) {
                let (sessions, counts) = read_segments(&segments);
                assert_eq!(sessions.len(), 1, "{way}");
                assert_eq!(said(&sessions[0]), expected, "{way}");
                let counted = (counts.client_hellos, counts.cut_hellos, counts.refused_hellos);
                assert_eq!(counted, (1, 0, 0), "{way}");
            }
        }
    }
    let (browser, _) = read_segments(&[(0, hellos().swap_remove(0))]);
    assert_eq!(browser[0].ech, Ech::Grease, "and an ordinary browser keeps its name");
}

/// Fails when a hello whose end never comes is silent, or has the fingerprint of another client.
#[test]
fn a_hello_that_never_completes_is_counted_and_has_no_fingerprint() {
    for hello in hellos() {
        for count in 2..=12 {
            for missing in 1..count {
                let mut segments = cut(&hello, count, 0);
                segments.remove(missing);
                let (sessions, counts) = read_segments(&segments);
                assert_eq!(counts.client_hellos + counts.refused_hellos, 1, "{missing} of {count}");
                assert_eq!(counts.client_hellos, counts.cut_hellos);
                assert_eq!(sessions.len() as u64, counts.client_hellos);
                assert!(sessions.iter().all(|session| session.ja4.is_none()));
                assert!(sessions.iter().all(|session| session.ja3.is_none()));
            }
        }
    }
}

/// The work on a hello in small records grows with its length, not with its square: it is looked at
/// again only when it may be whole.
#[test]
fn a_hello_in_small_records_is_not_read_again_for_each() {
    let stream = one_byte_records(&hellos().swap_remove(0));
    let (mut looks, mut end) = (0, 1);
    loop {
        let mut scratch = Vec::new();
        let read = crate::decode::tls::client_hello(
            &stream[..end],
            crate::decode::tls::Extent::Growing,
            &mut scratch,
        );
        looks += 1;
        match read {
            crate::decode::progress::Progress::NeedMore(total) => end = total,
            other => {
                break assert!(
                    matches!(other, crate::decode::progress::Progress::Complete { used, .. } if used == stream.len())
                );
            }
        }
    }
    assert!(looks < 60, "{looks} for {} records", stream.len() / 6);
}
