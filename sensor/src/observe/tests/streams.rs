//! Conversations over TCP, turn by turn, cut into segments in any way.

use super::*;

/// Who speaks, and what.
pub(super) type Turn = (bool, Vec<u8>);

pub(super) const CLIENT: bool = true;
pub(super) const SERVER: bool = false;

/// What was made of a conversation.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) events: Vec<Event>,
    pub(super) counts: Counts,
}

impl Sink for Made {
    fn event(&mut self, event: Event) {
        self.events.push(event);
    }
}

impl Made {
    /// The sessions that were told, with their time in milliseconds.
    pub(super) fn sessions(&self) -> Vec<(u64, &TlsSession)> {
        let session = |event: &Event| event.time.as_nanos() / 1_000_000;
        self.events
            .iter()
            .filter_map(|event| match &event.body {
                Body::Tls(tls) => Some((session(event), &**tls)),
                _ => None,
            })
            .collect()
    }

    /// What detectors are told of hellos.
    pub(super) fn hellos(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.body, Body::Hello(_))).count()
    }
}

/// Reads segments that follow each other by a millisecond.
pub(super) fn read(turns: &[(bool, &[u8])], wanted: Wanted) -> Made {
    let timed: Vec<_> = (0..).zip(turns).map(|(n, &(from, bytes))| (n, from, bytes)).collect();
    read_timed(&timed, wanted)
}

/// Reads segments at these milliseconds.
pub(super) fn read_timed(turns: &[(u64, bool, &[u8])], wanted: Wanted) -> Made {
    let (mut table, mut made, mut reader) =
        (Table::new(16).unwrap(), Made::default(), Reader::new(wanted));
    let mut next = [1_u32, 1];
    for &(millis, from, bytes) in turns {
        let [client, server] = [(sample::CLIENT, 40_000), (sample::SERVER, 25)];
        let (source, destination) = if from { (client, server) } else { (server, client) };
        let sequence = &mut next[usize::from(from)];
        let tcp = Tcp { sequence: *sequence, flags: tcp_flags::ACK };
        let packet = Packet {
            time: Timestamp::from_nanos(millis * 1_000_000),
            source: source.0,
            destination: destination.0,
            ports: [source.1, destination.1],
            ..sample::packet(Some(tcp), bytes)
        };
        *sequence = sequence.wrapping_add(bytes.len() as u32);
        reader.expire(packet.time, &mut made);
        table.burst(&[packet], &mut reader.observing(&mut made));
    }
    table.finish(&mut reader.observing(&mut made));
    assert!(reader.upgrades.is_empty(), "nothing is kept of a flow that is over");
    made.counts = reader.counts();
    made
}

/// Every way to cut one turn in two, the whole into pieces, and each side's turns behind the greeting
/// joined; `check` gets the segments and what to call them.
pub(super) fn every_cut(turns: &[Turn], mut check: impl FnMut(&[(bool, &[u8])], &str)) {
    let whole: Vec<_> = turns.iter().map(|(from, bytes)| (*from, &bytes[..])).collect();
    check(&whole, "whole");
    for (n, &(from, bytes)) in whole.iter().enumerate() {
        for at in 1..bytes.len() {
            let (left, right) = bytes.split_at(at);
            let cut = [&whole[..n], &[(from, left), (from, right)], &whole[n + 1..]].concat();
            check(&cut, &format!("turn {n} cut at {at}"));
        }
    }
    let single: Vec<_> =
        whole.iter().flat_map(|(from, bytes)| bytes.chunks(1).map(|byte| (*from, byte))).collect();
    check(&single, "single bytes");
    for size in [2, 3, 7, 64] {
        let cut: Vec<_> = whole
            .iter()
            .flat_map(|(from, bytes)| bytes.chunks(size).map(|part| (*from, part)))
            .collect();
        check(&cut, &format!("in pieces of {size}"));
    }
    let side = |side: bool| -> Vec<u8> {
        turns.iter().filter(|turn| turn.0 == side).flat_map(|turn| turn.1.clone()).collect()
    };
    let (client, server) = (side(CLIENT), side(SERVER));
    let greeting = if whole[0].0 == SERVER { whole[0].1.len() } else { 0 };
    let (greeting, server) = server.split_at(greeting);
    check(
        &[(SERVER, greeting), (CLIENT, &client), (SERVER, server)],
        "the client says all at once",
    );
}

/// A ServerHello of this version and what follows it in one record.
pub(super) fn server_flight(version: u16, rest: &[u8]) -> Vec<u8> {
    let extensions: &[u8] = if version == 0x0304 { &[0, 6, 0, 43, 0, 2, 3, 4] } else { &[0, 0] };
    let body = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0], extensions].concat();
    let hello = [&[2, 0, 0, body.len() as u8][..], &body, rest].concat();
    let record =
        |part: &[u8]| [&[22, 3, 3, (part.len() >> 8) as u8, part.len() as u8], part].concat();
    hello.chunks(16_384).flat_map(record).collect()
}

/// A message with a chain of one certificate, and what ends the flight.
pub(super) fn certificate(der: &[u8]) -> Vec<u8> {
    let length = |len: usize| (len as u32).to_be_bytes()[1..].to_vec();
    let [message, list, own] = [der.len() + 6, der.len() + 3, der.len()].map(length);
    [&[11][..], &message, &list, &own, der, &[14, 0, 0, 0]].concat()
}
