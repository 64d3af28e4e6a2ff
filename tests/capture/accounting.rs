//! Every frame sent is read or counted as dropped.

use std::fs;
use std::time::{Duration, Instant};

use egret::capture::{Burst, Progress, Source};

use crate::world::{QUIET, Sender, all, datagram, drain, in_namespace, path, ring, rings};

const FRAMES: usize = 100_000;

/// A frame skipped at a block's end, a block handed back too early, or drops counted among the
/// received would each leave the sum wrong.
#[test]
fn frames_read_and_dropped_are_the_frames_sent() {
    in_namespace(|| {
        let mut rings = rings("t1", 2);
        let sent = std::thread::spawn(|| {
            // The thread is of the same namespace as the one that made it.
            let sender = Sender::new("t0");
            let frames: Vec<_> = (0..64).map(|n| datagram(&path(n), 18 + usize::from(n))).collect();
            (0..FRAMES).for_each(|n| sender.send(&frames[n % 64]));
            (0..FRAMES).map(|n| frames[n % 64].len() as u64).sum::<u64>()
        });
        let mut read = 0;
        let mut bytes = 0;
        let mut count = |frame: &egret::capture::Frame<'_>| {
            read += 1;
            bytes += u64::from(frame.wire_len);
        };
        let (mut last, mut early) = (Instant::now(), 0);
        while !sent.is_finished() || last.elapsed() < QUIET {
            for ring in &mut rings {
                let mut burst = Burst::new();
                if ring.burst(&mut burst).unwrap() == Progress::More {
                    last = Instant::now();
                }
                burst.iter().for_each(&mut count);
                drop(burst);
                // Asking often must not lose what the kernel forgets when asked.
                early += u64::from(ring.stats().dropped > 0);
            }
        }
        let sent_bytes = sent.join().unwrap();
        let stats = rings.iter().map(Source::stats);
        let (frames, dropped) =
            stats.fold((0, 0), |(f, d), stats| (f + stats.frames, d + stats.dropped));
        assert_eq!(frames, read);
        assert_eq!(frames + dropped, FRAMES as u64, "{early} times there were drops");
        if dropped == 0 {
            assert_eq!(bytes, sent_bytes);
        }
    });
}

/// With a reader that stands still the ring fills up: what no longer fits is counted, what fits
/// can all be read later, and then it goes on.
#[test]
fn a_ring_that_overflows_counts_what_it_lost_and_goes_on() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = Sender::new("t0");
        let frame = datagram(&path(1), 1400);
        const SENT: u64 = 50_000;
        (0..SENT).for_each(|_| sender.send(&frame));
        let mut read = 0;
        drain(&mut ring, QUIET, |_| read += 1);
        let stats = ring.stats();
        assert_eq!((stats.frames, stats.frames + stats.dropped), (read, SENT));
        assert!(stats.dropped > SENT / 3 && read > SENT / 4, "{stats:?}");
        assert_eq!(ring.stats(), stats, "asked twice");
        (0..10).for_each(|_| sender.send(&frame));
        assert_eq!(all(&mut ring).len(), 10);
        assert_eq!(ring.stats().dropped, stats.dropped);
    });
}

/// A snap length that also shortened the length on the wire would make volumes wrong.
#[test]
fn a_snap_length_cuts_what_is_captured_and_nothing_else() {
    use egret::capture::live::{Settings, open};
    in_namespace(|| {
        let settings = Settings { snaplen: 96, ..crate::world::settings(1) };
        let mut ring = open("t1", &settings).unwrap().sources.remove(0);
        let sender = Sender::new("t0");
        for payload in [18, 54, 55, 1400] {
            sender.send(&datagram(&path(1), payload));
        }
        let seen: Vec<_> = all(&mut ring).iter().map(|(b, wire, _)| (b.len(), *wire)).collect();
        assert_eq!(seen, [(60, 60), (96, 96), (96, 97), (96, 1442)]);
        assert_eq!(ring.stats().truncated, 2);
    });
}

/// A worker that gives up waiting at a time later than a frame's would put events in wrong order.
#[test]
fn nothing_comes_from_before_the_quiet_time() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = std::thread::spawn(|| {
            let sender = Sender::new("t0");
            let frame = datagram(&path(1), 100);
            for _ in 0..150 {
                sender.send(&frame);
                std::thread::sleep(Duration::from_millis(7));
            }
        });
        let mut quiet = egret::time::Timestamp::ZERO;
        let mut seen = 0;
        let mut latest = Duration::ZERO;
        while seen < 150 {
            let now = now();
            quiet = quiet.max(ring.quiet_since(now));
            assert!(quiet < now);
            let mut burst = Burst::new();
            ring.burst(&mut burst).unwrap();
            for frame in &burst {
                assert!(frame.time > quiet, "{:?} before", quiet.since(frame.time));
                latest = latest.max(now.since(frame.time));
            }
            seen += burst.len();
            drop(burst);
            std::thread::sleep(Duration::from_millis(1));
        }
        eprintln!("a frame was read {latest:?} after it came, at the latest");
        sender.join().unwrap();
    });
}

fn now() -> egret::time::Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    egret::time::Timestamp::from_parts(now.as_secs(), now.subsec_nanos().into())
}

/// The kernel's own counters say the same as ours.
#[test]
fn the_interface_counts_the_same_frames() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = Sender::new("t0");
        (0..1000).for_each(|n| sender.send(&datagram(&path(n), 60)));
        let read = all(&mut ring).len();
        let table = fs::read_to_string("/proc/thread-self/net/dev").unwrap();
        let line = table.lines().find(|line| line.trim_start().starts_with("t1:")).unwrap();
        let received: usize = line.split_whitespace().nth(2).unwrap().parse().unwrap();
        assert_eq!((read, received), (1000, 1000));
    });
}
