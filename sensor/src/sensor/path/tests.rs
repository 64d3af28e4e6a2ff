mod mirrored;

use super::*;
use crate::capture::{Frame, LinkType};
use crate::event::Event;
use egret_tests::bench::{Kind, write};

/// Events as text: all that is in them.
#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn event(&mut self, event: Event) {
        self.0.push(format!("{event:?}"));
    }
}

/// The frames of a generated capture in pcap's little-endian form with microseconds.
fn frames(capture: &[u8]) -> Vec<(Timestamp, u32, Vec<u8>)> {
    let mut rest = &capture[24..];
    let mut frames = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let [seconds, micros, length, wire_len] =
            [0, 4, 8, 12].map(|at| u32::from_le_bytes(*header[at..].first_chunk().unwrap()));
        let (bytes, after) = after.split_at(length as usize);
        rest = after;
        let time = Timestamp::from_parts(u64::from(seconds), u64::from(micros) * 1000);
        frames.push((time, wire_len, bytes.to_vec()));
    }
    frames
}

fn told(frames: &[(Timestamp, u32, Vec<u8>)], copies: Copies) -> (Vec<String>, Path) {
    let (mut told, mut path) = taken(frames, copies);
    path.finish(&mut told);
    (told.0, path)
}

fn taken(frames: &[(Timestamp, u32, Vec<u8>)], copies: Copies) -> (Told, Path) {
    let (mut path, mut told) =
        (Path::new(Wanted::All, 1 << 12, copies, Some(0)).unwrap(), Told::default());
    take(&mut path, frames, &mut told);
    (told, path)
}

/// Takes frames through a path, in bursts.
fn take(path: &mut Path, frames: &[(Timestamp, u32, Vec<u8>)], sink: &mut impl Sink) {
    for frames in frames.chunks(BURST) {
        let burst: Burst<'_> = frames
            .iter()
            .map(|(time, wire_len, bytes)| Frame {
                time: *time,
                wire_len: *wire_len,
                link: LinkType::ETHERNET,
                vlan: None,
                mark: None,
                bytes,
            })
            .collect();
        path.burst(&burst, sink);
    }
}

#[test]
fn a_mirror_that_gives_every_packet_twice_tells_what_one_that_does_not_tells() {
    let mut capture = Vec::new();
    write(Kind::TlsDns, 0.0005, &mut capture).unwrap();
    let plain = frames(&capture);
    // The other port sees them routed, some packets later: A1 A2 A3 A1' A2' A3'.
    let mut doubled = Vec::new();
    for some in plain.chunks(3) {
        doubled.extend_from_slice(some);
        doubled.extend(some.iter().cloned().map(|(time, wire_len, mut bytes)| {
            if let [0x08, 0x00] = bytes[12..14] {
                bytes[22] -= 1;
            }
            (time.plus(Duration::from_micros(50)), wire_len, bytes)
        }));
    }
    let (expected, once) = told(&plain, Copies::LeaveOut);
    let (events, twice) = told(&doubled, Copies::LeaveOut);
    assert_eq!(events.len(), expected.len());
    let differs = events.iter().zip(&expected).find(|(event, expected)| event != expected);
    assert_eq!(differs, None);
    assert!(once.frames > 1000);
    assert_eq!((once.copies(), twice.copies()), (0, once.frames));
    let (counted, path) = told(&doubled, Copies::Count);
    assert!(counted != expected);
    assert_eq!(path.copies(), once.frames);
}

/// When nothing is given but counts, time goes on all the same.
#[test]
fn counts_end_the_wait_for_what_does_not_come() {
    let mut capture = Vec::new();
    write(Kind::TlsDns, 0.0005, &mut capture).unwrap();
    let frames = frames(&capture);
    let tell = |told: &Told, body: &str| told.0.iter().filter(|event| event.contains(body)).count();
    // Up to the first ClientHello.
    let (mut told, mut path) = (1..frames.len())
        .map(|cut| taken(&frames[..cut], Copies::Count))
        .find(|(told, _)| tell(told, "body: Hello(") == 1)
        .unwrap();
    let (before, given) = (tell(&told, "body: Tls("), path.frames);
    let (first, last) = path.span.unwrap();
    let count = |seconds| Counted {
        source: [192, 0, 2, 1].into(),
        destination: [192, 0, 2, 2].into(),
        ports: [40_000, 443],
        protocol: crate::decode::protocol::TCP,
        tcp_flags: 0x10,
        packets: 3,
        bytes: 300,
        since: last,
        last: last.plus(Duration::from_secs(seconds)),
    };
    path.counted(&[count(4), count(1)], &mut told);
    assert_eq!(tell(&told, "body: Tls("), before, "an answer may still come");
    path.counted(&[count(6), count(5)], &mut told);
    assert_eq!(tell(&told, "body: Tls("), before + 1);
    assert_eq!(path.span, Some((first, last.plus(Duration::from_secs(6)))));
    assert_eq!(path.frames, given, "a count is no frame");
}
