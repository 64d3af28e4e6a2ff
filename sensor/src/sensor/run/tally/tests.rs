use egret_ebpf::Totals;
use egret_tests::traffic::{end, path};
use egret_tests::wire::{Payload, Segment, flag};

use super::*;
use crate::capture::{Burst, Frame, LinkType};
use crate::event::Event;
use crate::observe::{Sink, Wanted};
use crate::sensor::path::Copies;

struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, _: Event) {}
}

/// A path that was given one frame of this length.
fn one_frame(wire_len: u32) -> Path {
    let mut path = Path::new(Wanted::ForDetectors, 64, Copies::LeaveOut, Some(0)).unwrap();
    let mut burst = Burst::new();
    let (time, link) = (Timestamp::from_parts(1000, 0), LinkType::ETHERNET);
    burst.push(Frame { time, wire_len, link, vlan: None, mark: None, bytes: &[0; 14] });
    path.burst(&burst, &mut Nowhere);
    path
}

fn stats(totals: Totals) -> Stats {
    let kernel = Kernel { totals, slots: 100, last: Some(Timestamp::from_parts(1001, 0)) };
    Stats { kernel: Some(kernel), ..Stats::default() }
}

#[test]
fn what_was_read_and_what_was_counted_are_the_whole_and_nothing_counts_twice() {
    let metrics = Metrics::new().unwrap();
    let mut tally = Tally::new(metrics.clone(), Refused::default());
    let mut told = Told::default();
    let totals = Totals {
        packets: 10,
        bytes: 1000,
        handed: 2,
        handed_bytes: 160,
        duplicates: 3,
        ..Totals::default()
    };
    let news = tally.source(&stats(totals), &mut told);
    assert_eq!((news.counted, news.lost), (8, 0));
    assert_eq!(news.last, Some(Timestamp::from_parts(1001, 0)));
    // One of two frames that went up was read by now.
    tally.publish(&one_frame(60), 0);
    assert_eq!((metrics.capture_packets.get(), metrics.capture_bytes.get()), (9, 900));
    assert_eq!(metrics.capture_duplicates.get(), 3);
    assert_eq!(tally.source(&stats(totals), &mut told).counted, 0);
    assert_eq!(metrics.capture_packets.get(), 9);
    let fast_path = &metrics.fast_path;
    assert_eq!((fast_path.counted_packets.get(), fast_path.counted_bytes.get()), (8, 840));
    assert_eq!((fast_path.handed_up_packets.get(), fast_path.handed_up_bytes.get()), (2, 160));
}

#[test]
fn numbers_that_are_read_while_they_change_add_up_in_the_end() {
    let metrics = Metrics::new().unwrap();
    let tally = Tally::new(metrics.clone(), Refused::default());
    let mut told = Told::default();
    let at = |packets, handed| stats(Totals { packets, handed, ..Totals::default() });
    // The packet that goes up was already among those handed, and then also among all.
    for (packets, handed, counted) in [(10, 2, 8), (10, 3, 0), (11, 3, 0), (13, 4, 1)] {
        assert_eq!(tally.source(&at(packets, handed), &mut told).counted, counted);
    }
    assert_eq!(metrics.fast_path.counted_packets.get(), 9);
}

#[test]
fn every_number_of_the_kernel_has_its_metric() {
    let metrics = Metrics::new().unwrap();
    let tally = Tally::new(metrics.clone(), Refused::default());
    let totals = Totals {
        ring_full: 1,
        evicted: 2,
        overflow: 3,
        unattributed: 4,
        unparsed: 5,
        slots_used: 6,
        ..Totals::default()
    };
    let (mut one, mut two) = (Told::default(), Told::default());
    tally.source(&stats(totals), &mut one);
    tally.source(&stats(totals), &mut two);
    let of = &metrics.fast_path;
    let counters = [&of.ring_full, &of.evicted, &of.overflow, &of.unattributed, &of.unparsed];
    assert_eq!(counters.map(IntCounter::get), [2, 4, 6, 8, 10]);
    assert_eq!((of.slots_used.get(), of.slots.get()), (12, 200));
    tally.retired(&one);
    assert_eq!((of.slots_used.get(), of.slots.get()), (6, 100));
    assert_eq!(counters.map(IntCounter::get), [2, 4, 6, 8, 10], "counters never fall");
}

#[test]
fn what_frames_hold_and_nobody_can_read_is_counted_by_its_layer() {
    const HELLO: &[u8] = b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03";
    let server_hello = [&[2, 0, 0, 38, 3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat();
    let certificate = [11, 0, 0, 8, 0, 0, 5, 0, 0, 2, 0x30, 0x7f];
    let messages = [&server_hello[..], &certificate].concat();
    let flight = [&[22, 3, 3, 0, messages.len() as u8][..], &messages].concat();
    let ends = |client, server| path(end("10.20.0.11", client), end("203.0.113.5", server));
    let segment = |path: &_, bytes| {
        let header = Segment { flags: flag::ACK, sequence: 1, acknowledgment: 1 };
        let mut frame = egret_tests::wire::Frame::new(1);
        frame.tcp(path, header, Payload::whole(bytes)).bytes().to_vec()
    };
    let mut datagram = egret_tests::wire::Frame::new(1);
    datagram.udp(&ends(40_002, 53), Payload::whole(b"no message of DNS"));

    let metrics = Metrics::new().unwrap();
    let mut tally = Tally::new(metrics.clone(), Refused::default());
    let mut path = Path::new(Wanted::All, 64, Copies::LeaveOut, Some(0)).unwrap();
    let frames = [
        segment(&ends(40_000, 443), HELLO),
        segment(&ends(40_001, 443).back(), &flight),
        datagram.bytes().to_vec(),
    ];
    for bytes in &frames {
        let mut burst = Burst::new();
        let (time, link) = (Timestamp::from_parts(1000, 0), LinkType::ETHERNET);
        let wire_len = bytes.len() as u32;
        burst.push(Frame { time, wire_len, link, vlan: None, mark: None, bytes });
        path.burst(&burst, &mut Nowhere);
    }
    for _ in 0..2 {
        tally.publish(&path, 0);
    }
    for layer in [labels::TLS, labels::CERTIFICATE, labels::DNS] {
        let counted = metrics.decode_errors.with_label_values(&[layer]).get();
        assert_eq!(counted, 1, "{layer}");
    }
}

#[test]
fn a_source_without_a_half_in_the_kernel_tells_what_it_lost() {
    let metrics = Metrics::new().unwrap();
    let tally = Tally::new(metrics.clone(), Refused::default());
    let mut told = Told::default();
    let stats = Stats { dropped: 5, invalid: 2, truncated: 3, ..Stats::default() };
    let news = tally.source(&stats, &mut told);
    assert_eq!(news, News { lost: 7, counted: 0, last: None });
    assert_eq!(tally.source(&stats, &mut told).lost, 0);
    assert_eq!(metrics.capture_truncated.get(), 3);
    assert_eq!(metrics.capture_packets.get(), 0, "frames are counted where they are read");
}
