use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use egret_tests::traffic::{end, path};
use egret_tests::wire::{self, Path, Payload, Segment, flag};

use super::*;
use crate::time::Timestamp;

static NEXT: AtomicU64 = AtomicU64::new(1);

fn frame(bytes: &[u8]) -> Frame<'_> {
    Frame {
        // Far apart, so that none is taken for a copy of another.
        time: Timestamp::from_nanos(NEXT.fetch_add(1, Relaxed) * 1_000_000_000),
        wire_len: bytes.len() as u32,
        link: LinkType::ETHERNET,
        vlan: None,
        mark: None,
        bytes,
    }
}

fn segment(path: &Path, flags: u8, payload: &[u8]) -> Vec<u8> {
    let segment = Segment { flags, sequence: 1, acknowledgment: 1 };
    wire::Frame::new(1).tcp(path, segment, Payload::whole(payload)).bytes().to_vec()
}

fn tally(frames: &[Frame<'_>]) -> Seen {
    let own = Some(Mac([2, 0, 0, 0, 0, 9]));
    let mut tally = Tally::new(&Config::default(), own, Some(1500));
    tally.burst(frames);
    tally.finish()
}

#[test]
fn frames_are_of_others_own_or_to_groups() {
    let mut frames: Vec<Vec<u8>> = (0..5).map(|_| vec![0x02; 60]).collect();
    frames[1][..6].fill(0xff);
    frames[2][..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frames[3][6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frames[4].truncate(11);
    let frames: Vec<_> = frames.iter().map(|bytes| frame(bytes)).collect();
    let seen = tally(&frames);
    assert_eq!((seen.of_others, seen.to_groups, seen.own, seen.frames), (1, 1, 2, 5));
}

#[test]
fn directions_follow_the_handshake_else_the_ports() {
    let up = path(end("10.0.0.1", 50_000), end("10.0.0.2", 443));
    let odd = path(end("10.0.0.3", 443), end("10.0.0.4", 50_000));
    let mut bytes = Vec::new();
    for (path, flags) in [(up, flag::ACK), (up.back(), flag::ACK)] {
        bytes.extend((0..3).map(|_| segment(&path, flags, b"x")));
    }
    // Only the client's side, opened from the lower port; and only a server's answers.
    bytes.extend([flag::SYN, flag::ACK, flag::ACK].map(|flags| segment(&odd, flags, b"")));
    let third = path(end("10.0.0.5", 50_000), end("10.0.0.2", 443));
    bytes.extend((0..3).map(|_| segment(&third.back(), flag::ACK, b"y")));
    // One packet says nothing of the other direction.
    let lone = path(end("10.0.0.6", 50_000), end("10.0.0.2", 443));
    bytes.push(segment(&lone, flag::SYN, b""));
    let frames: Vec<_> = bytes.iter().map(|bytes| frame(bytes)).collect();
    let tcp = tally(&frames).tcp;
    assert_eq!(tcp, Conversations { both: 1, client_only: 1, server_only: 1 });
}

#[test]
fn sizes_are_without_link_header_and_tags() {
    let mut tagged = path(end("10.0.0.1", 50_000), end("10.0.0.2", 443));
    let fits = segment(&tagged, flag::ACK, &[0; 1460]);
    let large = segment(&tagged, flag::ACK, &[0; 1461]);
    tagged.vlans = [Some(7), None];
    let in_frame = segment(&tagged, flag::ACK, &[0; 1460]);
    let mut stripped = frame(&fits);
    (stripped.vlan, stripped.wire_len) = (Some(9), stripped.wire_len + 4);
    let seen = tally(&[frame(&fits), frame(&large), frame(&in_frame), stripped]);
    assert_eq!((seen.oversize, seen.largest), (1, 1501));
    assert_eq!(seen.vlans, [(7, 1), (9, 1)].into());
}

#[test]
fn tunnels_that_are_not_read_are_told_by_port_and_protocol() {
    let datagram = |port| {
        let path = path(end("10.0.0.1", 50_000), end("10.0.0.2", port));
        wire::Frame::new(1).udp(&path, Payload::whole(b"x")).bytes().to_vec()
    };
    let mut gre = datagram(1);
    gre[23] = 47;
    let mut ip_in_ip = datagram(1);
    ip_in_ip[23] = 4;
    let ports = [4789, 4790, 6081, 2152, 53].map(datagram);
    let bytes = [&ports[..], &[gre, ip_in_ip]].concat();
    let frames: Vec<_> = bytes.iter().map(|bytes| frame(bytes)).collect();
    let seen = tally(&frames);
    let kinds = ["VXLAN", "VXLAN-GPE", "GENEVE", "GTP-U", "GRE", "IP in IP"];
    assert_eq!(seen.closed_tunnels, kinds.map(|kind| (kind, 1)).into());
    assert_eq!(seen.tunnels, [].into());
}

/// Its conversation and its VLAN are the inner ones, its size is what the mirror's own link carries.
#[test]
fn what_is_in_a_tunnel_is_told_apart_from_what_carries_it() {
    let mut tagged = path(end("10.0.0.1", 50_000), end("10.0.0.2", 443));
    tagged.vlans = [Some(7), None];
    let carried = segment(&tagged, flag::ACK, &[0; 1000]);
    let datagram = [&[8, 0, 0, 0, 0, 0, 5, 0][..], &carried].concat();
    let ends = path(end("172.16.0.1", 50_000), end("172.16.0.2", 4789));
    let bytes = wire::Frame::new(1).udp(&ends, Payload::whole(&datagram)).bytes().to_vec();
    let seen = tally(&[frame(&bytes), frame(&bytes[..300])]);
    assert_eq!((seen.tunnels, seen.closed_tunnels), ([("VXLAN", 2)].into(), [].into()));
    assert_eq!(seen.vlans, [(7, 2)].into());
    assert_eq!(seen.largest as usize, bytes.len() - 14);
}

#[test]
fn copies_are_counted_apart_and_count_for_nothing_else() {
    let path = path(end("10.0.0.1", 50_000), end("10.0.0.2", 443));
    let bytes = segment(&path, flag::ACK, b"x");
    let first = frame(&bytes);
    let other = segment(&path, flag::ACK, b"y");
    let seen = tally(&[first, first, Frame { time: first.time, ..frame(&other) }]);
    assert_eq!((seen.frames, seen.packets, seen.copies), (3, 3, 1));
    assert_eq!(seen.tcp, Conversations::default(), "two packets are too few");
}
