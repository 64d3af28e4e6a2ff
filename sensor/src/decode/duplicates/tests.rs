use proptest::prelude::*;

use super::*;
use crate::capture::{Frame, LinkType};
use crate::decode::{packet, packet_unless};

/// An IPv4 packet with a TCP or UDP header as far as copies go.
#[derive(Debug, Clone)]
struct Sent {
    id: u16,
    sequence: u32,
    tcp: bool,
    payload: Vec<u8>,
}

impl Sent {
    fn ip(&self, ttl: u8) -> Vec<u8> {
        let mut above = vec![0xc3, 0x50, 1, 187];
        if self.tcp {
            above.extend(self.sequence.to_be_bytes());
            above.extend([0, 0, 0, 7, 0x50, 0x18, 1, 1, 0, 0, 0, 0]);
        } else {
            above.extend([((self.payload.len() + 8) >> 8) as u8, (self.payload.len() + 8) as u8]);
            let sum = self.payload.iter().zip(1u16..).fold(0, |sum: u16, (byte, at)| {
                sum.wrapping_add(u16::from(*byte).wrapping_mul(at))
            });
            // 0 would say that there is none (RFC 768).
            above.extend(sum.max(1).to_be_bytes());
        }
        above.extend(&self.payload);
        let length = (20 + above.len()) as u16;
        let [l0, l1] = length.to_be_bytes();
        let [i0, i1] = self.id.to_be_bytes();
        let protocol = if self.tcp { 6 } else { 17 };
        // The header's checksum follows the time to live.
        let head = [0x45, ttl, l0, l1, i0, i1, 0x40, 0, ttl, protocol, ttl, !ttl];
        [&head[..], &[10, 0, 0, 1, 203, 0, 113, 7], &above].concat()
    }

    /// In a frame with these MAC addresses and this VLAN, padded to what Ethernet asks for.
    fn frame(&self, ttl: u8, mac: u8, vlan: Option<u16>) -> Vec<u8> {
        let mut frame = vec![mac; 12];
        if let Some(vlan) = vlan {
            frame.extend([0x81, 0]);
            frame.extend(vlan.to_be_bytes());
        }
        frame.extend([8, 0]);
        frame.extend(self.ip(ttl));
        frame.resize(frame.len().max(60), mac);
        frame
    }
}

fn sent() -> impl Strategy<Value = Sent> {
    (any::<u16>(), any::<u32>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..120))
        .prop_map(|(id, sequence, tcp, payload)| Sent { id, sequence, tcp, payload })
}

fn at(micros: u64) -> Timestamp {
    Timestamp::from_nanos(1_800_000_000_000_000_000 + micros * 1000)
}

/// Whether the frame is passed over as a copy.
fn is_copy(duplicates: &mut Duplicates, bytes: &[u8], micros: u64) -> bool {
    let (time, wire_len) = (at(micros), bytes.len() as u32);
    let frame = Frame { time, wire_len, link: LinkType::ETHERNET, vlan: None, mark: None, bytes };
    packet_unless(&frame, |ip| duplicates.is_copy(ip, time)).unwrap().is_none()
}

proptest! {
    #[test]
    fn what_a_router_and_a_switch_change_makes_no_other_packet(
        sent in sent(), ttl in 2u8.., mac in (0u8..100).prop_map(|mac| mac * 2),
        vlan in proptest::option::of(1u16..4000), apart in 0u64..1900, first in any::<bool>(),
    ) {
        let mut duplicates = Duplicates::default();
        let (plain, routed) = (sent.frame(ttl, 2, None), sent.frame(ttl - 1, mac, vlan));
        let (one, other) = if first { (plain, routed) } else { (routed, plain) };
        prop_assert!(!is_copy(&mut duplicates, &one, 5000));
        // Ports' queues reorder: the later one may come with the earlier time.
        prop_assert!(is_copy(&mut duplicates, &other, 5000 + apart - 2 * (apart % 2) * apart.min(900)));
        prop_assert_eq!(duplicates.count(), 1);
    }

    #[test]
    fn what_is_sent_again_is_no_copy(sent in sent(), id in 1u16.., later in 2100u64..10_000_000) {
        let mut duplicates = Duplicates::default();
        let again = Sent { id: sent.id.wrapping_add(id), ..sent.clone() };
        prop_assert!(!is_copy(&mut duplicates, &sent.frame(64, 2, None), 0));
        prop_assert!(!is_copy(&mut duplicates, &again.frame(64, 2, None), 10));
        prop_assert!(!is_copy(&mut duplicates, &sent.frame(64, 2, None), later));
    }

    #[test]
    fn datagrams_without_an_id_are_told_apart_by_their_contents(
        payload in proptest::collection::vec(any::<u8>(), 1..400), at in any::<proptest::sample::Index>(),
    ) {
        let mut duplicates = Duplicates::default();
        let one = Sent { id: 0, sequence: 0, tcp: false, payload };
        let mut other = one.clone();
        other.payload[at.index(one.payload.len())] ^= 1;
        let place = |sent: &Sent| duplicates.hash(&sent.ip(64)).unwrap() as usize % PLACES;
        // Else one hides the other, as the module's text says.
        prop_assume!(place(&one) != place(&other));
        prop_assert!(!is_copy(&mut duplicates, &one.frame(64, 2, None), 0));
        prop_assert!(!is_copy(&mut duplicates, &other.frame(64, 2, None), 1));
        // What nothing in the packet tells apart is counted once: said in the module's text.
        prop_assert!(is_copy(&mut duplicates, &one.frame(64, 2, None), 2));
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut duplicates = Duplicates::default();
        let first = duplicates.is_copy(&bytes, at(0));
        prop_assert!(!first);
        duplicates.is_copy(&bytes, at(1));
    }
}

/// An IPv6 packet with this above its header.
fn six(next: u8, above: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, above.len() as u8, next, 64];
    packet.extend([1; 32]);
    packet.extend(above);
    packet
}

#[test]
fn every_prefix_of_a_packet_is_taken_and_every_byte_compared_counts() {
    let tcp = Sent { id: 7, sequence: 7, tcp: true, payload: vec![7; 40] }.ip(64);
    let mut gre = Sent { id: 0, sequence: 7, tcp: true, payload: vec![7; 140] }.ip(64);
    gre[9] = 47;
    let (plain, tunnel) = ([&[1; 6][..], &[1; 66]].concat(), [&[1; 6][..], &[0; 194]].concat());
    for (bytes, above, compared) in [
        (tcp, 20, SUMMED),
        (gre, 20, BARE),
        (six(6, &[1; 72]), 40, SUMMED),
        (six(17, &plain), 40, SUMMED),
        (six(17, &tunnel), 40, BARE),
        (six(0, &tunnel), 40, BARE),
        (six(58, &[9; 21]), 40, 21),
        (six(58, &[9; 5]), 40, 5),
    ] {
        for length in 0..=bytes.len() {
            Duplicates::default().is_copy(&bytes[..length], at(0));
        }
        let mut duplicates = Duplicates::default();
        assert!(!duplicates.is_copy(&bytes, at(0)));
        let mut routed = bytes.clone();
        let hops = if bytes[0] == 0x60 { 7 } else { 8 };
        routed[hops] -= 1;
        assert!(duplicates.is_copy(&routed, at(1)));
        for changed in above..above + compared {
            let mut other = routed.clone();
            other[changed] ^= 1;
            assert!(!duplicates.is_copy(&other, at(2)), "{changed} of {bytes:?}");
        }
    }
}

#[test]
fn interleaved_copies_count_once() {
    // Under a seed of chance one of them is hidden by another, once in a hundred runs.
    let mut duplicates = Duplicates::seeded(0);
    let packets: Vec<_> = (0..300u16)
        .map(|id| Sent { id, sequence: 1, tcp: true, payload: vec![1; 20] }.frame(64, 2, None))
        .collect();
    let mut copies = 0;
    for (nth, packets) in packets.chunks(3).enumerate() {
        for (n, packet) in packets.iter().chain(packets).enumerate() {
            copies += u64::from(is_copy(&mut duplicates, packet, (nth * 6 + n) as u64));
        }
    }
    assert_eq!((copies, duplicates.count()), (300, 300));
}

/// So many between the two that some copies are hidden: by the same packets each time.
#[test]
fn the_same_seed_misses_the_same_copies() {
    let packets: Vec<_> = (0..8000u32)
        .map(|sequence| {
            Sent { id: 1, sequence, tcp: true, payload: vec![1; 20] }.frame(64, 2, None)
        })
        .collect();
    let found = |mut duplicates: Duplicates| {
        let mut copies = packets.iter().chain(&packets);
        copies.by_ref().take(packets.len()).for_each(|packet| {
            assert!(!is_copy(&mut duplicates, packet, 0));
        });
        copies.map(|packet| is_copy(&mut duplicates, packet, 1)).collect::<Vec<_>>()
    };
    let copies = found(Duplicates::seeded(7));
    let hidden = copies.iter().filter(|copy| !**copy).count();
    assert!((1..2000).contains(&hidden), "{hidden}");
    assert_eq!(copies, found(Duplicates::seeded(7)));
    assert_ne!(copies, found(Duplicates::seeded(8)));
}

#[test]
fn of_five_million_different_packets_within_a_moment_none_is_a_copy() {
    let mut duplicates = Duplicates::default();
    let mut ip = Sent { id: 0, sequence: 0, tcp: true, payload: vec![0; 12] }.ip(64);
    for sequence in 0..5_000_000u32 {
        ip[24..28].copy_from_slice(&sequence.to_be_bytes());
        duplicates.is_copy(&ip, at(u64::from(sequence / 5000)));
    }
    assert_eq!(duplicates.count(), 0);
}

/// Two hosts mirror the same packet, each in a tunnel of its own: another sender, another number.
#[test]
fn what_two_exporters_wrap_is_one_packet() {
    let mut duplicates = Duplicates::default();
    let inner =
        |sequence| Sent { id: 7, sequence, tcp: true, payload: vec![3; 40] }.frame(64, 2, None);
    let erspan = |exporter: u8, number: u8, inner: &[u8]| {
        let gre = [0x10, 0, 0x88, 0xbe, 0, 0, 0, number, 0x10, 1, 0, exporter, 0, 0, 0, 0];
        let length = (20 + gre.len() + inner.len()) as u8;
        let outer =
            [69, 0, 0, length, 0, number, 0, 0, 64, 47, 0, 0, 172, 16, 0, exporter, 172, 16, 0, 9];
        let ethernet = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, exporter, 8, 0];
        [&ethernet[..], &outer, &gre, inner].concat()
    };
    assert!(!is_copy(&mut duplicates, &erspan(1, 1, &inner(1)), 0));
    assert!(!is_copy(&mut duplicates, &erspan(1, 2, &inner(2)), 1));
    assert!(is_copy(&mut duplicates, &erspan(2, 9, &inner(1)), 2));
    assert!(is_copy(&mut duplicates, &inner(2), 3), "bare, from another port");
    assert!(!is_copy(&mut duplicates, &erspan(2, 10, &inner(3)), 4));
}

#[test]
fn without_copies_a_packet_is_what_it_is() {
    let bytes = Sent { id: 1, sequence: 2, tcp: true, payload: vec![3; 9] }.frame(64, 2, Some(5));
    let frame = Frame {
        time: at(0),
        wire_len: 90,
        link: LinkType::ETHERNET,
        vlan: None,
        mark: None,
        bytes: &bytes,
    };
    let all = packet_unless(&frame, |_| false).unwrap().unwrap();
    assert_eq!(format!("{all:?}"), format!("{:?}", packet(&frame).unwrap()));
}
