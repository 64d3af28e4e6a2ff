//! Which worker takes what.

use std::collections::HashMap;

use egret::capture::live::Live;
use egret_tests::wire::Path;
use egret_tests::wire::tunnel::{erspan_2, geneve, outer, vxlan};

use crate::world::{QUIET, Sender, datagram, drain, in_namespace, ip, path, rings, wire};

const FLOWS: u16 = 200;

/// The flow of a frame of [`path`], by the last two octets of its addresses.
fn flow(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[14 + 14], bytes[14 + 15]])
}

/// A kernel that tells directions apart, or sources opened in another order on another interface,
/// would give a worker half of a conversation.
#[test]
fn both_directions_meet_one_worker_over_two_interfaces_too() {
    in_namespace(|| {
        wire("u0", "u1");
        let mut first = rings("t1", 3);
        let mut second = rings("u1", 3);
        let (there, back) = (Sender::new("t0"), Sender::new("u0"));
        for n in 0..FLOWS {
            there.send(&datagram(&path(n), 20));
            there.send(&datagram(&path(n).back(), 20));
            back.send(&datagram(&path(n).back(), 20));
        }
        let mut workers: HashMap<u16, Vec<usize>> = HashMap::new();
        for rings in [&mut first, &mut second] {
            for (worker, ring) in rings.iter_mut().enumerate() {
                drain(ring, QUIET, |frame| {
                    workers.entry(flow(frame.bytes)).or_default().push(worker);
                });
            }
        }
        assert_eq!(workers.len(), usize::from(FLOWS));
        for (flow, workers) in &workers {
            assert!(matches!(workers[..], [a, b, c] if a == b && b == c), "{flow}: {workers:?}");
        }
        for worker in 0..3 {
            let share = workers.values().filter(|workers| workers[0] == worker).count();
            assert!((20..=120).contains(&share), "worker {worker} takes {share} of {FLOWS} flows");
        }
    });
}

/// The kernel's defragmentation would give one frame here for each three, and none for the
/// incomplete ones; and a worker that had only some fragments could not tell whose they are.
#[test]
fn fragments_come_one_by_one_and_to_one_worker() {
    in_namespace(|| {
        let mut rings = rings("t1", 2);
        let sender = Sender::new("t0");
        for n in 0..FLOWS {
            for (offset, more) in [(0_u16, true), (8, true), (16, false)] {
                // The last fragment of every other datagram is lost.
                if more || n % 2 == 0 {
                    let mut frame = datagram(&path(n), 64);
                    frame[20..22].copy_from_slice(&(u16::from(more) << 13 | offset).to_be_bytes());
                    sender.send(&frame);
                }
            }
        }
        let mut seen: HashMap<u16, Vec<usize>> = HashMap::new();
        for (worker, ring) in rings.iter_mut().enumerate() {
            drain(ring, QUIET, |frame| seen.entry(flow(frame.bytes)).or_default().push(worker));
        }
        for n in 0..FLOWS {
            let workers = &seen[&n];
            assert_eq!(workers.len(), 2 + usize::from(n % 2 == 0), "{n}");
            assert!(workers.iter().all(|worker| *worker == workers[0]), "{n}: {workers:?}");
        }
    });
}

/// Frames that carry the flow of a [`path`], one a direction of it.
type Wrap = fn(&Path) -> Vec<u8>;

/// As it is, under tags, and in tunnels whose ends choose their source ports by what is inside.
const WRAPS: [(&str, Wrap); 6] = [
    ("bare", |path| datagram(path, 20)),
    ("a tag", |path| datagram(&Path { vlans: [Some(7), None], ..*path }, 20)),
    ("two tags", |path| datagram(&Path { vlans: [Some(7), Some(8)], ..*path }, 20)),
    ("VXLAN", |path| overlay(path, outer(false, &vxlan(&datagram(path, 20))))),
    ("GENEVE over IPv6", |path| {
        overlay(path, outer(true, &geneve(0x6558, 3, &datagram(path, 20))))
    }),
    ("GENEVE in ERSPAN", |path| {
        let inner = overlay(path, outer(false, &geneve(0x6558, 0, &datagram(path, 20))));
        outer(false, &erspan_2(&inner))
    }),
];

/// A frame of a tunnel over UDP, with the source port that its end has for this path.
fn overlay(path: &Path, mut frame: Vec<u8>) -> Vec<u8> {
    let port = if frame[12] == 8 { 34 } else { 54 };
    frame[port..port + 2].copy_from_slice(&(path.from.port ^ 0x8000).to_be_bytes());
    frame
}

/// Who takes the frames of each flow, whose datagrams of so many bytes are their ends.
fn workers(rings: &mut [Live], length: usize) -> HashMap<u16, Vec<usize>> {
    let mut workers: HashMap<u16, Vec<usize>> = HashMap::new();
    for (worker, ring) in rings.iter_mut().enumerate() {
        drain(ring, QUIET, |frame| {
            let datagram = &frame.bytes[frame.bytes.len() - length..];
            workers.entry(flow(datagram)).or_default().push(worker);
        });
    }
    workers
}

/// Fails when the two directions of a conversation part because each has its own ports outside, because
/// frames that are sent begin elsewhere for the kernel than those that arrive, or because of tags.
#[test]
fn conversations_meet_one_worker_whatever_they_are_in() {
    in_namespace(|| {
        ip("address add 192.0.2.2/24 dev t1");
        let (there, back) = (Sender::new("t0"), Sender::new("t1"));
        let length = datagram(&path(0), 20).len();
        let mut alike: Option<HashMap<u16, usize>> = None;
        for (name, wrap) in WRAPS {
            let mut rings = rings("t1", 4);
            for n in 0..FLOWS {
                for sender in [&there, &back] {
                    sender.send(&wrap(&path(n)));
                    sender.send(&wrap(&path(n).back()));
                }
            }
            let workers = workers(&mut rings, length);
            assert_eq!(workers.len(), usize::from(FLOWS), "{name}");
            for (flow, workers) in &workers {
                let is_one = workers.len() == 4 && workers.iter().all(|one| *one == workers[0]);
                assert!(is_one, "{name}, {flow}: {workers:?}");
            }
            let workers = workers.iter().map(|(flow, workers)| (*flow, workers[0])).collect();
            let alike = alike.get_or_insert_with(|| HashMap::clone(&workers));
            assert_eq!(*alike, workers, "{name}: what is inside decides alone");
        }
    });
}
