//! What mirrors do to traffic: each state is told of a minute's capture, bytes are estimated to a
//! twentieth of what they were, and a mirror that is well is said nothing of.

use std::fs;

use egret_tests::egret::json_lines;
use egret_tests::rng::Rng;
use egret_tests::traffic::{end, path};
use egret_tests::wire::{Capture, Frame, Path, Payload, Resolution, Segment, flag};
use serde_json::Value;

use super::{directory, egret};

const SECOND: u64 = 1_000_000_000;

/// A frame: when it came, what was captured of it, and its length on the wire.
#[derive(Debug, Clone)]
struct Given {
    time: u64,
    bytes: Vec<u8>,
    wire_len: u32,
    is_answer: bool,
}

/// A minute of an office: 500 downloads and uploads, in the order of time.
fn minute() -> Vec<Given> {
    let mut rng = Rng::new(7);
    let mut frames = Vec::new();
    for number in 0..500u16 {
        let client = end(&format!("10.20.0.{}", 1 + number % 200), 20_000 + number);
        let server = end(&format!("203.0.113.{}", 1 + rng.below(40)), 443);
        let start = 1_795_183_390 * SECOND + rng.below(50 * SECOND);
        let segments = 1 + rng.pareto(15.0, 1.2, 700.0) as u64;
        conversation(&mut rng, path(client, server), start, segments, &mut frames);
    }
    frames.sort_by_key(|frame| frame.time);
    frames
}

/// Opens, asks, is answered (or uploads) in so many segments with an acknowledgment for about each
/// other one, and closes.
fn conversation(rng: &mut Rng, there: Path, start: u64, segments: u64, out: &mut Vec<Given>) {
    const FULL: [u8; 1460] = [0; 1460];
    let mut frame = Frame::new(rng.next() as u16);
    let mut time = start;
    let (mut next, back) = ([rng.next() as u32, rng.next() as u32], there.back());
    let is_upload = rng.chance(0.3);
    let mut acknowledged = rng.stream("acknowledged");
    let mut step = |is_answer: bool, flags: u8, payload: &[u8]| {
        let [mine, other] = if is_answer { [1, 0] } else { [0, 1] };
        let segment = Segment { flags, sequence: next[mine], acknowledgment: next[other] };
        let way = if is_answer { &back } else { &there };
        let frame = frame.tcp(way, segment, Payload::whole(payload));
        let numbered = payload.len() as u32 + u32::from(flags & (flag::SYN | flag::FIN) != 0);
        next[mine] = next[mine].wrapping_add(numbered);
        let (bytes, wire_len) = (frame.bytes().to_vec(), frame.wire_len());
        out.push(Given { time, bytes, wire_len, is_answer });
        // Slow enough that a handful of them go on at once.
        time += rng.range(1_000_000, 40_000_000);
    };
    step(false, flag::SYN, b"");
    step(true, flag::SYN | flag::ACK, b"");
    step(false, flag::ACK, b"");
    step(false, flag::ACK | flag::PSH, &FULL[..400]);
    for number in 1..=segments {
        let last = if number == segments { FULL.len() / 2 } else { FULL.len() };
        step(!is_upload, flag::ACK, &FULL[..last]);
        // Never in step with a mirror that takes every n-th.
        if acknowledged.chance(0.5) {
            step(is_upload, flag::ACK, b"");
        }
    }
    step(false, flag::FIN | flag::ACK, b"");
    step(true, flag::FIN | flag::ACK, b"");
    step(false, flag::ACK, b"");
}

/// What is told of the capture's mirror in the `stats` event, and to people.
fn told(frames: &[Given]) -> (Value, String) {
    let mut capture = Capture::new(Vec::new(), Resolution::Nanos).unwrap();
    for frame in frames {
        capture.record(frame.time, &frame.bytes, frame.wire_len).unwrap();
    }
    let directory = directory("a.pcap", capture.finish().unwrap());
    let run = egret().within(&directory).read("a.pcap").args("--events eve.json").run().done();
    let events = json_lines(&fs::read_to_string(directory.path().join("eve.json")).unwrap());
    let stats = events.iter().find(|event| event["event_type"] == "stats").unwrap();
    let notes = run.summary("note").join("\n");
    (stats["egret"]["mirror"][0].clone(), notes)
}

/// Fails when the estimate is more than a twentieth off what was on the wire.
fn assert_bytes(mirror: &Value, frames: &[Given], what: &str) {
    let there_were: u64 = frames.iter().map(|frame| u64::from(frame.wire_len)).sum();
    let times = mirror["estimated_bytes"].as_f64().unwrap() / there_were as f64;
    assert!((times - 1.0).abs() <= 0.05, "{what}: {times:.3} times what was there: {mirror}");
}

fn share(mirror: &Value, of: &str) -> f64 {
    mirror[of].as_f64().unwrap()
}

/// The frames of which `is_shown` says so.
fn only(frames: &[Given], mut is_shown: impl FnMut(usize, &Given) -> bool) -> Vec<Given> {
    let shown = frames.iter().enumerate().filter(|(n, frame)| is_shown(*n, frame));
    shown.map(|(_, frame)| frame.clone()).collect()
}

#[test]
fn a_mirror_that_is_well_is_said_nothing_of() {
    let minute = minute();
    let (mirror, notes) = told(&minute);
    assert_eq!(notes, "");
    assert_eq!((share(&mirror, "one_in"), share(&mirror, "lost")), (1.0, 0.0));
    assert_eq!(mirror["bytes"], mirror["estimated_bytes"]);
    assert_bytes(&mirror, &minute, "bare");
}

#[test]
fn what_networks_do_to_packets_is_nothing_of_the_mirrors() {
    let mut rng = Rng::new(1);
    let mut again = minute();
    for frame in minute() {
        if rng.chance(0.02) {
            let mut frame = frame;
            frame.time += rng.range(200_000_000, 400_000_000);
            again.push(frame);
        }
    }
    again.sort_by_key(|frame| frame.time);
    assert_eq!(told(&again).1, "", "sent again");
    let mut reordered = minute();
    for frame in &mut reordered {
        frame.time += if rng.chance(0.05) { rng.range(0, 100_000_000) } else { 0 };
    }
    reordered.sort_by_key(|frame| frame.time);
    assert_eq!(told(&reordered).1, "", "reordered");
}

#[test]
fn sampling_is_recognised_and_its_rate_told() {
    let minute = minute();
    let mut rng = Rng::new(3);
    for one_in in [2, 3, 10] {
        let regular = only(&minute, |n, _| n % one_in == 0);
        let by_chance = only(&minute, |_, _| rng.below(one_in as u64) == 0);
        for (sampled, how) in [(regular, "regularly"), (by_chance, "by chance")] {
            let what = format!("1 in {one_in} {how}");
            let (mirror, notes) = told(&sampled);
            assert_bytes(&mirror, &minute, &what);
            assert!((share(&mirror, "one_in") / one_in as f64 - 1.0).abs() < 0.05, "{mirror}");
            let words = ["the mirror samples 1 in ", "seen, 1 in ", " in all"];
            assert!(words.iter().all(|words| notes.contains(words)), "{what}: {notes}");
        }
    }
}

#[test]
fn loss_is_no_sampling() {
    let mut rng = Rng::new(4);
    let lossy = only(&minute(), |_, _| !rng.chance(0.03));
    let (mirror, notes) = told(&lossy);
    assert!((share(&mirror, "lost") - 0.03).abs() < 0.01, "{mirror}");
    assert_eq!(share(&mirror, "one_in"), 1.0);
    assert!(notes.contains("of bytes on its way here: volumes may be short"), "{notes}");
}

#[test]
fn a_capture_of_both_ends_is_recognised_and_its_volumes_are_those_of_one() {
    let minute = minute();
    let mut rng = Rng::new(5);
    let mut doubled = minute.clone();
    doubled.extend(minute.iter().cloned().map(|mut frame| {
        frame.time += rng.range(0, 1_500_000);
        // Routed: another VLAN, and one hop less to live.
        frame.bytes[22] -= 1;
        frame.bytes.splice(12..12, [0x81, 0, 0, 7]);
        frame.wire_len += 4;
        frame
    }));
    doubled.sort_by_key(|frame| frame.time);
    let (mirror, notes) = told(&doubled);
    assert!((share(&mirror, "duplicates") - 0.5).abs() < 0.01, "{mirror}");
    assert_eq!((share(&mirror, "one_in"), share(&mirror, "lost")), (1.0, 0.0));
    assert_bytes(&mirror, &minute, "doubled");
    assert!(notes.contains("of packets twice (counted once)"), "{notes}");
    assert!(notes.contains("`flow` events count them"), "{notes}");
}

#[test]
fn a_direction_that_is_missing_is_told() {
    for missing in [true, false] {
        let one_sided = only(&minute(), |_, frame| frame.is_answer != missing);
        let (mirror, notes) = told(&one_sided);
        assert!(share(&mirror, "one_sided") > 0.9, "{mirror}");
        assert!(notes.contains("of conversations from one side: volumes may be short"), "{notes}");
    }
}

#[test]
fn what_is_cut_off_is_told_and_counted_all_the_same() {
    let minute = minute();
    for length in [64, 128] {
        for by_mirror in [true, false] {
            let what = format!("cut at {length}, by the mirror: {by_mirror}");
            let mut cut = minute.clone();
            for frame in &mut cut {
                frame.bytes.truncate(length);
                if by_mirror {
                    frame.wire_len = frame.bytes.len() as u32;
                }
            }
            let (mirror, notes) = told(&cut);
            assert_eq!((share(&mirror, "one_in"), share(&mirror, "lost")), (1.0, 0.0), "{what}");
            assert_bytes(&mirror, &minute, &what);
            // A snap length is whose who captured, and volumes do not depend on it.
            assert_eq!(share(&mirror, "truncated") > 0.3, by_mirror, "{what}: {mirror}");
            let is_told = notes.contains("of packets: names may be missing");
            assert_eq!(is_told, by_mirror, "{what}: {notes}");
        }
    }
}
