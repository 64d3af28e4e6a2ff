//! Several files read as one, in the order of time.

use proptest::prelude::*;

use super::write::{self, BIG, Packet};
use super::{Captures, Seen, next, read};
use crate::capture::file::Files;
use crate::capture::{Progress, Source};

fn packet(nanos: u64, mark: u8) -> Packet {
    Packet { nanos: nanos * 1000, wire_len: 1, bytes: vec![mark] }
}

fn marks(seen: &Seen) -> Vec<u8> {
    seen.0.iter().map(|(_, packet)| packet.bytes[0]).collect()
}

#[test]
fn frames_of_several_files_share_bursts_in_the_order_of_time() {
    let all = write::packets(1000);
    let part = |n: usize| all.iter().skip(n).step_by(3).cloned().collect::<Vec<_>>();
    let files = [
        write::plain(&part(0)),
        write::gzip(&write::pcapng(BIG, &part(1))),
        write::plain(&part(2)),
    ];
    let seen = read(&files).unwrap();
    assert!(seen.0.into_iter().map(|(_, packet)| packet).eq(all));
    assert_eq!(seen.1.notes, Vec::<String>::new());
}

#[test]
fn equal_times_come_from_the_file_that_began_first_then_from_the_one_given_first() {
    let early = write::plain(&[packet(1, 1), packet(5, 2), packet(5, 3)]);
    let late = write::plain(&[packet(5, 4), packet(5, 5)]);
    let other = write::plain(&[packet(5, 6)]);
    let read = |files: &[&Vec<u8>]| {
        marks(&read(&files.iter().copied().cloned().collect::<Vec<_>>()).unwrap())
    };
    assert_eq!(read(&[&early, &late, &other]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(read(&[&late, &early, &other]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(read(&[&other, &late, &early]), [1, 2, 3, 6, 4, 5]);
}

#[test]
fn a_file_keeps_its_own_order_and_its_head_decides() {
    let back = write::plain(&[packet(10, 1), packet(3, 2), packet(12, 3)]);
    let other = write::plain(&[packet(9, 4), packet(11, 5)]);
    assert_eq!(marks(&read(&[back, other]).unwrap()), [4, 1, 2, 5, 3]);
}

#[test]
fn a_file_without_packets_or_cut_short_leaves_the_others() {
    let mut cut = write::plain(&write::packets(2));
    cut.pop();
    let (seen, stats) = read(&[write::plain(&[]), cut, write::plain(&[packet(1, 1)])]).unwrap();
    assert_eq!((seen.len(), stats.frames, stats.notes.len()), (2, 2, 1));
}

#[test]
fn packed_files_are_open_only_while_it_is_their_turn() {
    let files: Vec<_> =
        write::packets(50).into_iter().map(|p| write::zstd(&write::plain(&[p]))).collect();
    let captures = Captures::new(&files);
    let mut source = captures.open().unwrap();
    let open = |files: &Files| files.inputs.iter().filter(|input| !input.is_closed()).count();
    assert_eq!(open(&source), 0);
    let mut seen = Vec::new();
    while next(&mut source, &mut seen).unwrap() == Progress::More {
        assert!(open(&source) <= 1);
    }
    assert!(seen.into_iter().map(|(_, packet)| packet).eq(write::packets(50)));
    let length = files.iter().map(|file| file.len() as u64).sum();
    assert_eq!((source.stats().bytes_read, source.stats().bytes_total), (length, Some(length)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One file, and the same cut in two given in either order, read the same.
    #[test]
    fn a_capture_cut_in_two_reads_as_one(
        steps in prop::collection::vec(0_u64..3, 1..150),
        at in any::<prop::sample::Index>(),
        pack in any::<bool>(),
    ) {
        let mut nanos = 0;
        let mut packets = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            // Only the first packet is sure to be alone at its time.
            nanos += if n == 1 { 1 } else { step };
            packets.push(packet(nanos, n as u8));
        }
        let (first, second) = packets.split_at(at.index(packets.len() + 1));
        let write = |part: &[Packet]| {
            let file = write::plain(part);
            if pack { write::lz4(&file) } else { file }
        };
        let whole = read(&[write(&packets)]).unwrap().0;
        prop_assert!(read(&[write(first), write(second)]).unwrap().0 == whole);
        prop_assert!(read(&[write(second), write(first)]).unwrap().0 == whole);
    }
}
