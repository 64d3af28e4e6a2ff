use std::net::IpAddr;

use etherparse::{IpNumber, PacketBuilder};
use proptest::prelude::*;

use super::*;
use crate::decode::{Mac, Refusal, packet};

const VTEPS: [Mac; 2] = [Mac([2; 6]), Mac([4; 6])];
const GUESTS: [Mac; 2] = [Mac([0, 0x50, 0x56, 0x80, 0, 1]), Mac([0, 0x50, 0x56, 0x80, 0, 2])];

fn ethernet(bytes: &[u8]) -> Frame<'_> {
    Frame {
        time: Timestamp::from_nanos(7),
        wire_len: bytes.len() as u32,
        link: LinkType::ETHERNET,
        vlan: None,
        mark: None,
        bytes,
    }
}

/// What a guest sends: TCP in IP in Ethernet.
fn guest(v6: bool) -> Vec<u8> {
    let link = PacketBuilder::ethernet2(GUESTS[0].0, GUESTS[1].0);
    let ip = if v6 {
        link.ipv6([0xfd; 16], [0x26; 16], 64)
    } else {
        link.ipv4([10, 20, 0, 5], [203, 0, 113, 7], 64)
    };
    let mut bytes = Vec::new();
    ip.tcp(40_000, 443, 1000, 64_000).syn().write(&mut bytes, b"payload").unwrap();
    bytes
}

/// A packet between the tunnel's ends.
fn outer(v6: bool, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let link = PacketBuilder::ethernet2(VTEPS[0].0, VTEPS[1].0);
    let mut bytes = Vec::new();
    if v6 {
        link.ipv6([0xfc; 16], [0xfb; 16], 64).write(&mut bytes, IpNumber(protocol), payload)
    } else {
        link.ipv4([172, 16, 0, 1], [172, 16, 0, 2], 64).write(
            &mut bytes,
            IpNumber(protocol),
            payload,
        )
    }
    .unwrap();
    bytes
}

fn ends(v6: bool) -> [IpAddr; 2] {
    if v6 {
        [[0xfc; 16].into(), [0xfb; 16].into()]
    } else {
        [[172, 16, 0, 1].into(), [172, 16, 0, 2].into()]
    }
}

fn vxlan_to(port: u16, header: [u8; 8], inner: &[u8]) -> Vec<u8> {
    let length = (8 + 8 + inner.len()) as u16;
    let [p0, p1] = port.to_be_bytes();
    let [l0, l1] = length.to_be_bytes();
    [&[0xc0, 0, p0, p1, l0, l1, 0, 0][..], &header, inner].concat()
}

fn vxlan(inner: &[u8]) -> Vec<u8> {
    vxlan_to(VXLAN_PORT, [8, 0, 0, 0, 0x12, 0x34, 0x56, 0], inner)
}

/// GRE with the options that `flags` names.
fn gre(flags: u8, carries: u16, inner: &[u8]) -> Vec<u8> {
    let [c0, c1] = carries.to_be_bytes();
    let mut bytes = vec![flags, 0, c0, c1];
    for (flag, option) in [(0x80, [0xbe; 4]), (0x20, [0, 0, 1, 2]), (0x10, [0, 0, 0, 9])] {
        if flags & flag != 0 {
            bytes.extend(option);
        }
    }
    bytes.extend(inner);
    bytes
}

/// ERSPAN type II, VLAN 7, session 0x155, port 3.
fn erspan(inner: &[u8]) -> Vec<u8> {
    gre(0x10, 0x88be, &[&[0x10, 7, 0x31, 0x55, 0, 0, 0, 3], inner].concat())
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    tunnel: Tunnel,
    inner: Vec<u8>,
    has_link: bool,
}

/// Every kind over and with both versions of IP.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (outside, inside) in [(false, false), (false, true), (true, false), (true, true)] {
        let frame = guest(inside);
        let ip = &frame[14..];
        let mut tagged = frame.clone();
        tagged.splice(12..12, [0x81, 0, 0, 7]);
        let [source, destination] = ends(outside);
        let mut add = |name: String, protocol, payload: &[u8], kind, id, inner: &[u8], has_link| {
            cases.push(Case {
                name: format!("{name}, IPv6 {outside} {inside}"),
                bytes: outer(outside, protocol, payload),
                tunnel: Tunnel { kind, id, source, destination },
                inner: inner.to_vec(),
                has_link,
            });
        };
        for frame in [&frame, &tagged] {
            let id = Some(0x0012_3456);
            add("VXLAN".into(), 17, &vxlan(frame), TunnelKind::Vxlan, id, frame, true);
            let kind = TunnelKind::Erspan;
            add("ERSPAN I".into(), 47, &gre(0, 0x88be, frame), kind, None, frame, true);
            add("ERSPAN II".into(), 47, &erspan(frame), kind, Some(0x155), frame, true);
        }
        for flags in [0, 0x80, 0x20, 0x10, 0xa0, 0x90, 0x30, 0xb0] {
            let id = (flags & 0x20 != 0).then_some(0x0102);
            let version = if inside { 0x86dd } else { 0x0800 };
            for (carries, inner, has_link) in [(version, ip, false), (0x6558, &frame[..], true)] {
                let name = format!("GRE {flags:02x} {carries:04x}");
                let payload = gre(flags, carries, inner);
                add(name, 47, &payload, TunnelKind::Gre, id, inner, has_link);
            }
        }
    }
    cases
}

/// The packet is the one that would have come without the tunnel, and says which tunnel that was.
#[test]
fn every_kind_leads_to_the_packet_inside() {
    for Case { name, bytes, tunnel, inner, has_link } in cases() {
        let link = if has_link { LinkType::ETHERNET } else { LinkType::RAW };
        let bare = packet(&Frame { link, ..ethernet(&inner) }).unwrap();
        // Padding of the outer link is not the inner packet's.
        for padding in [0, 6] {
            let bytes = [&bytes[..], &vec![0xaa; padding]].concat();
            let read = packet(&ethernet(&bytes)).unwrap();
            assert_eq!(read.tunnel.and_then(Outer::read), Some(tunnel), "{name}");
            let without = Packet { tunnel: None, ..read };
            assert_eq!(format!("{without:?}"), format!("{bare:?}"), "{name}");
        }
    }
}

/// Wherever a capture ends, the packet is the inner one with its own length, or the outer one with
/// its; more bytes never say less.
#[test]
fn a_cut_at_any_byte_leaves_the_inner_packet_or_the_outer_one() {
    for Case { name, bytes, inner, .. } in cases() {
        let mut is_inside = false;
        for end in 0..=bytes.len() {
            let cut = Frame { wire_len: bytes.len() as u32, ..ethernet(&bytes[..end]) };
            let Ok(read) = packet(&cut) else {
                assert!(!is_inside, "{name}, {end} bytes");
                continue;
            };
            assert!(read.tunnel.is_some() || !is_inside, "{name}, {end} bytes");
            is_inside = read.tunnel.is_some();
            let expected = if is_inside { inner.len() } else { bytes.len() };
            assert_eq!(read.wire_len as usize, expected, "{name}, {end} bytes");
            assert!(read.tunnel.is_none_or(|outer| outer.read().is_some()), "{name}, {end} bytes");
            // The like where it is the wire that ends here.
            if let Ok(read) = packet(&ethernet(&bytes[..end])) {
                assert!(read.wire_len as usize <= end, "{name}, {end} bytes");
            }
        }
        assert!(is_inside, "{name}");
    }
}

#[test]
fn what_cannot_be_read_inside_stays_the_packet_outside() {
    let frame = guest(false);
    let arp = [&frame[..12], &[8, 6], &[0; 28]].concat();
    let datagram = |header, inner: &[u8]| outer(false, 17, &vxlan_to(VXLAN_PORT, header, inner));
    let with = |flags: [u8; 2]| {
        let mut bytes = gre(0, 0x6558, &frame);
        bytes[..2].copy_from_slice(&flags);
        outer(false, 47, &bytes)
    };
    let mut first_fragment = outer(false, 17, &vxlan(&frame));
    first_fragment[14 + 6] = 0x20;
    let mut later_fragment = outer(false, 47, &gre(0, 0x6558, &frame));
    later_fragment[14 + 7] = 1;
    let flags = |flags| [flags, 0, 0, 0, 0, 0, 7, 0];
    let cases = [
        ("VXLAN without an id", datagram(flags(0), &frame)),
        ("VXLAN-GPE without Ethernet", datagram(flags(0x0c), &frame)),
        ("VXLAN with ARP", datagram(flags(8), &arp)),
        ("VXLAN with nothing", datagram(flags(8), &[])),
        ("another port", outer(false, 17, &vxlan_to(4790, flags(8), &frame))),
        ("GRE with a route", with([0x40, 0])),
        ("GRE with an unknown flag", with([0x04, 0])),
        ("GRE of PPTP", with([0, 1])),
        ("GRE with ARP", outer(false, 47, &gre(0, 0x0806, &arp[14..]))),
        ("GRE with nothing", outer(false, 47, &[])),
        ("ERSPAN of an unknown version", outer(false, 47, &gre(0x10, 0x88be, &[0; 80]))),
        ("a first fragment", first_fragment),
        ("a later fragment", later_fragment),
    ];
    for (name, bytes) in cases {
        let read = packet(&ethernet(&bytes)).unwrap();
        assert_eq!([read.source, read.destination], ends(false), "{name}");
        assert!(matches!(read.protocol, protocol::UDP | protocol::GRE), "{name}");
        assert_eq!((read.wire_len as usize, read.tunnel), (bytes.len(), None), "{name}");
    }
    let mut broken = outer(false, 17, &vxlan(&frame));
    broken[14 + 20 + 5] = 7;
    assert_eq!(packet(&ethernet(&broken)).unwrap_err(), Refusal::UdpLength);
}

/// Bits that a receiver is to ignore (RFC 7348, RFC 2784), set; and VXLAN-GPE with Ethernet.
#[test]
fn reserved_bits_do_not_matter() {
    let frame = guest(false);
    for header in [[0x8b, 0x40, 1, 2, 0, 0, 5, 0xff], [0x0c, 0, 0, 3, 0, 0, 5, 0]] {
        let bytes = outer(false, 17, &vxlan_to(VXLAN_PORT, header, &frame));
        let tunnel = packet(&ethernet(&bytes)).unwrap().tunnel.and_then(Outer::read);
        assert_eq!(tunnel.and_then(|tunnel| tunnel.id), Some(5), "{header:?}");
    }
    let mut header = gre(0, 0x6558, &frame);
    (header[0], header[1]) = (0x03, 0xf8);
    assert!(packet(&ethernet(&outer(false, 47, &header))).unwrap().tunnel.is_some());
}

/// A mirror of VTEPs shows VXLAN in ERSPAN; what is in still another tunnel is left there.
#[test]
fn tunnels_in_tunnels_are_followed_so_deep() {
    let frame = guest(true);
    let in_vxlan = outer(true, 17, &vxlan(&frame));
    let in_both = outer(false, 47, &erspan(&in_vxlan));
    let read = packet(&ethernet(&in_both)).unwrap();
    assert_eq!((read.ports, read.wire_len as usize), ([40_000, 443], frame.len()));
    assert_eq!(read.macs, Some(GUESTS));
    let [source, destination] = ends(false);
    let outermost = Tunnel { kind: TunnelKind::Erspan, id: Some(0x155), source, destination };
    assert_eq!(read.tunnel.and_then(Outer::read), Some(outermost));

    let too_deep = outer(false, 47, &gre(0, 0x6558, &in_both));
    let read = packet(&ethernet(&too_deep)).unwrap();
    assert_eq!((read.ports, read.wire_len as usize), ([0xc000, VXLAN_PORT], in_vxlan.len()));
    assert_eq!([read.source, read.destination], ends(true));
    let kind = read.tunnel.and_then(Outer::read).map(|tunnel| tunnel.kind);
    assert_eq!(kind, Some(TunnelKind::Gre));
}

proptest! {
    /// Whatever bytes come in a tunnel: lengths that fit, a tunnel that can be told, no panic.
    #[test]
    fn any_bytes_inside_are_read_or_left(
        case in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        len in any::<prop::sample::Index>(),
        longer in 0u32..100_000,
    ) {
        let cases = cases();
        let mut bytes = case.get(&cases).bytes.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(len.index(bytes.len() + 1));
        let frame = Frame { wire_len: bytes.len() as u32 + longer, ..ethernet(&bytes) };
        if let Ok(packet) = packet(&frame) {
            prop_assert!(packet.payload.len() <= packet.payload_wire_len as usize);
            prop_assert!(packet.payload_wire_len <= packet.wire_len);
            prop_assert!(packet.wire_len <= frame.wire_len);
            prop_assert!(packet.tunnel.is_none_or(|outer| outer.read().is_some()));
        }
    }
}
