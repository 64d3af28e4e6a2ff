//! Which worker takes what.

use std::collections::HashMap;

use crate::world::{QUIET, Sender, datagram, drain, in_namespace, path, rings, wire};

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
