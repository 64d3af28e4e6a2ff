//! Connections as they come through the flow table, whole, shuffled, cut and forged.

use std::net::Ipv4Addr;

use egret_tests::quic::{
    DATAGRAM, Initials, V1, V2, client_hello, crypto, opaque, retry, server_hello,
};
use egret_tests::rng::Rng;
use proptest::prelude::*;

use super::super::Counts;
use super::connections::{MAX_FAILURES, MAX_GATHERED};
use super::*;
use crate::decode::{Packet as Decoded, sample};
use crate::event::{Body, Ech, Event, TlsSession};
use crate::flow::Table;
use crate::time::Timestamp;

const ID: &[u8] = b"client's guess";
const SERVERS: &[u8] = b"server's";
const PORTS: [u16; 2] = [50_000, 443];

/// A datagram, and whether it is the server's.
type Sent = (Vec<u8>, bool);

struct Run {
    sessions: Vec<TlsSession>,
    hellos: Vec<Event>,
    counts: Counts,
    gathered: usize,
}

#[derive(Default)]
struct Events(Vec<Event>);

impl Sink for Events {
    fn event(&mut self, event: Event) {
        self.0.push(event);
    }
}

fn packet<'a>(payload: &'a [u8], from: u8, servers: bool, missing: usize) -> Decoded<'a> {
    let (client, server) = (Ipv4Addr::new(10, 20, 0, from).into(), sample::SERVER);
    let (ends, ports) = match servers {
        false => ([client, server], PORTS),
        true => ([server, client], [PORTS[1], PORTS[0]]),
    };
    Decoded {
        time: Timestamp::from_parts(1, 0),
        wire_len: 42 + (payload.len() + missing) as u32,
        source: ends[0],
        destination: ends[1],
        ports,
        payload_wire_len: (payload.len() + missing) as u32,
        ..sample::packet(None, payload)
    }
}

fn read_packets(packets: &[Decoded<'_>], wanted: Wanted) -> Run {
    let (mut table, mut events) = (Table::new(4096).unwrap(), Events::default());
    let mut reader = Reader::new(wanted);
    let mut gathered = 0;
    for packet in packets {
        table.burst(std::slice::from_ref(packet), &mut reader.observing(&mut events));
        gathered = gathered.max(reader.quic.gathered.len());
    }
    table.finish(&mut reader.observing(&mut events));
    assert_eq!((reader.quic.connections.len(), reader.quic.gathered.len()), (0, 0));
    let sessions = events.0.iter().filter_map(|event| match &event.body {
        Body::Tls(session) => Some((**session).clone()),
        _ => None,
    });
    let (sessions, counts) = (sessions.collect(), reader.counts());
    let hellos = events.0.into_iter().filter(|event| matches!(event.body, Body::Hello(_)));
    Run { sessions, hellos: hellos.collect(), counts, gathered }
}

fn read_all(sent: &[Sent], wanted: Wanted) -> Run {
    let packets: Vec<_> =
        sent.iter().map(|(bytes, servers)| packet(bytes, 5, *servers, 0)).collect();
    read_packets(&packets, wanted)
}

/// Reads datagrams of the client.
fn read(datagrams: impl IntoIterator<Item = Vec<u8>>) -> Run {
    let sent: Vec<Sent> = datagrams.into_iter().map(|bytes| (bytes, false)).collect();
    read_all(&sent, Wanted::All)
}

impl Run {
    fn names(&self) -> Vec<&str> {
        self.sessions.iter().map(|session| session.sni.as_deref().unwrap_or("-")).collect()
    }
}

fn hello(name: &str) -> Vec<u8> {
    client_hello(&mut Rng::new(3), name, true)
}

/// The parts of a hello between these places, a datagram each.
fn datagrams(version: u32, hello: &[u8], parts: &[(usize, usize)]) -> Vec<Vec<u8>> {
    let initials = Initials::client(version, ID);
    let datagram = |(number, (start, end)): (usize, &(usize, usize))| {
        let end = (*end).min(hello.len());
        initials.datagram(ID, b"", number as u32, &crypto(*start, &hello[*start..end]))
    };
    parts.iter().enumerate().map(datagram).collect()
}

const HALVES: [(usize, usize); 2] = [(0, 1100), (1100, 9999)];

#[test]
fn a_hello_in_any_number_of_datagrams_in_any_order_is_read_once() {
    let hello = hello("a.example");
    for version in [V1, V2] {
        for count in 2..=4 {
            let step = hello.len() / count + 1;
            let parts: Vec<_> = (0..count).map(|n| (n * step, (n + 1) * step)).collect();
            let sent = datagrams(version, &hello, &parts);
            for order in orders(count) {
                // Each twice, and two that overlap what is there.
                let again = datagrams(version, &hello, &[(90, 700), (700, 1700)]);
                let shuffled = order.iter().flat_map(|n| [sent[*n].clone(), sent[*n].clone()]);
                let run = read(shuffled.clone().chain(again.clone()));
                assert_eq!(run.names(), ["a.example"], "{order:?}");
                let run = read(again.into_iter().chain(shuffled));
                assert_eq!(run.names(), ["a.example"], "{order:?}");
                assert_eq!(run.counts.quic, Unread::default());
                assert_eq!(run.sessions[0].carrier, Carrier::Quic(version));
                assert_ne!(run.sessions[0].ech, Ech::None);
            }
        }
    }
}

/// Every order of `0..count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1).into_iter();
    let with = |order: Vec<usize>| {
        (0..count).map(move |at| {
            let mut order = order.clone();
            order.insert(at, count - 1);
            order
        })
    };
    shorter.flat_map(with).collect()
}

#[test]
fn a_browsers_shuffled_frames_in_one_packet_are_put_in_order() {
    let hello = client_hello(&mut Rng::new(9), "b.example", false);
    let mut pieces: Vec<_> = hello.chunks(37).enumerate().collect();
    Rng::new(4).shuffle(&mut pieces);
    let frames: Vec<u8> =
        pieces.iter().flat_map(|(n, piece)| [crypto(n * 37, piece), vec![0, 1]].concat()).collect();
    let run = read([Initials::client(V1, ID).datagram(ID, b"", 7, &frames)]);
    assert_eq!(run.names(), ["b.example"]);
}

#[test]
fn where_pieces_disagree_the_first_counts() {
    let (hello, other) = (hello("first.example"), hello("other.example"));
    let sent =
        [datagrams(V1, &hello, &HALVES[..1]), datagrams(V1, &other, &[(0, 1100), (1000, 9999)])];
    let run = read(sent.concat());
    assert_eq!(run.names().len(), 1);
    let at = |hello: &[u8]| hello.windows(8).position(|window| window == b".example").unwrap();
    let expected = if at(&hello) < 1100 { "first.example" } else { "other.example" };
    assert_eq!(run.names(), [expected]);
}

#[test]
fn packets_that_share_its_datagram_hide_no_hello() {
    let hello = client_hello(&mut Rng::new(9), "c.example", false);
    let initial = Initials::client(V2, ID).packet(ID, b"me", 0, &crypto(0, &hello));
    let (early, later) = (opaque(V2, 1, ID, b"me", 200), opaque(V2, 2, ID, b"me", 500));
    for parts in
        [[&initial, &early, &later], [&early, &initial, &later], [&later, &early, &initial]]
    {
        let mut datagram = parts.map(Vec::as_slice).concat();
        datagram.resize(datagram.len().max(DATAGRAM), 0);
        assert_eq!(read([datagram]).names(), ["c.example"]);
    }
}

/// A whole handshake: the client turns to the server's id, with the same keys.
fn handshake(name: &str, later: &[u8]) -> Vec<Sent> {
    let hello = hello(name);
    let (client, server) = (Initials::client(V1, ID), Initials::server(V1, ID));
    let [first, second] =
        HALVES.map(|(start, end)| crypto(start, &hello[start..end.min(hello.len())]));
    let answer = crypto(0, &server_hello(&mut Rng::new(1)));
    let ack = [2, 0, 0, 0, 0];
    vec![
        (client.datagram(ID, b"client's", 0, &first), false),
        (server.datagram(b"client's", SERVERS, 0, &ack), true),
        (client.datagram(later, b"client's", 1, &second), false),
        (server.datagram(b"client's", SERVERS, 1, &answer), true),
        (client.datagram(later, b"client's", 2, &ack), false),
        (opaque(V1, 2, later, b"client's", 60), false),
    ]
}

#[test]
fn connection_ids_are_followed_and_both_halves_are_one_session() {
    let sent = handshake("d.example", SERVERS);
    let run = read_all(&sent, Wanted::All);
    assert_eq!(run.names(), ["d.example"]);
    let session = &run.sessions[0];
    assert_eq!((session.version, session.cipher), (Some(0x0304), Some(0x1301)));
    assert_eq!(run.counts.quic, Unread::default());
    // A mirror that shows the client only: nothing says whose the id is that it turns to.
    let clients: Vec<_> = sent.iter().filter(|(_, servers)| !servers).cloned().collect();
    let run = read_all(&clients, Wanted::ForDetectors);
    assert_eq!((run.hellos.len(), run.counts.client_hellos), (1, 1));
    assert_eq!(run.counts.quic, Unread::default());
}

#[test]
fn after_a_retry_the_hello_comes_again_and_is_told_once() {
    let hello = hello("e.example");
    let first = datagrams(V1, &hello, &HALVES);
    let retry = (retry(V1, b"", SERVERS), true);
    let second = Initials::client(V1, SERVERS);
    let again = HALVES.map(|(start, end)| {
        let frames = crypto(start, &hello[start..end.min(hello.len())]);
        (second.datagram(SERVERS, b"", 4, &frames), false)
    });
    let answer = crypto(0, &server_hello(&mut Rng::new(1)));
    let answer = (Initials::server(V1, SERVERS).datagram(b"", b"another", 0, &answer), true);
    for lost in [0, 1] {
        let mut sent: Vec<Sent> =
            first.iter().skip(lost).map(|bytes| (bytes.clone(), false)).collect();
        sent.push(retry.clone());
        sent.extend(again.clone());
        sent.push(answer.clone());
        let run = read_all(&sent, Wanted::All);
        assert_eq!(run.names(), ["e.example"], "{lost}");
        assert_eq!(run.sessions[0].cipher, Some(0x1301), "keys from the new id");
        assert_eq!(run.counts.quic.keys, 0);
    }
}

#[test]
fn another_connection_over_the_same_ports_is_another_session() {
    let other = client_hello(&mut Rng::new(77), "g.example", false);
    let other = Initials::client(V2, b"another guess").datagram(
        b"another guess",
        b"",
        0,
        &crypto(0, &other),
    );
    let mut sent = handshake("f.example", SERVERS);
    sent.push((other, false));
    assert_eq!(read_all(&sent, Wanted::All).names(), ["f.example", "g.example"]);
}

#[test]
fn an_initial_tells_the_client_though_the_ports_say_otherwise() {
    let hello = client_hello(&mut Rng::new(9), "h.example", false);
    let datagram = Initials::client(V1, ID).datagram(ID, b"", 0, &crypto(0, &hello));
    let mut packet = packet(&datagram, 5, false, 0);
    packet.ports = [443, 50_000];
    let (mut table, mut events) = (Table::new(16).unwrap(), Events::default());
    let mut reader = Reader::new(Wanted::All);
    table.burst(&[packet], &mut reader.observing(&mut events));
    table.finish(&mut reader.observing(&mut events));
    let account = events.0.iter().find(|event| matches!(event.body, Body::Account(_))).unwrap();
    assert_eq!(account.flow.client.port, 443);
}

#[test]
fn what_is_missing_is_counted_and_what_is_there_is_told() {
    let hello = hello("i.example");
    let halves = datagrams(V1, &hello, &HALVES);
    let run = read([halves[1].clone()]);
    assert_eq!((run.names().len(), run.counts.quic.incomplete), (0, 1));
    // The first half alone says what it holds, as a hello over TCP does that was cut.
    let run = read([halves[0].clone()]);
    assert_eq!((run.names().len(), run.counts.quic.incomplete), (1, 1));

    let cut = [packet(&halves[0][..86], 5, false, 1114), packet(&halves[1][..1199], 5, false, 1)];
    let run = read_packets(&cut, Wanted::All);
    assert_eq!((run.hellos.len(), run.counts.quic.cut), (0, 2));
    assert_eq!(run.counts.quic, Unread { cut: 2, ..Unread::default() });

    let mut unknown = halves[0].clone();
    unknown[1..5].copy_from_slice(&[0, 0, 0, 9]);
    let mut grease = halves[0].clone();
    grease[1..5].copy_from_slice(&[0x1a, 0x2a, 0x3a, 0x4a]);
    let run = read([unknown, grease]);
    assert_eq!(run.counts.quic, Unread { version: 1, ..Unread::default() });

    let refused = Initials::client(V1, ID).datagram(ID, b"", 0, &[0x08, 0]);
    assert_eq!(read([refused]).counts.quic.malformed, 1);
}

#[test]
fn keys_are_tried_so_often_and_no_more() {
    let hello = hello("j.example");
    let mut forged = datagrams(V1, &hello, &HALVES)[0].clone();
    *forged.last_mut().unwrap() ^= 1;
    let ids = |n: u8| {
        let mut datagram = forged.clone();
        datagram[6] = n;
        datagram
    };
    let run = read((0..100).map(ids));
    assert_eq!(run.counts.quic, Unread { keys: u64::from(MAX_FAILURES), ..Unread::default() });
    // Small datagrams are no client's, and cost nothing.
    let small = Initials::client(V1, ID).packet(ID, b"", 0, &crypto(0, &hello[..500]));
    assert_eq!(read([small]).counts.quic, Unread::default());
    // More packets than any datagram has.
    let packet = Initials::client(V1, ID).packet(ID, b"", 0, &[0; 20]);
    let run = read([packet.repeat(50), forged]);
    assert_eq!(run.counts.quic.keys, 1);
}

#[test]
fn hellos_that_never_end_take_no_more_room_than_there_is() {
    let hello = hello("k.example");
    let half = &datagrams(V1, &hello, &HALVES)[0];
    let mut packets: Vec<_> = Vec::new();
    for port in 0..MAX_GATHERED + 200 {
        let mut packet = packet(half, 5, false, 0);
        packet.ports[0] = 10_000 + port as u16;
        packets.push(packet);
    }
    let run = read_packets(&packets, Wanted::ForDetectors);
    assert_eq!(run.gathered, MAX_GATHERED);
    assert_eq!((run.counts.quic.given_up, run.counts.quic.incomplete), (200, MAX_GATHERED as u64));

    let far = Initials::client(V1, ID).datagram(ID, b"", 0, &crypto(16_000, &[1; 1100]));
    let farther = Initials::client(V1, ID).datagram(ID, b"", 1, &crypto(16_383, &[1; 1100]));
    let run = read([far, farther, half.clone()]);
    assert_eq!((run.hellos.len(), run.counts.quic.given_up), (0, 1));
}

proptest! {
    /// Damage anywhere, and any order, gives at most one session and never more than can be.
    #[test]
    fn damage_is_survived(
        order in prop::collection::vec(0usize..6, 0..12),
        changes in prop::collection::vec((0usize..12, 0usize..1200, any::<u8>()), 0..6),
    ) {
        let whole = handshake("l.example", SERVERS);
        let mut sent: Vec<Sent> = order.iter().map(|n| whole[*n].clone()).collect();
        for (which, at, change) in changes {
            if let Some((bytes, _)) = sent.get_mut(which) && let Some(byte) = bytes.get_mut(at) {
                *byte ^= change;
            }
        }
        let run = read_all(&sent, Wanted::All);
        prop_assert!(run.hellos.len() <= 1, "{}", run.hellos.len());
        prop_assert!(run.sessions.len() <= run.hellos.len());
    }
}
