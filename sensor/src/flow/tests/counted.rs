//! Accounts are the same whoever counted: the table, packet by packet, or somebody before it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::*;
use crate::capture::{Counted, Mark};
use crate::decode::Mac;
use crate::decode::sample::{CLIENT, SERVER};
use crate::event::Endpoint;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos((seconds * 1e9) as u64)
}

/// Ten packets of 1000 bytes in half a second.
fn counted(since: f64, up: bool, tcp_flags: Option<u8>) -> Counted {
    let like = packet(since, up, PORTS, tcp_flags.map(|flags| Tcp { sequence: 0, flags }), b"");
    Counted { packets: 10, bytes: 10_000, last: at(since + 0.5), ..one(&like) }
}

fn one(packet: &Packet<'_>) -> Counted {
    Counted {
        source: packet.source,
        destination: packet.destination,
        ports: packet.ports,
        protocol: packet.protocol,
        tcp_flags: packet.tcp.map_or(0, |tcp| tcp.flags),
        packets: 1,
        bytes: u64::from(packet.wire_len),
        since: packet.time,
        last: packet.time,
    }
}

fn fin() -> Option<Tcp> {
    Some(Tcp { sequence: 9, flags: tcp_flags::FIN | tcp_flags::ACK })
}

#[test]
fn a_count_opens_a_flow_of_which_no_packet_was_seen() {
    use tcp_flags::{ACK, SYN};
    // Who the client is: by ports; by a SYN; by the answer to one, which is one packet alone; and
    // where SYN and ACK may be anybody's, by ports again.
    let cases = [
        (false, None, 10, CLIENT),
        (false, Some(ACK), 10, CLIENT),
        (false, Some(SYN), 2, SERVER),
        (true, Some(SYN | ACK), 1, SERVER),
        (true, Some(SYN | ACK), 2, CLIENT),
    ];
    for (up, flags, packets, client) in cases {
        let (mut table, mut recorder) = (table(), Recorder::default());
        table.set_interface(3);
        table.counted(&[Counted { packets, ..counted(5.0, up, flags) }], &mut recorder);
        assert_eq!((recorder.opened.len(), table.stats().opened, table.active()), (1, 1, 1));
        table.finish(&mut recorder);
        let (flow, account) = &recorder.accounts[0];
        assert_eq!(flow.client.address, client, "{up} {flags:?} {packets}");
        assert_eq!((flow.interface, flow.opened), (Some(3), at(5.0)));
        let sent = if (client == CLIENT) == up { account.to_server } else { account.to_client };
        assert_eq!(sent, Traffic { packets, bytes: 10_000 });
        assert_eq!((account.last, account.state), (at(5.5), FlowState::New));
        let (_, _, volume) = recorder.volumes[0];
        assert_eq!((recorder.volumes.len(), volume.since), (1, at(5.0)));
    }
}

#[test]
fn packets_that_come_after_a_count_still_tell_addresses_and_vlans() {
    let mac = |last| Mac([2, 0, 0, 0, 0, last]);
    let there = Packet {
        macs: Some([mac(1), mac(2)]),
        vlans: Some(7).into(),
        ..packet(6.0, true, PORTS, ack(1), b"")
    };
    // The way back was routed: another address than the one that was sent to.
    let back = Packet { macs: Some([mac(3), mac(1)]), ..packet(6.1, false, PORTS, ack(1), b"") };
    let counts = [counted(5.0, true, Some(0)), counted(5.0, false, Some(0))];
    for (packets, server) in [(vec![there.clone()], mac(2)), (vec![there, back], mac(3))] {
        let (mut table, mut recorder) = (table(), Recorder::default());
        table.counted(&counts, &mut recorder);
        table.burst(&packets, &mut recorder);
        table.finish(&mut recorder);
        let (flow, account) = &recorder.accounts[0];
        let macs = [&flow.client, &flow.server].map(|Endpoint { mac, .. }| *mac);
        assert_eq!(macs, [Some(mac(1)), Some(server)]);
        assert_eq!(*flow.vlans, [7]);
        assert_eq!(recorder.accounts.len(), 1);
        assert_eq!(account.to_server.packets, 11);
    }
}

#[test]
fn a_count_after_the_timeout_opens_another_flow() {
    for (since, flows) in [(60.0, 1), (200.0, 2)] {
        let (mut table, mut recorder) = (table(), Recorder::default());
        let answered =
            [packet(5.0, true, PORTS, None, b"?"), packet(5.0, false, PORTS, None, b"!")];
        table.burst(&answered, &mut recorder);
        table.counted(&[counted(since, true, None)], &mut recorder);
        table.finish(&mut recorder);
        assert_eq!(recorder.accounts.len(), flows, "after {since} s");
        assert_eq!(recorder.opened.len(), flows);
    }
}

#[test]
fn what_is_told_late_counts_to_the_connection_that_has_closed() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    table.counted(&[], &mut recorder);
    table.burst(
        &[
            packet(18.0, true, PORTS, syn(1), b""),
            packet(18.9, true, PORTS, fin(), b""),
            packet(18.9, false, PORTS, fin(), b""),
            packet(20.3, true, [1, 2], None, b""),
        ],
        &mut recorder,
    );
    // Its own timeout of a second ended at 19.9 s, and that tick is over.
    table.counted(&[counted(18.4, true, Some(tcp_flags::ACK))], &mut recorder);
    assert_eq!(table.stats().opened, 2, "it is still there");
    assert_eq!(table.stats().time_backwards, 0);
    table.burst(&[packet(30.0, true, [1, 2], None, b"")], &mut recorder);
    let (_, account) = &recorder.accounts[0];
    assert_eq!((account.state, account.to_server.packets), (FlowState::Closed, 12));
    assert_eq!(account.last, at(18.9));
    let id = recorder.accounts[0].0.id;
    let volumes = recorder.volumes.iter().filter(|(of, ..)| *of == id);
    let told: Vec<_> = volumes.map(|(_, at, volume)| (volume.since, *at)).collect();
    assert_eq!(told, [(at(18.0), at(20.0)), (at(20.0), at(30.0))], "no volume overlaps");
}

#[test]
fn counts_move_time_on_and_packets_from_before_them_are_not_out_of_order() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    table.burst(&[packet(5.0, true, PORTS, ack(1), b"")], &mut recorder);
    table.counted(&[counted(11.0, true, Some(0))], &mut recorder);
    assert_eq!(recorder.volumes.len(), 1, "the tick in which the packet came has ended");
    table.burst(&[packet(11.2, true, PORTS, ack(1), b"")], &mut recorder);
    assert_eq!(table.stats().time_backwards, 0);
    table.burst(&[packet(11.1, true, PORTS, ack(1), b"")], &mut recorder);
    assert_eq!(table.stats().time_backwards, 1);
    // Another conversation's packet, from the tick that is over.
    table.burst(&[packet(9.9, true, [1, 2], None, b"")], &mut recorder);
    table.finish(&mut recorder);
    let since: Vec<_> = recorder.volumes.iter().map(|(.., volume)| volume.since).collect();
    assert_eq!(since, [at(5.0), at(11.0), at(10.0)]);
}

#[test]
fn a_count_that_moves_much_is_told_at_once() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    for second in 0..4 {
        let count = Counted { bytes: 3 << 20, ..counted(f64::from(second), true, Some(0)) };
        table.counted(&[count], &mut recorder);
    }
    // After 3, 6, 9 and 12 MiB.
    let told: Vec<_> = recorder.volumes.iter().map(|(_, at, v)| (*at, v.to_server.bytes)).collect();
    assert_eq!(told, [(at(1.5), 6 << 20), (at(2.5), 3 << 20), (at(3.5), 3 << 20)]);
}

#[test]
fn a_mark_is_made_when_its_direction_is_read_enough_and_not_before() {
    let (mut table, mut recorder) = (table(), Recorder { limit: 6, ..Recorder::default() });
    // Of a few conversations sequence numbers are watched, and those are seen for longer.
    for port in 1..=64 {
        table.burst(&[packet(1.0, true, [port, 443], syn(0), b"")], &mut recorder);
    }
    let places = [AtomicU32::new(0), AtomicU32::new(0)];
    let [up, down] = &places;
    let mut give = |seconds, is_up, tcp, payload| {
        let (place, value) = if is_up { (up, 6) } else { (down, 8) };
        let mark = Some(Mark::new(place, value));
        let packet = Packet { mark, ..packet(seconds, is_up, PORTS, tcp, payload) };
        table.burst(&[packet], &mut recorder);
        [up, down].map(|place| place.swap(0, Relaxed))
    };
    assert_eq!(give(1.0, true, syn(0), b""), [0, 0]);
    assert_eq!(give(1.1, false, syn(0), b""), [0, 0]);
    assert_eq!(give(1.2, true, ack(1), b"abc"), [0, 0], "more is wanted");
    assert_eq!(give(1.3, true, ack(4), b"def"), [6, 0]);
    assert_eq!(give(1.4, false, ack(1), b"abc"), [0, 0], "the other direction is not");
    assert_eq!(give(1.5, true, ack(7), b""), [6, 0], "said again: the slot may be a new one");
    assert_eq!(give(1.6, false, ack(4), b"def"), [0, 8]);
    // A packet that has nowhere to say so, and one of a flow without a stream.
    table.burst(&[packet(1.7, true, PORTS, ack(7), b"")], &mut recorder);
    let datagram = packet(1.7, true, PORTS, None, b"abcdef");
    table.burst(&[Packet { mark: Some(Mark::new(up, 10)), ..datagram }], &mut recorder);
    assert_eq!(places.map(AtomicU32::into_inner), [0, 0]);
}

#[test]
fn a_full_table_makes_room_for_counts_and_accounts_for_what_gives_way() {
    let mut table = Table::new(64).unwrap();
    let mut recorder = Recorder::default();
    for n in 0..2000u16 {
        let ports = [n % 700 + 1, 9];
        let count = Counted { ports, ..counted(f64::from(n / 100), true, Some(0)) };
        table.counted(&[count; 2], &mut recorder);
        assert!(table.active() <= 64);
    }
    let stats = table.stats();
    table.finish(&mut recorder);
    assert!(stats.evicted > 1000 && stats.evicted == stats.opened - 64, "{stats:?}");
    let packets: u64 = recorder.accounts.iter().map(|(_, a)| a.to_server.packets).sum();
    let volume: u64 = recorder.volumes.iter().map(|(.., v)| v.to_server.packets).sum();
    assert_eq!((packets, volume), (40_000, 40_000));
    assert_eq!(recorder.closed as u64, stats.opened);
}

/// Withholds packets, as the kernel may, and tells their sums.
#[derive(Default)]
struct Withheld {
    counts: BTreeMap<(IpAddr, [u16; 2], u8), Counted>,
}

impl Withheld {
    fn take(&mut self, packet: &Packet<'_>) {
        let new = one(packet);
        self.counts
            .entry((packet.source, packet.ports, packet.protocol))
            .and_modify(|count| {
                count.packets += 1;
                count.bytes += new.bytes;
                count.tcp_flags |= new.tcp_flags;
                count.last = new.last;
            })
            .or_insert(new);
    }

    fn tell(&mut self, table: &mut Table, recorder: &mut Recorder) {
        let counts: Vec<Counted> = std::mem::take(&mut self.counts).into_values().collect();
        table.counted(&counts, recorder);
    }
}

/// A packet of a conversation: milliseconds after the one before, whether the client sends it, its
/// length on the wire, whether it has payload, whether it may be withheld.
type Step = (u64, bool, u32, bool, bool);

/// A conversation from its port, its start in milliseconds and what is said; with `tcp`, from SYN to
/// the tail behind both FINs.
fn conversation(
    port: u16,
    start: u64,
    tcp: bool,
    steps: &[Step],
) -> impl Iterator<Item = (Packet<'static>, bool)> {
    const DATA: &[u8] = b"payload";
    let (syn, fin) = (tcp_flags::SYN, tcp_flags::FIN | tcp_flags::ACK);
    let open = [(true, syn), (false, syn | tcp_flags::ACK)];
    let close = [(true, fin), (false, fin)];
    let edge = |(up, flags)| ((10, up, 54, false, false), flags);
    let middle = steps.iter().map(|step| (*step, tcp_flags::ACK));
    let tail = [((5, true, 54, false, true), tcp_flags::ACK)];
    let all: Vec<(Step, u8)> = match tcp {
        true => {
            open.map(edge).into_iter().chain(middle).chain(close.map(edge)).chain(tail).collect()
        }
        false => middle.collect(),
    };
    let mut now = start;
    let mut sequence = [1u32; 2];
    all.into_iter().map(move |((gap, up, wire_len, has_payload, withheld), flags)| {
        now += gap;
        let payload = if has_payload && tcp { DATA } else { b"" };
        let next = &mut sequence[usize::from(up)];
        let segment = Tcp { sequence: *next, flags };
        *next += payload.len() as u32 + u32::from(flags & (tcp_flags::SYN | tcp_flags::FIN) != 0);
        let packet = packet(now as f64 / 1e3, up, [port, 443], tcp.then_some(segment), payload);
        (Packet { wire_len, ..packet }, withheld)
    })
}

fn step() -> impl Strategy<Value = Step> {
    (0u64..1500, any::<bool>(), 54u32..2_000_000, any::<bool>(), any::<bool>())
}

/// What is accounted for of each flow, and what its volumes add up to.
#[derive(Debug, Default, PartialEq)]
struct Sums {
    client: Option<Endpoint>,
    accounted: [u64; 4],
    volumes: [u64; 4],
    tcp_flags: [u8; 2],
    end: Option<(FlowState, Timestamp)>,
}

fn sums(recorder: &Recorder) -> BTreeMap<u64, Sums> {
    let add = |sum: &mut [u64; 4], there: Traffic, back: Traffic| {
        let added = [there.packets, there.bytes, back.packets, back.bytes];
        sum.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
    };
    let mut flows = BTreeMap::<u64, Sums>::new();
    for (flow, account) in &recorder.accounts {
        let sums = flows.entry(flow.id).or_default();
        sums.client = Some(flow.client);
        add(&mut sums.accounted, account.to_server, account.to_client);
        sums.tcp_flags = account.tcp_flags.unwrap_or_default();
        sums.end = Some((account.state, account.last));
    }
    for (id, _, volume) in &recorder.volumes {
        add(&mut flows.entry(*id).or_default().volumes, volume.to_server, volume.to_client);
    }
    flows
}

proptest! {
    /// All is told once a tick, at any point of its last second; a SYN has what was counted before it
    /// told first.
    #[test]
    fn accounts_are_the_same_whether_packets_are_given_or_counted(
        conversations in prop::collection::vec(
            (40_000u16..40_006, 0u64..12_000, any::<bool>(), prop::collection::vec(step(), 1..12)), 1..12),
        scan in 0u64..1000,
    ) {
        // One after the other over the same ports, some time apart.
        let mut free = BTreeMap::<u16, u64>::new();
        let mut packets: Vec<(Packet<'_>, bool)> = Vec::new();
        for (port, start, tcp, steps) in &conversations {
            let start = free.get(port).map_or(*start, |free| free + 1500 + start % 4000);
            packets.extend(conversation(*port, start, *tcp, steps));
            let end = packets.last().map_or(0, |(packet, _)| packet.time.as_nanos() / 1_000_000);
            free.insert(*port, end);
        }
        packets.sort_by_key(|(packet, _)| packet.time);

        let (mut plain, mut expected) = (table(), Recorder::default());
        let (mut table, mut recorder) = (table(), Recorder::default());
        let mut withheld = Withheld::default();
        table.counted(&[], &mut recorder);
        let mut marks = BTreeMap::<_, AtomicU32>::new();
        let mut scanned = 0;
        for (packet, may_be_withheld) in &packets {
            plain.burst(std::slice::from_ref(packet), &mut expected);
            let tick = (packet.time.as_nanos() / 1_000_000 + scan) / 10_000;
            if tick > scanned {
                withheld.tell(&mut table, &mut recorder);
                scanned = tick;
            }
            let opens = packet.tcp.is_some_and(|tcp| tcp.flags & tcp_flags::SYN != 0);
            let slot = (packet.source, packet.ports, packet.protocol);
            let is_first = !marks.contains_key(&slot);
            let place = marks.entry(slot).or_default();
            if opens {
                *place = AtomicU32::new(0);
            }
            let readable = packet.payload.is_empty() || place.load(Relaxed) == 2;
            if *may_be_withheld && readable && !is_first {
                withheld.take(packet);
            } else {
                if opens {
                    withheld.tell(&mut table, &mut recorder);
                }
                let mark = Some(Mark::new(place, 2));
                table.burst(&[Packet { mark, ..packet.clone() }], &mut recorder);
            }
        }
        withheld.tell(&mut table, &mut recorder);
        plain.finish(&mut expected);
        table.finish(&mut recorder);
        let (flows, given) = (sums(&recorder), sums(&expected));
        prop_assert_eq!(&flows, &given);
        prop_assert!(flows.values().all(|sums| sums.volumes == sums.accounted));
    }
}
