use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::*;
use crate::capture::LinkType;

const MACS: [Mac; 2] = [Mac([0, 0x50, 0x56, 0x80, 0, 1]), Mac([0, 0x1c, 0x73, 0, 0, 1])];

fn frame(link: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame {
        time: Timestamp::from_nanos(7),
        wire_len: bytes.len() as u32,
        link,
        vlan: None,
        mark: None,
        bytes,
    }
}

fn ethernet(bytes: &[u8]) -> Frame<'_> {
    frame(LinkType::ETHERNET, bytes)
}

/// An Ethernet frame with TCP, from `MACS[0]` to `MACS[1]`.
fn tcp(v6: bool, payload: &[u8]) -> Vec<u8> {
    let link = PacketBuilder::ethernet2(MACS[0].0, MACS[1].0);
    let ip = if v6 {
        link.ipv6([0xfd; 16], [0x26; 16], 64)
    } else {
        link.ipv4([10, 20, 0, 5], [203, 0, 113, 7], 64)
    };
    let mut bytes = Vec::new();
    ip.tcp(40_000, 443, 1000, 64_000).syn().write(&mut bytes, payload).unwrap();
    bytes
}

/// The same frame with other bytes between its MAC addresses and its IP packet.
fn between(frame: &[u8], inserted: &[u8]) -> Vec<u8> {
    [&frame[..12], inserted, &frame[14..]].concat()
}

fn assert_is_the_tcp_packet(packet: &Packet<'_>, payload: &[u8]) {
    assert_eq!(packet.source.to_string(), "10.20.0.5");
    assert_eq!(packet.destination.to_string(), "203.0.113.7");
    assert_eq!((packet.protocol, packet.ports), (protocol::TCP, [40_000, 443]));
    assert_eq!(packet.tcp, Some(Tcp { sequence: 1000, flags: tcp_flags::SYN }));
    assert_eq!((packet.payload, packet.payload_wire_len as usize), (payload, payload.len()));
}

/// A tag that the kernel took out is the outermost; of other links than Ethernet it says nothing.
#[test]
fn a_tag_in_metadata_stands_before_those_in_the_frame() {
    let bytes = tcp(false, b"x");
    let ids = |bytes: &[u8], link, vlan| {
        packet(&Frame { vlan, ..frame(link, bytes) }).unwrap().vlans.to_vec()
    };
    assert_eq!(ids(&bytes, LinkType::ETHERNET, Some(43)), [43]);
    assert!(ids(&bytes[14..], LinkType::RAW, Some(43)).is_empty());
    let mut tagged = bytes;
    tagged.splice(12..12, [0x81, 0, 0x20, 7]);
    assert_eq!(ids(&tagged, LinkType::ETHERNET, Some(43)), [43, 7]);
    assert_eq!(ids(&tagged, LinkType::ETHERNET, None), [7]);
}

#[test]
fn reads_through_vlan_qinq_mpls_and_snap() {
    let plain = tcp(false, b"hello");
    let inner = packet(&ethernet(&plain)).unwrap();
    assert_is_the_tcp_packet(&inner, b"hello");
    assert_eq!(inner.macs, Some(MACS));

    // Priority and drop bits are no part of the VLAN id.
    let qinq = between(&plain, &[0x88, 0xa8, 0xe0, 100, 0x81, 0, 0xf1, 0x23, 8, 0]);
    let packet_in_qinq = packet(&ethernet(&qinq)).unwrap();
    assert_is_the_tcp_packet(&packet_in_qinq, b"hello");
    assert_eq!(*packet_in_qinq.vlans, [100, 0x123]);

    let mpls = between(&plain, &[0x88, 0x47, 0, 1, 0x40, 64, 0, 1, 0x41, 64]);
    assert_is_the_tcp_packet(&packet(&ethernet(&mpls)).unwrap(), b"hello");

    let pseudowire = [&[0; 12][..], &[0x88, 0x47, 0, 1, 0x41, 64, 0, 0, 0, 0], &plain].concat();
    assert_is_the_tcp_packet(&packet(&ethernet(&pseudowire)).unwrap(), b"hello");

    let snap = between(&plain, &[0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
    assert_is_the_tcp_packet(&packet(&ethernet(&snap)).unwrap(), b"hello");
}

#[test]
fn reads_raw_ip() {
    let plain = tcp(false, b"x");
    let ip = &plain[14..];
    for (link, bytes) in [
        (LinkType::RAW, ip),
        (LinkType::RAW_BSD, ip),
        (LinkType::RAW_OPENBSD, ip),
        (LinkType::IPV4, ip),
    ] {
        assert_is_the_tcp_packet(&packet(&frame(link, bytes)).unwrap(), b"x");
    }
    assert_eq!(packet(&frame(LinkType(147), ip)).unwrap_err(), Refusal::LinkType);
}

#[test]
fn a_snap_length_costs_the_payload_not_the_lengths() {
    let whole = tcp(false, &[7; 1000]);
    let cut = Frame { bytes: &whole[..60], wire_len: whole.len() as u32, ..ethernet(&[]) };
    let packet_cut = packet(&cut).unwrap();
    assert_eq!(packet_cut.payload, [7; 60 - 54]);
    assert_eq!(packet_cut.payload_wire_len, 1000);
    assert_eq!(packet_cut.wire_len, 1054);

    let ports_only =
        Frame { bytes: &whole[..14 + 20 + 4], wire_len: whole.len() as u32, ..ethernet(&[]) };
    let ports_only = packet(&ports_only).unwrap();
    assert_eq!((ports_only.ports, ports_only.tcp), ([40_000, 443], None));
}

#[test]
fn padding_is_no_payload_and_offload_frames_are_whole() {
    let mut padded = tcp(false, b"");
    padded.resize(60, 0xaa);
    assert_is_the_tcp_packet(&packet(&ethernet(&padded)).unwrap(), b"");

    // Segmentation offload: the total length is filled in by the card, later.
    let mut offload = tcp(false, &[5; 30_000]);
    offload[16..18].copy_from_slice(&[0, 0]);
    assert_eq!(packet(&ethernet(&offload)).unwrap().payload_wire_len, 30_000);

    // A total length beyond the frame was never on the wire.
    let mut boast = tcp(false, b"abc");
    boast[16..18].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(packet(&ethernet(&boast)).unwrap().payload_wire_len, 3);
}

#[test]
fn walks_ipv6_extension_headers_in_any_order() {
    let plain = tcp(true, b"v6");
    let (ip, rest) = plain[14..].split_at(40);
    let mut ip = ip.to_vec();
    ip[6] = 0; // hop by hop
    let chain = [
        &[60, 0, 1, 4, 0, 0, 0, 0][..], // hop by hop, then destination options
        &[43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // 16 bytes, then routing
        &[51, 0, 4, 0, 0, 0, 0, 0],     // routing, then authentication
        &[44, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0], // 16 bytes, then fragment
        &[6, 0, 0, 0, 0, 0, 0, 9],      // atomic fragment, then TCP
    ]
    .concat();
    let length = (chain.len() + rest.len()) as u16;
    ip[4..6].copy_from_slice(&length.to_be_bytes());
    let bytes = [&plain[..14], &ip, &chain, rest].concat();
    let read = packet(&ethernet(&bytes)).unwrap();
    assert_eq!(
        (read.protocol, read.ports, read.payload),
        (protocol::TCP, [40_000, 443], &b"v6"[..])
    );
    assert_eq!(read.fragment, None, "an atomic fragment is a whole datagram");

    let endless = [&plain[..14], &ip, &[0; 200][..]].concat();
    assert_eq!(packet(&ethernet(&endless)).unwrap_err(), Refusal::Ipv6Extension);
}

#[test]
fn later_fragments_have_no_ports() {
    let mut bytes = tcp(false, &[1; 100]);
    bytes[20..22].copy_from_slice(&[0x20, 0]); // first of several
    let first = packet(&ethernet(&bytes)).unwrap();
    assert_eq!(first.ports, [40_000, 443]);
    assert!(first.fragment.is_some_and(|fragment| fragment.is_first() && !fragment.last));
    bytes[20..22].copy_from_slice(&[0, 10]);
    let later = packet(&ethernet(&bytes)).unwrap();
    assert_eq!((later.ports, later.tcp, later.payload.len()), ([0, 0], None, 20 + 100));

    assert_eq!(later.fragment, Some(Fragment { id: 0, offset: 80, last: true }));
}

#[test]
fn refusals_name_their_layer() {
    let plain = tcp(false, b"");
    let with = |at: usize, value: u8| {
        let mut bytes = plain.clone();
        bytes[at] = value;
        bytes
    };
    let cases: [(&[u8], Refusal); 9] = [
        (&plain[..13], Refusal::LinkTruncated),
        (&plain[..14], Refusal::LinkTruncated),
        (&with(12, 0x09), Refusal::NotIp),
        (&with(14, 0x55), Refusal::IpVersion),
        (&plain[..20], Refusal::Ipv4Truncated),
        (&with(14, 0x44), Refusal::Ipv4Length),
        (&with(17, 19), Refusal::Ipv4Length),
        (&plain[..14 + 20 + 3], Refusal::TcpTruncated),
        (&with(14 + 20 + 12, 0x40), Refusal::TcpLength),
    ];
    for (bytes, refusal) in cases {
        assert_eq!(packet(&ethernet(bytes)).unwrap_err(), refusal, "{}", refusal.reason());
    }
    let tags = between(&plain, &[0x81, 0, 0, 1].repeat(5));
    assert_eq!(packet(&ethernet(&tags)).unwrap_err(), Refusal::LinkNesting);
}

#[test]
fn a_udp_length_shorter_than_the_packet_bounds_the_payload() {
    let mut bytes = Vec::new();
    PacketBuilder::ethernet2(MACS[0].0, MACS[1].0)
        .ipv4([10, 0, 0, 1], [10, 0, 0, 53], 64)
        .udp(5000, 53)
        .write(&mut bytes, &[9; 20])
        .unwrap();
    bytes[14 + 20 + 5] = 8 + 12;
    let read = packet(&ethernet(&bytes)).unwrap();
    assert_eq!((read.payload.len(), read.payload_wire_len), (12, 12));
    bytes[14 + 20 + 5] = 7;
    assert_eq!(packet(&ethernet(&bytes)).unwrap_err(), Refusal::UdpLength);
}

proptest! {
    /// Whatever bytes come, at whatever length: an answer, lengths that fit, no panic.
    #[test]
    fn any_bytes_are_read_or_refused(
        start in prop::sample::select(vec![tcp(false, b"payload"), tcp(true, b"payload"), vec![0; 60]]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        len in any::<prop::sample::Index>(),
        link in prop::sample::select((0..300).filter(|&link| LinkType(link).is_supported()).collect::<Vec<u16>>()),
        longer in 0u32..100_000,
    ) {
        let mut bytes = start;
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(len.index(bytes.len() + 1));
        let wire_len = bytes.len() as u32 + longer;
        let frame = Frame { wire_len, ..frame(LinkType(link), &bytes) };
        if let Ok(packet) = packet(&frame) {
            prop_assert!(packet.payload.len() <= packet.payload_wire_len as usize);
            prop_assert!(packet.payload_wire_len <= wire_len);
        }
    }
}
