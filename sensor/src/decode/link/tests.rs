use etherparse::PacketBuilder;

use super::*;
use crate::decode::{Packet, packet};
use crate::time::Timestamp;

const A: [u8; 6] = [0, 0x50, 0x56, 0x80, 0, 1];
const B: [u8; 6] = [0, 0x1c, 0x73, 0, 0, 1];
const C: [u8; 6] = [0, 0x1c, 0x73, 0, 0, 2];
const D: [u8; 6] = [0, 0x1c, 0x73, 0, 0, 3];
const SNAP: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

fn ip() -> Vec<u8> {
    let mut bytes = Vec::new();
    PacketBuilder::ipv4([10, 20, 0, 5], [203, 0, 113, 7], 64)
        .udp(40_000, 53)
        .write(&mut bytes, b"hello")
        .unwrap();
    bytes
}

fn read(link: LinkType, bytes: &[u8]) -> Result<Packet<'_>, Refusal> {
    let wire_len = bytes.len() as u32;
    packet(&Frame { time: Timestamp::ZERO, wire_len, link, vlan: None, mark: None, bytes })
}

/// The packet must be found behind `header`, whatever pads the frame.
fn assert_finds(link: LinkType, header: &[u8], macs: Option<[[u8; 6]; 2]>) {
    let bytes = [header, &ip(), &[0xee; 4]].concat();
    let packet = read(link, &bytes).unwrap_or_else(|refusal| panic!("{link:?}: {refusal:?}"));
    assert_eq!(packet.payload, b"hello", "{link:?}");
    assert_eq!(packet.macs, macs.map(|macs| macs.map(Mac)), "{link:?}");
    assert_eq!(packet.wire_len as usize, bytes.len());
    for end in 0..header.len() {
        let cut = read(link, &bytes[..end]);
        assert!(cut.is_err(), "{link:?} cut after {end} bytes: {cut:?}");
    }
}

#[test]
fn the_list_of_supported_types_is_what_is_read() {
    for link in (0..=300).map(LinkType) {
        let is_read = !matches!(read(link, &[]), Err(Refusal::LinkType));
        assert_eq!(link.is_supported(), is_read, "{link:?}");
    }
}

#[test]
fn hosts() {
    assert_finds(LinkType::LINUX_SLL, &[&[0; 14][..], &[8, 0]].concat(), None);
    assert_finds(LinkType::LINUX_SLL2, &[&[8, 0][..], &[0; 18]].concat(), None);
    assert_finds(LinkType::NULL, &[2, 0, 0, 0], None);
    assert_finds(LinkType::LOOP, &[0, 0, 0, 2], None);
    assert_finds(LinkType::ENC, &[[0, 0, 0, 2], [0; 4], [0; 4]].concat(), None);
    assert_finds(LinkType::PFLOG, &[&[61][..], &[0; 63]].concat(), None);
    assert_finds(LinkType::IPNET, &[0; 24], None);
    let pktap = [&[24, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0][..], &[0; 12]].concat();
    assert_finds(LinkType::PKTAP, &pktap, None);
    assert_eq!(read(LinkType::NULL, &[7, 0, 0, 0]).unwrap_err(), Refusal::NotIp);
}

#[test]
fn netfilter_logs_of_either_byte_order() {
    let length = ip().len() as u8 + 4;
    let little = [&[2, 0, 0, 0][..], &[5, 0, 10, 0, 7, 0, 0, 0], &[length, 0, 9, 0]].concat();
    let big = [&[2, 0, 0, 0][..], &[0, 5, 0, 10, 7, 0, 0, 0], &[0, length, 0, 9]].concat();
    assert_finds(LinkType::NFLOG, &little, None);
    assert_finds(LinkType::NFLOG, &big, None);
    assert_eq!(read(LinkType::NFLOG, &[2, 0, 0, 0]).unwrap_err(), Refusal::LinkTruncated);
}

/// Tags of port extenders and PPPoE sessions, also behind a VLAN.
#[test]
fn headers_between_ethernet_and_ip() {
    let macs = [&B[..], &A].concat();
    let refused = |header: &[u8]| {
        let bytes = [&macs[..], header, &ip()].concat();
        read(LinkType::ETHERNET, &bytes).unwrap_err()
    };
    let vntag = [0x89, 0x26, 0x80, 1, 0, 2];
    let etag = [0x89, 0x3f, 0, 1, 0, 2, 0, 0];
    let session = [0x88, 0x64, 0x11, 0, 0, 1, 0, 0];
    for header in [
        [&vntag[..], &[8, 0]].concat(),
        [&[0x81, 0, 0, 7], &vntag[..], &[0x81, 0, 0, 8, 8, 0]].concat(),
        [&etag[..], &[8, 0]].concat(),
        [&session[..], &[0, 0x21]].concat(),
        [&session[..], &[0x21]].concat(),
        [&[0x81, 0, 0, 7], &session[..], &[0, 0x57]].concat(),
    ] {
        assert_finds(LinkType::ETHERNET, &[&macs[..], &header].concat(), Some([A, B]));
    }
    let many = [&vntag[..], &etag, &vntag, &[8, 0]].concat();
    assert_eq!(refused(&many), Refusal::LinkNesting);
    assert_eq!(refused(&[&session[..], &[0xc0, 0x21]].concat()), Refusal::NotIp, "LCP");
    let mut discovery = [&session[..], &[0, 0x21]].concat();
    discovery[3] = 9;
    assert_eq!(refused(&discovery), Refusal::NotIp);
}

#[test]
fn local_networks() {
    assert_finds(LinkType::FDDI, &[&[0x50][..], &A, &B, SNAP].concat(), None);
    let ring = [&[0x10, 0x40][..], &B, &A, SNAP].concat();
    assert_finds(LinkType::TOKEN_RING, &ring, Some([A, B]));
    let source = [A[0] | 0x80, A[1], A[2], A[3], A[4], A[5]];
    let routed = [&[0x10, 0x40][..], &B, &source, &[0xc4, 0, 1, 2], SNAP].concat();
    assert_finds(LinkType::TOKEN_RING, &routed, Some([A, B]));
    assert_finds(LinkType::IP_OVER_FC, &[&[0; 16], SNAP].concat(), None);
    assert_finds(LinkType::ATM_RFC1483, SNAP, None);
    assert_finds(LinkType::ATM_RFC1483, &[6, 6, 3], None);
    assert_finds(LinkType::IPOIB, &[&[0; 40][..], &[8, 0, 0, 0]].concat(), None);
    assert_finds(LinkType::ARCNET, &[1, 2, 240], None);
    assert_finds(LinkType::ARCNET, &[1, 2, 212, 0, 0, 1], None);
    assert_finds(LinkType::ARCNET, &[1, 2, 212, 0xff, 0, 1, 0, 0, 0, 1], None);
    assert_finds(LinkType::ARCNET_LINUX, &[1, 2, 0, 0, 212, 0, 0, 1], None);
    let later_part = [&[1, 2, 212, 2, 0, 1][..], &ip()].concat();
    assert_eq!(read(LinkType::ARCNET, &later_part).unwrap_err(), Refusal::NotIp);
}

#[test]
fn serial_lines() {
    assert_finds(LinkType::PPP, &[0xff, 3, 0, 0x21], None);
    assert_finds(LinkType::PPP, &[0, 0x21], None);
    assert_finds(LinkType::PPP, &[0x21], None);
    assert_finds(LinkType::PPP, &[0xff, 3, 2, 0x81, 0, 1, 0x41, 64], None);
    assert_finds(LinkType::PPP_HDLC, &[0x0f, 0, 8, 0], None);
    assert_finds(LinkType::C_HDLC, &[0x8f, 0, 8, 0], None);
    assert_finds(LinkType::FRELAY, &[0x18, 0x61, 8, 0], None);
    assert_finds(LinkType::FRELAY, &[0x18, 0x61, 3, 0xcc], None);
    assert_finds(LinkType::FRELAY, &[0x18, 0x60, 0x61, 3, 0, 0x80, 0, 0, 0, 8, 0], None);
    let juniper = [b"MGC\x80".as_slice(), &[0, 3, 1, 1, 1]].concat();
    assert_finds(LinkType::JUNIPER_PPP, &[&juniper[..], &[0, 0x21]].concat(), None);
    assert_finds(LinkType::JUNIPER_FRELAY, b"MGC\0\x18\x61\x08\0", None);
    let ethernet = [&juniper[..], &B, &A, &[8, 0]].concat();
    assert_finds(LinkType::JUNIPER_ETHER, &ethernet, Some([A, B]));
}

#[test]
fn switch_tags() {
    let marvell = [&B[..], &A, &[0x40, 0, 0, 0], &[8, 0]].concat();
    assert_finds(LinkType::DSA_TAG_DSA, &marvell, Some([A, B]));
    let with_type = [&B[..], &A, &[0xda, 0xda, 0, 0, 0x40, 0, 0, 0], &[8, 0]].concat();
    assert_finds(LinkType::DSA_TAG_EDSA, &with_type, Some([A, B]));
}

/// A data frame's header: kind, flags, three addresses and more.
fn radio(kind: u8, flags: u8, addresses: [[u8; 6]; 3], rest: &[u8]) -> Vec<u8> {
    [&[kind, flags, 0, 0], addresses.as_flattened(), &[0x10, 0], rest].concat()
}

#[test]
fn radio_frames_in_each_direction() {
    for (flags, addresses, rest) in
        [(0, [B, A, C], &[][..]), (1, [C, A, B], &[]), (2, [B, C, A], &[]), (3, [C, D, B], &A)]
    {
        let plain = radio(8, flags, addresses, &[rest, SNAP].concat());
        assert_finds(LinkType::IEEE802_11, &plain, Some([A, B]));
        let qos = radio(0x88, flags, addresses, &[rest, &[6, 0], SNAP].concat());
        assert_finds(LinkType::IEEE802_11, &qos, Some([A, B]));
        let padded = radio(0x88, flags, addresses, &[rest, &[6, 0], &[0, 0], SNAP].concat());
        assert_finds(LinkType::IEEE802_11, &padded, Some([A, B]));
        let ordered =
            radio(0x88, 0x80 | flags, addresses, &[rest, &[6, 0, 1, 2, 3, 4], SNAP].concat());
        assert_finds(LinkType::IEEE802_11, &ordered, Some([A, B]));
    }
    let aggregate = radio(0x88, 1, [C, A, B], &[&[0x80, 0][..], &B, &A, &[0, 41], SNAP].concat());
    assert_finds(LinkType::IEEE802_11, &aggregate, Some([A, B]));
}

#[test]
fn radio_frames_without_a_packet_to_read() {
    let refusal =
        |frame: Vec<u8>| read(LinkType::IEEE802_11, &[&frame[..], &ip()].concat()).unwrap_err();
    assert_eq!(refusal(radio(0x80, 0, [A, B, C], SNAP)), Refusal::NotIp, "a beacon");
    assert_eq!(refusal(radio(0x48, 1, [A, B, C], SNAP)), Refusal::NotIp, "no data");
    let mut later = radio(8, 1, [A, B, C], SNAP);
    later[22] = 0x11;
    assert_eq!(refusal(later), Refusal::NotIp, "a later fragment");
    assert_eq!(refusal(radio(8, 0x41, [A, B, C], &[1; 8])), Refusal::LinkEncrypted);
    let decrypted = radio(8, 0x41, [C, A, B], SNAP);
    assert_finds(LinkType::IEEE802_11, &decrypted, Some([A, B]));
}

#[test]
fn headers_before_radio_frames() {
    let frame = radio(8, 1, [C, A, B], SNAP);
    let behind = |header: &[u8]| [header, &frame].concat();
    let found = Some([A, B]);
    assert_finds(LinkType::RADIOTAP, &behind(&[0, 0, 9, 0, 0, 0, 0, 0, 0]), found);
    assert_finds(LinkType::PPI, &behind(&[0, 0, 8, 0, 105, 0, 0, 0]), found);
    assert_finds(LinkType::PRISM, &behind(&[0; 144]), found);
    let avs = [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 12][..], &[0; 4]].concat();
    assert_finds(LinkType::AVS, &behind(&avs), found);
    assert_finds(LinkType::PRISM, &behind(&avs), found);
    let nested = read(LinkType::PPI, &[0, 0, 8, 0, 192, 0, 0, 0]).unwrap_err();
    assert_eq!(nested, Refusal::LinkNesting);
}
