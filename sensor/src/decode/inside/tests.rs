use proptest::prelude::*;

use super::*;
use egret_tests::traffic::path;
use egret_tests::wire::tunnel::Above;
use egret_tests::wire::{Endpoint, Frame, Payload, Segment, flag, tunnel};

/// A frame with a segment of so many bytes, over IPv6 or IPv4.
fn frame(v6: bool, length: usize) -> Vec<u8> {
    let [client, server] =
        if v6 { ["2001:db8::11", "2001:db8:1::5"] } else { ["10.20.0.11", "203.0.113.5"] };
    let end = |ip: &str, port| Endpoint { mac: [2; 6], ip: ip.parse().unwrap(), port };
    let way = path(end(client, 50_000), end(server, 443));
    let segment = Segment { flags: flag::ACK, sequence: 7, acknowledgment: 1 };
    let mut frame = Frame::new(1);
    frame.tcp(&way, segment, Payload::whole(&vec![7; length]));
    frame.bytes().to_vec()
}

fn found(payload: &[u8]) -> Option<&[u8]> {
    find(payload, payload.len() as u32).map(|inside| {
        assert_eq!(inside.wire_len as usize, inside.ip.len());
        inside.ip
    })
}

/// What is behind the UDP header.
fn payload(above: &Above) -> Vec<u8> {
    above.bytes[8..].to_vec()
}

#[test]
fn a_packet_is_found_behind_each_wrapping() {
    for v6 in [false, true] {
        let whole = frame(v6, 300);
        let tagged = [&whole[..12], &[0x81, 0, 0, 7], &whole[12..]].concat();
        let kind = if v6 { 0x86dd } else { 0x0800 };
        let payloads = [
            whole[14..].to_vec(),
            whole.clone(),
            tagged,
            payload(&tunnel::vxlan(&whole)),
            payload(&tunnel::geneve(0x6558, 0, &whole)),
            payload(&tunnel::geneve(kind, 3, &whole[14..])),
            tunnel::erspan_2(&whole).bytes,
            tunnel::erspan_3(0, true, &whole).bytes,
            tunnel::gre(0x20, kind, &whole[14..]).bytes,
            // TZSP: version, type, protocol, and no field but the last.
            [&[1, 0, 0, 1, 1], &whole[..]].concat(),
        ];
        for (number, payload) in payloads.iter().enumerate() {
            assert_eq!(found(payload), Some(&whole[14..]), "{number}, IPv6 {v6}");
        }
    }
}

#[test]
fn padding_of_a_short_frame_and_what_a_mirror_cuts_off_do_not_hide_it() {
    let mut short = frame(false, 0);
    short.resize(60, 0);
    assert_eq!(found(&payload(&tunnel::vxlan(&short))).map(|ip| &ip[..40]), Some(&short[14..54]));
    short.splice(12..12, [0x81, 0, 0, 7]);
    short.truncate(60);
    assert_eq!(found(&payload(&tunnel::vxlan(&short))).map(|ip| &ip[..40]), Some(&short[18..58]));
    let long = frame(false, 1000);
    assert_eq!(found(&payload(&tunnel::vxlan(&long[..128]))), Some(&long[14..128]));
    // Of what the snap length cut off here, the length on the wire tells.
    let cut = payload(&tunnel::vxlan(&long));
    let inside = find(&cut[..100], cut.len() as u32).unwrap();
    assert_eq!((inside.ip.len(), inside.wire_len as usize), (100 - 22, long.len() - 14));
}

#[test]
fn what_does_not_fit_is_no_packet() {
    let whole = frame(false, 300);
    let changed = |at: usize, to: u8| {
        let mut bytes = whole.clone();
        bytes[at] = to;
        found(&bytes).is_some()
    };
    assert!(!changed(14, 0x55), "version");
    assert!(!changed(22, whole[22] - 1), "checksum");
    assert!(!changed(12, 0x86), "EtherType");
    assert!(!changed(16, 0), "length");
    assert_eq!(found(&[&whole[..], &[0]].concat()), None, "more than it states");
    assert_eq!(found(&whole[17..]), None, "at no place where a wrapping ends");
    assert_eq!(found(&[&[0; 69], &whole[..]].concat()), None, "behind what no wrapping has");
    let whole = frame(true, 300);
    assert_eq!(found(&whole[..whole.len() - 1]), None, "less than IPv6 states");
}

proptest! {
    #[test]
    fn random_bytes_hold_nothing_and_break_nothing(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        wire_len in 0_u32..2000,
    ) {
        if let Some(inside) = find(&bytes, wire_len) {
            // One in a million; and then what was found is in there.
            prop_assert!(bytes.ends_with(inside.ip));
        }
    }
}
