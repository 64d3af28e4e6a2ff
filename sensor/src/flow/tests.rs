use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::decode::{Fragment, Packet, Tcp, sample, tcp_flags};
use crate::event::{AccountReason, Flow, FlowState, Traffic};

mod counted;
mod endings;
mod hostile;
mod sources;

/// Notes everything, and reads a direction's bytes up to `limit`.
#[derive(Default)]
struct Recorder {
    limit: usize,
    accounts: Vec<(Flow, Account)>,
    volumes: Vec<(u64, Timestamp, Volume)>,
    opened: Vec<Flow>,
    read: BTreeMap<(u32, bool), Vec<u8>>,
    closed: usize,
    last_looks: usize,
}

impl Observer for Recorder {
    fn opened(&mut self, flow: &View<'_>, _at: Timestamp) {
        self.opened.push(flow.flow());
    }
    fn volume(&mut self, flow: &View<'_>, at: Timestamp, volume: Volume) {
        self.volumes.push((flow.flow().id, at, volume));
    }
    fn account(&mut self, flow: &View<'_>, _at: Timestamp, account: Account) {
        self.accounts.push((flow.flow(), account));
    }
    fn stream(
        &mut self,
        flow: &View<'_>,
        _at: Timestamp,
        from: Direction,
        bytes: &[u8],
        more: bool,
    ) -> Verdict {
        self.last_looks += usize::from(!more);
        if bytes.len() < self.limit && more {
            return Verdict::Want(self.limit);
        }
        self.read.insert((flow.slot(), from == flow.client()), bytes.to_vec());
        Verdict::Enough(None)
    }
    fn closing(&mut self, _flow: &View<'_>, _at: Timestamp) {
        self.closed += 1;
    }
}

fn packet(seconds: f64, up: bool, ports: [u16; 2], tcp: Option<Tcp>, payload: &[u8]) -> Packet<'_> {
    let time = Timestamp::from_nanos((seconds * 1e9) as u64);
    let there = Packet { time, ports, ..sample::packet(tcp, payload) };
    if up {
        return there;
    }
    let [client, server] = ports;
    let (source, destination) = (there.destination, there.source);
    Packet { source, destination, ports: [server, client], ..there }
}

fn syn(sequence: u32) -> Option<Tcp> {
    Some(Tcp { sequence, flags: tcp_flags::SYN })
}

fn ack(sequence: u32) -> Option<Tcp> {
    Some(Tcp { sequence, flags: tcp_flags::ACK })
}

fn table() -> Table {
    Table::new(1024).unwrap()
}

const PORTS: [u16; 2] = [40_000, 443];

#[test]
fn the_side_that_sent_the_syn_is_the_client() {
    for answer_first in [false, true] {
        let mut recorder = Recorder::default();
        let mut table = table();
        // A client on a port below the server's: only the SYN can tell.
        let flags = tcp_flags::SYN | tcp_flags::ACK;
        let first = match answer_first {
            false => packet(1.0, true, [80, 40_000], syn(5), b""),
            true => packet(1.0, false, [80, 40_000], Some(Tcp { sequence: 9, flags }), b""),
        };
        table.burst(&[first], &mut recorder);
        table.finish(&mut recorder);
        assert_eq!(recorder.accounts[0].0.client.port, 80, "answer first: {answer_first}");
    }
}

/// The way back may come by the other port of a mirrored pair.
#[test]
fn a_flow_keeps_the_interface_of_its_first_packet() {
    let mut recorder = Recorder::default();
    let mut table = table();
    table.set_interface(1);
    table.burst(&[packet(1.0, true, PORTS, syn(5), b"")], &mut recorder);
    table.set_interface(0);
    table.burst(&[packet(1.1, false, PORTS, ack(9), b"")], &mut recorder);
    table.burst(&[packet(1.2, true, [40_001, 443], syn(5), b"")], &mut recorder);
    table.finish(&mut recorder);
    let interfaces: Vec<_> = recorder.accounts.iter().map(|(flow, _)| flow.interface).collect();
    assert_eq!(interfaces, [Some(1), Some(0)]);
}

#[test]
fn volumes_come_every_tick_and_accounts_while_a_flow_lives() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    for second in 0..1000 {
        table
            .burst(&[packet(f64::from(second), true, PORTS, ack(1), b"0123456789")], &mut recorder);
    }
    assert_eq!(recorder.volumes.len(), 99);
    let (_, at, volume) = recorder.volumes[3];
    assert_eq!((at.as_secs(), volume.since.as_secs(), volume.to_server.packets), (40, 30, 10));
    let live: Vec<_> = recorder.accounts.iter().map(|(_, account)| account.reason).collect();
    assert_eq!(live, [AccountReason::Active; 3]);
    table.finish(&mut recorder);
    let packets: u64 = recorder.accounts.iter().map(|(_, account)| account.to_server.packets).sum();
    let volume: u64 = recorder.volumes.iter().map(|(_, _, volume)| volume.to_server.bytes).sum();
    assert_eq!((packets, volume), (1000, 64_000));
}

#[test]
fn what_moves_much_is_told_at_once_and_adds_up() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    let packets: Vec<_> = (0..3000u32)
        .map(|n| Packet {
            wire_len: 9000,
            ..packet(10.0 + f64::from(n) / 1000.0, n % 3 != 0, PORTS, ack(1), b"")
        })
        .collect();
    packets.chunks(37).for_each(|packets| table.burst(packets, &mut recorder));
    // 18 MB there and 9 MB back.
    assert_eq!(recorder.volumes.len(), 4 + 2);
    table.finish(&mut recorder);
    let mut end = 0;
    for (_, at, volume) in &recorder.volumes {
        assert!(volume.since.as_nanos() >= end && volume.since <= *at, "{volume:?}");
        assert!(volume.to_server.bytes <= (4 << 20) + 9000);
        end = at.as_nanos();
    }
    let sum = |side: fn(&Volume) -> u64| -> u64 {
        recorder.volumes.iter().map(|(.., volume)| side(volume)).sum()
    };
    assert_eq!(sum(|volume| volume.to_server.bytes), 2000 * 9000);
    assert_eq!(sum(|volume| volume.to_client.packets), 1000);
    let account = recorder.accounts[0].1;
    assert_eq!(account.to_server, Traffic { packets: 2000, bytes: 2000 * 9000 });
}

#[test]
fn one_side_alone_counts_where_it_speaks_with_another() {
    use tcp_flags::{ACK, FIN, PSH, RST, SYN};
    type Segments = &'static [(bool, u8)];
    let cases: [(Segments, (u64, u64)); 9] = [
        (&[(true, SYN)], (0, 0)),
        (&[(true, SYN), (true, SYN)], (0, 0)),
        (&[(false, SYN | ACK)], (0, 0)),
        (&[(false, RST | ACK)], (0, 0)),
        (&[(true, SYN), (true, ACK), (true, PSH | ACK)], (1, 0)),
        (&[(false, SYN | ACK), (false, PSH | ACK), (false, FIN | ACK)], (1, 0)),
        (&[(true, ACK)], (1, 0)),
        (&[(true, SYN), (false, SYN | ACK), (true, ACK), (false, PSH | ACK)], (0, 1)),
        (&[(true, SYN), (false, RST | ACK)], (0, 0)),
    ];
    for (segments, expected) in cases {
        let (mut table, mut recorder) = (table(), Recorder::default());
        let tcp = |flags| Some(Tcp { sequence: 1, flags });
        for (up, flags) in segments {
            table.burst(&[packet(1.0, *up, PORTS, tcp(*flags), b"")], &mut recorder);
        }
        table.finish(&mut recorder);
        let stats = table.stats();
        assert_eq!((stats.tcp_one_sided, stats.tcp_both), expected, "{segments:?}");
    }
    let (mut table, mut recorder) = (table(), Recorder::default());
    table.burst(&[packet(1.0, true, PORTS, None, b"?")], &mut recorder);
    table.finish(&mut recorder);
    assert_eq!((table.stats().tcp_one_sided, table.stats().tcp_both), (0, 0));
}

#[test]
fn later_fragments_count_to_the_flow_of_the_first() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    let first = Packet {
        fragment: Some(Fragment { id: 7, offset: 0, last: false }),
        ..packet(1.0, true, PORTS, None, b"first")
    };
    let later = Packet {
        fragment: Some(Fragment { id: 7, offset: 1480, last: true }),
        ..packet(1.1, true, [0, 0], None, b"")
    };
    let stranger = Packet {
        fragment: Some(Fragment { id: 8, offset: 1480, last: true }),
        ..packet(1.2, true, [0, 0], None, b"")
    };
    table.burst(&[first, later, stranger], &mut recorder);
    table.finish(&mut recorder);
    let counted: Vec<_> =
        recorder.accounts.iter().map(|(f, a)| (f.server.port, a.to_server.packets)).collect();
    assert_eq!(counted, [(443, 2), (0, 1)]);
}

#[test]
fn a_stretch_that_was_never_captured_is_passed_over() {
    let (mut table, mut recorder) = (table(), Recorder { limit: 4, ..Recorder::default() });
    table.burst(
        &[
            packet(1.0, true, PORTS, syn(0), b""),
            packet(1.1, true, PORTS, ack(1), b"ab"),
            packet(1.2, true, PORTS, ack(500_000_000), b"wxyz"),
        ],
        &mut recorder,
    );
    assert_eq!(recorder.last_looks, 1, "what was kept before the gap is shown once more");
    assert_eq!(recorder.read[&(0, true)], b"ab");
}

#[test]
fn what_waits_behind_a_gap_is_read_when_the_flow_ends() {
    for (limit, looks) in [(4, 0), (9, 1)] {
        let (mut table, mut recorder) = (table(), Recorder { limit, ..Recorder::default() });
        table.burst(
            &[
                packet(1.0, true, PORTS, syn(0), b""),
                packet(1.2, true, PORTS, ack(11), b"yz"),
                packet(1.1, true, PORTS, ack(7), b"wxyz"),
            ],
            &mut recorder,
        );
        assert!(recorder.read.is_empty());
        table.finish(&mut recorder);
        assert_eq!(recorder.last_looks, looks);
        let expected = if limit == 4 { b"wxyz".as_slice() } else { b"wxyzyz" };
        assert_eq!(recorder.read[&(0, true)], expected);
    }
}

proptest! {
    /// Any cut of a message into at most twelve segments, in any order, with repeats and overlaps.
    #[test]
    fn bytes_come_in_order_whatever_the_order_of_segments(
        cuts in prop::collection::vec(1usize..399, 0..11),
        order in Just((0..12).collect::<Vec<usize>>()).prop_shuffle(),
        overlap in 0usize..30,
        start: u32,
    ) {
        let message: Vec<u8> = (0..400u32).map(|n| (n * 7) as u8).collect();
        let mut edges = cuts;
        edges.extend([0, 400]);
        edges.sort_unstable();
        edges.dedup();
        let segments: Vec<(usize, &[u8])> = edges
            .windows(2)
            .map(|edge| (edge[0].saturating_sub(overlap), &message[edge[0].saturating_sub(overlap)..edge[1]]))
            .collect();
        let (mut table, mut recorder) = (table(), Recorder { limit: 400, ..Recorder::default() });
        table.burst(&[packet(1.0, true, PORTS, syn(start), b"")], &mut recorder);
        for at in order {
            if let Some((offset, bytes)) = segments.get(at) {
                let sequence = start.wrapping_add(1 + *offset as u32);
                table.burst(&[packet(1.1, true, PORTS, ack(sequence), bytes)], &mut recorder);
            }
        }
        prop_assert_eq!(recorder.read.get(&(0, true)), Some(&message));
    }

    /// Whatever packets come at whatever times: every one is counted once, in volumes and in accounts.
    #[test]
    fn nothing_is_lost_and_nothing_counted_twice(
        steps in prop::collection::vec((0u16..40, any::<bool>(), 0u32..4000, any::<u8>(), any::<u32>()), 1..300),
    ) {
        let mut table = Table::new(16).unwrap();
        let mut recorder = Recorder { limit: 100, ..Recorder::default() };
        let mut sent = 0;
        for (port, up, seconds, flags, sequence) in &steps {
            let tcp = (port % 3 != 0).then_some(Tcp { sequence: *sequence, flags: *flags });
            let packet = packet(f64::from(*seconds), *up, [*port, 443], tcp, b"data");
            sent += u64::from(packet.wire_len);
            table.burst(&[packet], &mut recorder);
        }
        table.finish(&mut recorder);
        let all = |to_server: Traffic, to_client: Traffic| to_server.bytes + to_client.bytes;
        let accounted: u64 = recorder.accounts.iter().map(|(_, a)| all(a.to_server, a.to_client)).sum();
        let volumes: u64 = recorder.volumes.iter().map(|(_, _, v)| all(v.to_server, v.to_client)).sum();
        prop_assert_eq!((accounted, volumes), (sent, sent));
        prop_assert_eq!(recorder.opened.len(), recorder.closed);
        prop_assert_eq!(table.active(), 0);
    }
}
