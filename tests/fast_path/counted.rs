//! What the kernel program takes for a packet of its own, and counts.

use egret_tests::frames::Frames;
use egret_tests::traffic::{end, path};
use egret_tests::wire::tunnel::{
    erspan_2, erspan_3, geneve, gre, gtp_u, ip_in_ip, outer, vxlan, vxlan_gpe,
};
use egret_tests::wire::{Frame, Payload};

use super::endings::cable;
use super::pair::{COUNTS, Side};
use super::turn;

/// Datagrams of one conversation, no two the same, each wrapped by its number.
fn datagrams(count: u32, wrapped: impl Fn(u32, &[u8]) -> Vec<u8>) -> Frames {
    let way = path(end("10.20.0.21", 50_000), end("10.20.0.22", 9000));
    let mut frame = Frame::new(1);
    let frames = (0..count).map(|number| {
        let payload = number.to_be_bytes().repeat(30);
        wrapped(number, frame.udp(&way, Payload::whole(&payload)).bytes())
    });
    Frames::of(frames.collect())
}

/// Fails when a stream of equal packets, as of a device that says the same each moment, counts once for
/// as long as it lasts: second copies come close to the first.
#[test]
fn equal_packets_count_again_after_a_while() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = Side::start(&machine, "eth1", COUNTS, "");
    Frames::datagrams(1, 200, 1).send(&switch, "m0", 1000, Some(1000));
    side.has_taken(1000);
    let (packets, _) = side.end().sent();
    assert!((50..1000).contains(&packets), "{packets} of 1000 in a second");
}

/// Fails when the kernel takes different packets for second copies: such as differ only in their last
/// bytes, because there are few or a mirror cut off the rest.
#[test]
fn packets_that_differ_in_their_last_bytes_are_no_copies() {
    const EXPERIMENT: u8 = 253;
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = Side::start(&machine, "eth1", COUNTS, "");
    let frames = (0..400_u32).map(|number| {
        let (bytes, stated) = match number % 4 {
            0 => (4, 4),
            1 => (13, 13),
            2 => (13, 1000),
            _ => (45, 1000),
        };
        let mut frame = vec![2; 12];
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((20 + stated as u16).to_be_bytes());
        frame.extend([0, 0, 0, 0, 64, EXPERIMENT, 0, 0, 10, 20, 0, 21, 10, 20, 0, 22]);
        frame.extend(vec![0; bytes - 4]);
        frame.extend(number.to_be_bytes());
        frame
    });
    Frames::of(frames.collect()).send_once(&switch, "m0");
    let samples = side.has_taken(400);
    assert_eq!(samples.count("egret_capture_duplicate_packets_total", &[]), 0);
    assert_eq!(side.end().sent().0, 400);
}

/// Fails when what comes in tunnels goes up whole: in an estate with an overlay, or at the end of a
/// mirror, that is all its traffic.
#[test]
fn what_is_in_a_tunnel_is_counted_as_what_it_is() {
    let Some(_turn) = turn(&[]) else { return };
    type Wrap = fn(&[u8]) -> Vec<u8>;
    let tunnels: [(&str, Wrap); 6] = [
        ("VXLAN", |inner| outer(false, &vxlan(inner))),
        ("GENEVE", |inner| outer(false, &geneve(0x6558, 3, inner))),
        ("GENEVE with IP", |inner| outer(true, &geneve(0x0800, 0, &inner[14..]))),
        ("GRE", |inner| outer(true, &gre(0x20, 0x6558, inner))),
        ("ERSPAN", |inner| outer(false, &erspan_2(inner))),
        ("IP in IP", |inner| outer(false, &ip_in_ip(&inner[14..]))),
    ];
    for (name, wrapped) in tunnels {
        let [switch, machine] = cable();
        let side = Side::start(&machine, "eth1", COUNTS, "");
        datagrams(500, |_, inner| wrapped(inner)).send_once(&switch, "m0");
        let samples = side.has_taken(500);
        let handed_up = samples.count("egret_capture_handed_up_packets_total", &[]);
        assert!(handed_up < 20, "{name}: {handed_up} of 500");
        let said = side.end();
        assert_eq!(said.sent().0, 500, "{name}");
        let ends: Vec<_> = said.conversations.keys().collect();
        assert!(ends.iter().all(|ends| ends.contains("10.20.0.22:9000")), "{name}: {ends:?}");
    }
}

/// Fails when the kernel counts a packet to a tunnel that user space looks into.
#[test]
fn tunnels_that_only_user_space_reads_go_up() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = Side::start(&machine, "eth1", COUNTS, "");
    let frames = datagrams(200, |number, inner| match number % 4 {
        0 => outer(false, &gtp_u(0, 0, &inner[14..])),
        1 => outer(false, &vxlan_gpe(1, &inner[14..])),
        2 => outer(false, &erspan_3(0, true, inner)),
        _ => outer(false, &vxlan(&outer(false, &geneve(0x6558, 0, inner)))),
    });
    frames.send_once(&switch, "m0");
    let samples = side.has_taken(200);
    assert_eq!(samples.count("egret_capture_handed_up_packets_total", &[]), 200);
    let said = side.end();
    assert_eq!(said.sent().0, 200);
    assert!(said.conversations.keys().all(|ends| ends.contains("10.20.0.22:9000")));
}
