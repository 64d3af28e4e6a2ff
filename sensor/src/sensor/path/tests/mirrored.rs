//! Mirrored traffic, from frames to observations.

use std::net::IpAddr;

use egret_tests::traffic::{end, path};
use egret_tests::wire::tunnel::{self as wrap, Above};
use egret_tests::wire::{self, Payload, Segment, flag};

use super::*;
use crate::event::{Mirrored, TunnelKind};

/// Wraps a frame.
type Wrap = fn(&[u8]) -> Above;

/// What was told of mirrored traffic.
#[derive(Default)]
struct Seen(Vec<Mirrored>);

impl Sink for Seen {
    fn event(&mut self, _: Event) {}

    fn mirrored(&mut self, mirrored: Mirrored) {
        self.0.push(mirrored);
    }
}

const BOTH: [Copies; 2] = [Copies::Count, Copies::LeaveOut];

fn at(micros: u64) -> Timestamp {
    Timestamp::from_parts(1_795_183_200, 0).plus(Duration::from_micros(micros))
}

/// A conversation's frames, no two the same.
fn conversation(port: u16, count: u32) -> Vec<Vec<u8>> {
    let way = path(end("10.20.0.11", port), end("203.0.113.5", 443));
    let mut frame = wire::Frame::new(1);
    let segments = (0..count).map(|number| {
        let segment = Segment { flags: flag::ACK, sequence: number, acknowledgment: 1 };
        frame.tcp(&way, segment, Payload::whole(&[7; 200])).bytes().to_vec()
    });
    segments.collect()
}

fn odd(frame: &[u8]) -> Above {
    wrap::udp(40_000, &[8, 0, 0, 0, 0, 0, 9, 0], frame)
}

/// The frames a millisecond apart, bare where `is_bare`, and wrapped so many microseconds later.
fn mirrored(
    frames: &[Vec<u8>],
    is_bare: bool,
    later: i64,
    wrapped: Wrap,
) -> Vec<(Timestamp, u32, Vec<u8>)> {
    let mut all = Vec::new();
    for (number, frame) in (1..).zip(frames) {
        let time = at(number * 1000);
        if is_bare {
            all.push((time, frame.len() as u32, frame.clone()));
        }
        let outer = wrap::outer(false, &wrapped(frame));
        let time = at((number * 1000).wrapping_add_signed(later));
        all.push((time, outer.len() as u32, outer));
    }
    all.sort_by_key(|(time, ..)| *time);
    all
}

fn seen(frames: &[(Timestamp, u32, Vec<u8>)], copies: Copies) -> Vec<Mirrored> {
    let mut path = Path::new(Wanted::All, 1 << 12, copies, Some(0)).unwrap();
    path.table.set_interface(3);
    let mut seen = Seen::default();
    take(&mut path, frames, &mut seen);
    path.finish(&mut seen);
    seen.0
}

/// Packets, bytes and copies in all.
fn sums(seen: &[Mirrored]) -> [u64; 3] {
    seen.iter().fold([0; 3], |[packets, bytes, copies], one| {
        [packets + one.traffic.packets, bytes + one.traffic.bytes, copies + one.copies]
    })
}

#[test]
fn a_copy_in_vxlan_proves_itself_however_it_comes() {
    let frames = conversation(50_000, 300);
    for copies in BOTH {
        for later in [-100, 0, 100, 1900, 50_000] {
            let all = mirrored(&frames, true, later, wrap::vxlan);
            let outer = all.iter().map(|(_, length, _)| u64::from(*length)).max().unwrap();
            let seen = seen(&all, copies);
            let [packets, bytes, copied] = sums(&seen);
            assert_eq!((packets, bytes), (300, 300 * outer), "{later} {copies:?}");
            assert!(copied >= 299, "{copied} of 300, {later} {copies:?}");
            let first = &seen[0];
            assert_eq!(first.traffic.packets, 1, "told at once");
            assert_eq!(first.time, at(1000_u64.wrapping_add_signed(later)));
            assert_eq!((first.kind, first.id), (Some(TunnelKind::Vxlan), Some(wrap::NETWORK)));
            let ends: [IpAddr; 2] = wrap::ENDS[0].map(|end| end.parse().unwrap());
            assert_eq!([first.source, first.destination], ends);
            assert_eq!((first.port, first.interface), (Some(4789), Some(3)));
            let inside = ["10.20.0.11".parse().unwrap(), "203.0.113.5".parse().unwrap()];
            let inside: [IpAddr; 2] = inside;
            let [client, server] = inside;
            assert_eq!(first.inside, Some([(client, 50_000), (server, 443)]));
        }
    }
}

#[test]
fn what_is_only_wrapped_is_told_without_copies() {
    let frames = conversation(50_000, 100);
    let wrappings: [(TunnelKind, Wrap); 5] = [
        (TunnelKind::Vxlan, wrap::vxlan),
        (TunnelKind::Geneve, |frame| wrap::geneve(0x6558, 2, frame)),
        (TunnelKind::Nvgre, wrap::nvgre),
        (TunnelKind::Erspan, wrap::erspan_1),
        (TunnelKind::Erspan, |frame| wrap::erspan_3(0, true, frame)),
    ];
    for copies in BOTH {
        for (kind, wrapped) in wrappings {
            let seen = seen(&mirrored(&frames, false, 0, wrapped), copies);
            let [packets, _, copied] = sums(&seen);
            assert_eq!((packets, copied), (100, 0), "{kind:?}");
            assert!(seen.iter().all(|one| one.kind == Some(kind)));
        }
    }
}

#[test]
fn ip_in_ip_is_a_mirror_only_when_a_copy_says_so() {
    let frames = conversation(50_000, 100);
    let ipip: Wrap = |frame| wrap::ip_in_ip(&frame[14..]);
    for copies in BOTH {
        assert_eq!(seen(&mirrored(&frames, false, 0, ipip), copies), []);
        let seen = seen(&mirrored(&frames, true, 500, ipip), copies);
        assert_eq!(sums(&seen)[0], 100);
    }
}

#[test]
fn second_copies_of_wrapped_packets_do_not_count() {
    let once = mirrored(&conversation(50_000, 100), false, 0, wrap::erspan_2);
    let twice: Vec<_> = once.iter().flat_map(|frame| [frame.clone(), frame.clone()]).collect();
    for copies in BOTH {
        let [packets, _, copied] = sums(&seen(&twice, copies));
        assert_eq!((packets, copied), (100, 0), "{copies:?}");
    }
}

#[test]
fn a_copy_to_an_odd_port_is_found_by_what_is_in_it() {
    let frames = conversation(50_000, 300);
    for copies in BOTH {
        for later in [-100, 0, 1900, 50_000] {
            let seen = seen(&mirrored(&frames, true, later, odd), copies);
            let [packets, _, copied] = sums(&seen);
            assert!(packets >= 299, "{packets} of 300, {later} {copies:?}");
            assert!(copied >= 250, "{copied} of 300, {later} {copies:?}");
            assert!(seen.iter().all(|one| one.kind.is_none() && one.port == Some(40_000)));
            assert!(seen[0].time < at(60_000), "soon");
        }
    }
}

/// In a capture where nothing was mirrored for long, packets are compared from the first hint on.
#[test]
fn copies_prove_themselves_where_packets_were_not_compared() {
    for wrapped in [wrap::vxlan as Wrap, odd] {
        let mut all: Vec<_> = (0..)
            .zip(conversation(50_001, 4000))
            .map(|(number, frame)| (at(number), frame.len() as u32, frame))
            .collect();
        let later = mirrored(&conversation(50_000, 300), true, 500, wrapped);
        all.extend(
            later
                .into_iter()
                .map(|(time, length, frame)| (time.plus(Duration::from_secs(1)), length, frame)),
        );
        let [packets, _, copied] = sums(&seen(&all, Copies::Count));
        assert!(packets >= 299 && copied >= 250, "{copied} of {packets}");
    }
}

#[test]
fn what_is_never_seen_bare_is_nothing_on_an_odd_port() {
    let frames = conversation(50_000, 300);
    for copies in BOTH {
        assert_eq!(seen(&mirrored(&frames, false, 0, odd), copies), []);
    }
}

#[test]
fn payloads_of_others_are_no_mirror() {
    let whole = conversation(50_000, 200);
    let rtp: Wrap = |frame| wrap::udp(5004, &[0x80, 96, 0, 1, 0, 0, 0, 9], &frame[30..]);
    let wireguard: Wrap = |frame| {
        let sealed: Vec<u8> = frame.iter().map(|byte| byte ^ 0xa5).collect();
        wrap::udp(51_820, &[4, 0, 0, 0, 1, 2, 3, 4, 9, 0, 0, 0, 0, 0, 0, 0], &sealed)
    };
    // What is read otherwise is not looked into.
    let dns: Wrap = |frame| wrap::udp(53, &[0; 12], frame);
    for wrapped in [rtp, wireguard, dns] {
        for copies in BOTH {
            assert_eq!(seen(&mirrored(&whole, true, 0, wrapped), copies), []);
        }
    }
}

#[test]
fn what_went_on_is_told_each_ten_seconds_and_at_the_end() {
    let frames = conversation(50_000, 25);
    let spread: Vec<_> = (0..)
        .zip(mirrored(&frames, false, 0, wrap::vxlan))
        .map(|(second, (_, length, bytes))| (at(second * 1_000_000), length, bytes))
        .collect();
    let seen = seen(&spread, Copies::LeaveOut);
    let packets: Vec<_> = seen.iter().map(|one| one.traffic.packets).collect();
    assert_eq!(packets, [1, 9, 10, 5]);
    let since: Vec<_> = seen.iter().map(|one| one.since.as_secs() - at(0).as_secs()).collect();
    assert_eq!(since, [0, 1, 10, 20]);
    assert!(seen.windows(2).all(|pair| pair[0].time <= pair[1].time));
}

#[test]
fn what_is_sent_to_the_sensor_itself_is_its_feed() {
    let all = mirrored(&conversation(50_000, 50), true, 100, odd);
    let [_, receiver] = wrap::ENDS[0];
    for frames in [all, mirrored(&conversation(50_000, 50), true, 100, wrap::vxlan)] {
        let mut path = Path::new(Wanted::All, 1 << 12, Copies::LeaveOut, Some(0)).unwrap();
        path.reader.mirrors_mut().set_own(vec![receiver.parse().unwrap()]);
        let mut seen = Seen::default();
        take(&mut path, &frames, &mut seen);
        path.finish(&mut seen);
        assert_eq!(seen.0, []);
    }
}

/// As from a kernel that counts: the first packets come, the others are told as counts.
#[test]
fn what_the_kernel_counts_is_added_to_its_pair() {
    let frames = conversation(50_000, 11);
    for (wrapped, is_bare) in [(wrap::vxlan as Wrap, false), (odd, true)] {
        let all = mirrored(&frames, is_bare, 100, wrapped);
        let outer = all.iter().map(|(_, length, _)| u64::from(*length)).max().unwrap();
        let mut path = Path::new(Wanted::All, 1 << 12, Copies::LeaveOut, Some(0)).unwrap();
        let mut seen = Seen::default();
        take(&mut path, &all, &mut seen);
        let tcp = crate::decode::protocol::TCP;
        let (ends, ports, protocol) = if is_bare {
            (wrap::ENDS[0], [0xc000, 40_000], crate::decode::protocol::UDP)
        } else {
            (["10.20.0.11", "203.0.113.5"], [50_000, 443], tcp)
        };
        let [source, destination] = ends.map(|end| end.parse().unwrap());
        let each = if is_bare { outer } else { frames[0].len() as u64 };
        let count = Counted {
            source,
            destination,
            ports,
            protocol,
            tcp_flags: 0x10,
            packets: 1000,
            bytes: 1000 * each,
            since: at(20_000),
            last: at(900_000),
        };
        path.counted(&[count], &mut seen);
        path.finish(&mut seen);
        assert_eq!(sums(&seen.0)[..2], [1011, 1011 * outer], "{is_bare}");
    }
}

#[test]
fn of_what_the_kernel_counts_of_a_conversation_that_comes_bare_too_half_is_its_pair_s() {
    let frames = conversation(50_000, 40);
    for later in [-100, 100] {
        let all = mirrored(&frames, true, later, wrap::vxlan);
        let mut path = Path::new(Wanted::All, 1 << 12, Copies::LeaveOut, Some(0)).unwrap();
        let mut seen = Seen::default();
        path.counted(&[], &mut seen);
        take(&mut path, &all, &mut seen);
        let count = Counted {
            source: "10.20.0.11".parse().unwrap(),
            destination: "203.0.113.5".parse().unwrap(),
            ports: [50_000, 443],
            protocol: crate::decode::protocol::TCP,
            tcp_flags: 0x10,
            packets: 1000,
            bytes: 1000 * frames[0].len() as u64,
            since: at(50_000),
            last: at(900_000),
        };
        path.counted(&[count], &mut seen);
        path.finish(&mut seen);
        assert_eq!(sums(&seen.0)[0], 40 + 500, "{later}");
    }
}
