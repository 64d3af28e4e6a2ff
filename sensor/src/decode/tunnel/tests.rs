use std::net::IpAddr;

use egret_tests::wire::tunnel::{
    self as wrap, Above, ENDPOINT, KEY, NETWORK, SESSION, erspan_1, erspan_2, erspan_3, geneve,
    gre, gtp_u, ip_in_ip, nsh, nvgre, vxlan, vxlan_gpe,
};
use etherparse::PacketBuilder;

use super::*;
use crate::decode::{Mac, packet};

mod hostile;
mod left;
mod nested;

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

fn ends(v6: bool) -> [IpAddr; 2] {
    wrap::ENDS[usize::from(v6)].map(|end| end.parse().unwrap())
}

struct Case {
    name: String,
    bytes: Vec<u8>,
    tunnel: Tunnel,
    inner: Vec<u8>,
    link: LinkType,
}

/// A tunnel's name, what it puts above IP, what is told of it, and what it carries.
type Kind = (String, Above, TunnelKind, Option<u32>, Vec<u8>, LinkType);

/// Those that carry Ethernet frames.
fn of_ethernet(frame: &[u8]) -> Vec<Kind> {
    let kinds = [
        ("VXLAN", vxlan(frame), TunnelKind::Vxlan, Some(NETWORK)),
        ("VXLAN-GPE", vxlan_gpe(3, frame), TunnelKind::VxlanGpe, Some(NETWORK)),
        ("NSH", vxlan_gpe(4, &nsh(3, frame)), TunnelKind::VxlanGpe, Some(NETWORK)),
        ("GENEVE", geneve(0x6558, 0, frame), TunnelKind::Geneve, Some(NETWORK)),
        ("GENEVE, options", geneve(0x6558, 3, frame), TunnelKind::Geneve, Some(NETWORK)),
        ("NVGRE", nvgre(frame), TunnelKind::Nvgre, Some(NETWORK)),
        ("ERSPAN I", erspan_1(frame), TunnelKind::Erspan, None),
        ("ERSPAN II", erspan_2(frame), TunnelKind::Erspan, Some(SESSION)),
        ("ERSPAN III", erspan_3(0, false, frame), TunnelKind::Erspan, Some(SESSION)),
        ("ERSPAN III, platform", erspan_3(0, true, frame), TunnelKind::Erspan, Some(SESSION)),
    ];
    let kinds = kinds.map(|(name, above, kind, id)| {
        (name.to_owned(), above, kind, id, frame.to_vec(), LinkType::ETHERNET)
    });
    let gre = [0, 0x80, 0x20, 0x10, 0xa0, 0x90, 0x30, 0xb0].map(|flags| {
        let id = (flags & 0x20 != 0).then_some(KEY);
        let name = format!("GRE {flags:02x} with Ethernet");
        (name, gre(flags, 0x6558, frame), TunnelKind::Gre, id, frame.to_vec(), LinkType::ETHERNET)
    });
    [&kinds[..], &gre].concat()
}

/// Those that carry IP packets as they are.
fn of_ip(packet: &[u8]) -> Vec<Kind> {
    let (ether_type, number) = if packet[0] >> 4 == 6 { (0x86dd, 2) } else { (0x0800, 1) };
    let redirected = [&[0, 1, 2, 3][..], packet].concat();
    let teid = Some(ENDPOINT);
    let kinds = [
        ("VXLAN-GPE", vxlan_gpe(number, packet), TunnelKind::VxlanGpe, Some(NETWORK)),
        ("NSH", vxlan_gpe(4, &nsh(number, packet)), TunnelKind::VxlanGpe, Some(NETWORK)),
        ("GENEVE", geneve(ether_type, 0, packet), TunnelKind::Geneve, Some(NETWORK)),
        ("GENEVE, options", geneve(ether_type, 63, packet), TunnelKind::Geneve, Some(NETWORK)),
        ("GRE", gre(0x30, ether_type, packet), TunnelKind::Gre, Some(KEY)),
        ("GRE, WCCP", gre(0, 0x883e, &redirected), TunnelKind::Gre, None),
        ("ERSPAN III", erspan_3(2, true, packet), TunnelKind::Erspan, Some(SESSION)),
        ("IP in IP", ip_in_ip(packet), TunnelKind::IpInIp, None),
        ("GTP-U", gtp_u(0, 0, packet), TunnelKind::GtpU, teid),
        ("GTP-U, sequence", gtp_u(2, 0, packet), TunnelKind::GtpU, teid),
        ("GTP-U, extensions", gtp_u(6, 2, packet), TunnelKind::GtpU, teid),
    ];
    let kinds = kinds.map(|(name, above, kind, id)| {
        (format!("{name} with IP"), above, kind, id, packet.to_vec(), LinkType::RAW)
    });
    let protocol = if number == 2 { 0x57 } else { 0x21 };
    let ppp = [&[0xff, 3, 0, protocol], packet].concat();
    let gre = gre(0, 0x880b, &ppp);
    let ppp = ("GRE with PPP".to_owned(), gre, TunnelKind::Gre, None, ppp, LinkType::PPP);
    [&kinds[..], &[ppp]].concat()
}

/// Every kind over and with both versions of IP.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (outside, inside) in [(false, false), (false, true), (true, false), (true, true)] {
        let frame = guest(inside);
        let mut tagged = frame.clone();
        tagged.splice(12..12, [0x81, 0, 0, 7]);
        let kinds = [of_ethernet(&frame), of_ethernet(&tagged), of_ip(&frame[14..])].concat();
        let [source, destination] = ends(outside);
        cases.extend(kinds.into_iter().map(|(name, above, kind, id, inner, link)| Case {
            name: format!("{name}, IPv6 {outside} {inside}"),
            bytes: wrap::outer(outside, &above),
            tunnel: Tunnel { kind, id, depth: 1, source, destination },
            inner,
            link,
        }));
    }
    cases
}

/// The packet is the one that would have come without the tunnel, and says which tunnel that was.
#[test]
fn every_kind_leads_to_the_packet_inside() {
    let cases = cases();
    assert!(TunnelKind::ALL.iter().all(|kind| cases.iter().any(|case| case.tunnel.kind == *kind)));
    for Case { name, bytes, tunnel, inner, link } in cases {
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
            let depth = read.tunnel.and_then(Outer::read).map(|tunnel| tunnel.depth);
            assert_eq!(depth, is_inside.then_some(1), "{name}, {end} bytes");
            // The like where it is the wire that ends here.
            if let Ok(read) = packet(&ethernet(&bytes[..end])) {
                assert!(read.wire_len as usize <= end, "{name}, {end} bytes");
            }
        }
        assert!(is_inside, "{name}");
    }
}

/// Bits that a receiver is to ignore (RFC 7348, RFC 2784), set; and either form of VXLAN at the
/// other's port.
#[test]
fn reserved_bits_and_ports_of_vxlan_do_not_matter() {
    let frame = guest(false);
    let read = |above: &Above| {
        let bytes = wrap::outer(false, above);
        let tunnel = packet(&ethernet(&bytes)).unwrap().tunnel.and_then(Outer::read)?;
        Some((tunnel.kind, tunnel.id))
    };
    for (header, kind, id) in [
        ([0x8b, 0x40, 1, 2, 0, 0, 5, 0xff], TunnelKind::Vxlan, Some(5)),
        ([0x0c, 0, 0, 3, 0, 0, 5, 0], TunnelKind::VxlanGpe, Some(5)),
        ([0x04, 0, 0, 3, 0, 0, 0, 0], TunnelKind::VxlanGpe, None),
    ] {
        for port in [VXLAN_PORT, VXLAN_GPE_PORT] {
            assert_eq!(read(&wrap::udp(port, &header, &frame)), Some((kind, id)), "{header:?}");
        }
    }
    let mut header = gre(0, 0x6558, &frame);
    (header.bytes[0], header.bytes[1]) = (0x03, 0xf8);
    assert_eq!(read(&header), Some((TunnelKind::Gre, None)));
}

/// GRE with Ethernet and a key is NVGRE only with a subnet that RFC 7637 assigns, and without what it
/// forbids.
#[test]
fn nvgre_is_told_from_gre_by_its_subnet() {
    let frame = guest(false);
    let read = |flags, key| {
        let bytes = wrap::outer(false, &wrap::gre_with(flags, key, 0x6558, &frame));
        let tunnel = packet(&ethernet(&bytes)).unwrap().tunnel.and_then(Outer::read).unwrap();
        (tunnel.kind, tunnel.id)
    };
    let first = 0x1000 << 8;
    assert_eq!(read(0x20, first), (TunnelKind::Nvgre, Some(0x1000)));
    assert_eq!(read(0x20, 0xffff_feff), (TunnelKind::Nvgre, Some(0x00ff_fffe)));
    for (flags, key) in [(0x20, first - 1), (0x20, 0xffff_ff00), (0x20, 1), (0x30, first)] {
        assert_eq!(read(flags, key), (TunnelKind::Gre, Some(key)), "{key:#x}");
    }
}
