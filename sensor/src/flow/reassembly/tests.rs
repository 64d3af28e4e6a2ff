use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::decode::{protocol, sample};
use crate::flow::{Observer, Table, View};

const FROM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 53));
const TO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 20, 0, 5));

/// A fragment that holds `bytes` at `offset` of a datagram's IP payload.
fn fragment(seconds: u64, id: u32, offset: u32, bytes: &[u8], last: bool) -> Packet<'_> {
    Packet {
        time: Timestamp::from_nanos(seconds * 1_000_000_000),
        source: FROM,
        destination: TO,
        ports: if offset == 0 { [53, 40_000] } else { [0, 0] },
        fragment: Some(Fragment { id, offset, last }),
        ..sample::packet(None, bytes)
    }
}

/// The fragments of a datagram whose payload is cut at `cuts`, multiples of 8 less 8.
fn fragments<'a>(id: u32, payload: &'a [u8], cuts: &[usize]) -> Vec<Packet<'a>> {
    let starts = [&[0], cuts].concat();
    let ends = [cuts, &[payload.len()]].concat();
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let offset = if start == 0 { 0 } else { (start + HEADER) as u32 };
            fragment(1, id, offset, &payload[start..end], end == payload.len())
        })
        .collect()
}

/// The datagrams that the table shows, each with whether it is cut.
#[derive(Default)]
struct Shown(Vec<(Vec<u8>, bool)>);

impl Observer for Shown {
    fn datagram(
        &mut self,
        _: &View<'_>,
        _: Timestamp,
        _: Direction,
        bytes: &[u8],
        cut: bool,
    ) -> Option<Direction> {
        self.0.push((bytes.to_vec(), cut));
        None
    }
}

fn shown(packets: &[Packet<'_>]) -> Vec<(Vec<u8>, bool)> {
    let (mut table, mut shown) = (Table::new(1024).unwrap(), Shown::default());
    table.burst(packets, &mut shown);
    table.finish(&mut shown);
    assert_eq!(table.reassembly.bytes, 0);
    shown.0
}

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|n| n as u8).collect()
}

#[test]
fn a_datagram_is_shown_once_and_whole() {
    let payload = payload(3000);
    let all = fragments(7, &payload, &[1472, 2952]);
    assert_eq!(shown(&all), [(payload.clone(), false)]);
    // A mirror of both ports gives every fragment twice in a row.
    let twice: Vec<_> = all.iter().flat_map(|packet| [packet.clone(), packet.clone()]).collect();
    assert_eq!(shown(&twice)[0], (payload, false));
}

#[test]
fn what_stays_incomplete_is_shown_up_to_the_gap() {
    let payload = payload(3000);
    let mut all = fragments(7, &payload, &[800, 1600, 2400]);
    all.remove(2);
    assert_eq!(shown(&all), [(payload[..1600].to_vec(), true)], "at the end of the capture");

    let later = fragment(100, 8, 0, b"later", false);
    all.push(later);
    assert_eq!(shown(&all)[0], (payload[..1600].to_vec(), true), "when its time is over");
    assert_eq!(shown(&all[1..3]), [], "without its first fragment it is nobody's");
}

#[test]
fn other_ports_are_shown_as_far_as_the_first_fragment_goes() {
    let payload = payload(3000);
    let mut all = fragments(7, &payload, &[1472]);
    all[0].ports = [514, 514];
    assert_eq!(shown(&all), [(payload[..1472].to_vec(), true)]);
    all.reverse();
    assert_eq!(shown(&all), [(payload[..1472].to_vec(), true)]);
}

#[test]
fn an_overlap_leaves_the_datagram_incomplete() {
    let mut reassembly = Reassembly::default();
    let keep = |reassembly: &mut Reassembly, packet: &Packet<'_>| {
        let (key, direction) = Key::between(FROM, TO, [53, 40_000], protocol::UDP);
        reassembly.keep(packet, packet.fragment.unwrap(), key, direction)
    };
    let good = [1; 16];
    let evil = [2; 16];
    assert_eq!(keep(&mut reassembly, &fragment(1, 7, 0, &good, false)), Kept::Waits);
    assert_eq!(keep(&mut reassembly, &fragment(1, 7, 16, &evil, true)), Kept::Waits);
    let rest = keep(&mut reassembly, &fragment(1, 7, 24, &good, true));
    assert_eq!(rest, Kept::Whole([good, good].concat()));
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut reassembly = Reassembly::default();
    let (key, direction) = Key::between(FROM, TO, [0, 0], protocol::UDP);
    let long = payload(65_000);
    for n in 0..10_000_u32 {
        let bytes = &long[..if n % 2 == 0 { 8 } else { 65_000 }];
        let packet = fragment(1, n / 3, 64 + 65_000 * (n % 3), bytes, false);
        reassembly.keep(&packet, packet.fragment.unwrap(), key, direction);
        assert!(reassembly.bytes <= MAX_BYTES);
        assert!(reassembly.order.len() <= CAPACITY);
        assert!(reassembly.datagrams.len() <= reassembly.order.len());
    }
    let held: usize =
        reassembly.datagrams.values().flat_map(|partial| &partial.pieces).map(Piece::cost).sum();
    assert_eq!(held, reassembly.bytes);
    for n in 0..1000 {
        let packet = fragment(1, 99_999, 8 * n + 8, &[0; 8], false);
        reassembly.keep(&packet, packet.fragment.unwrap(), key, direction);
    }
    let most = reassembly.datagrams.values().map(|partial| partial.pieces.len()).max();
    assert_eq!(most, Some(MAX_PIECES));
}

proptest! {
    /// Whatever the order and the cuts: the whole payload, once.
    #[test]
    fn order_does_not_matter(
        cuts in prop::collection::btree_set(1_usize..100, 1..20),
        shuffle in any::<prop::sample::Index>(),
        keys in prop::collection::vec(any::<u32>(), 21),
    ) {
        let payload = payload(1000);
        let cuts: Vec<usize> = cuts.into_iter().map(|cut| cut * 8).collect();
        let mut all = fragments(7, &payload, &cuts);
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|&n| keys[n]);
        order.rotate_left(shuffle.index(all.len()));
        all = order.into_iter().map(|n| all[n].clone()).collect();
        prop_assert_eq!(shown(&all), vec![(payload, false)]);
    }
}
