//! Whole captures of every form read as what was written.

use super::write::{self, BIG, LITTLE, MICROS, MODIFIED, NANOS, Packet};
use super::{note, packets_of, read};
use crate::capture::LinkType;

#[test]
fn pcap_of_either_byte_order_unit_and_record_header() {
    let packets = write::packets(100);
    for order in [LITTLE, BIG] {
        for magic in [MICROS, NANOS, MODIFIED] {
            let file = write::pcap(order, magic, 1, &packets);
            assert!(packets_of(file) == packets, "{order:?} {magic:x}");
        }
    }
}

#[test]
fn nanoseconds_are_kept_where_the_file_has_them() {
    let packet = Packet { nanos: 1_123_456_789, wire_len: 1, bytes: vec![1] };
    let time =
        |magic| packets_of(write::pcap(LITTLE, magic, 1, std::slice::from_ref(&packet)))[0].nanos;
    assert_eq!(time(NANOS), 1_123_456_789);
    assert_eq!(time(MICROS), 1_123_456_000);
}

#[test]
fn the_wire_is_never_shorter_than_what_was_captured_of_it() {
    let packets = &[Packet { nanos: 0, wire_len: 2, bytes: vec![7; 60] }];
    for file in [write::plain(packets), write::pcapng(BIG, packets)] {
        assert_eq!(packets_of(file)[0].wire_len, 60);
    }
}

#[test]
fn the_upper_half_of_a_link_type_is_about_check_sequences() {
    let file = write::pcap(BIG, MICROS, 0x5400_0000 | 113, &write::packets(1));
    assert_eq!(read(&[file]).unwrap().0[0].0, LinkType::LINUX_SLL);
}

#[test]
fn frames_of_an_unsupported_link_type_are_given_with_a_note() {
    let pcap = write::pcap(LITTLE, MICROS, 147, &write::packets(3));
    let mut pcapng = write::section(LITTLE);
    pcapng.extend(write::interface(LITTLE, 147, 0, &[]));
    pcapng.extend(write::interface(LITTLE, 147, 0, &[]));
    pcapng.extend(write::enhanced(LITTLE, 1, 0, &write::packets(1)[0]));
    for (file, count) in [(pcap, 3), (pcapng, 1)] {
        let (seen, stats) = read(&[file]).unwrap();
        assert_eq!(seen.len(), count);
        assert!(note(&stats).contains("link type 147 is not decoded"), "{stats:?}");
    }
}

#[test]
fn pcapng_of_either_byte_order() {
    let packets = write::packets(100);
    for order in [LITTLE, BIG] {
        assert!(packets_of(write::pcapng(order, &packets)) == packets, "{order:?}");
    }
}

#[test]
fn pcapng_sections_each_have_their_byte_order_and_interfaces() {
    let packets = write::packets(4);
    let mut file = write::pcapng(LITTLE, &packets[..2]);
    file.extend(write::section(BIG));
    // Interface 0 counts microseconds here, and 1 halves of halves of a second.
    file.extend(write::interface(BIG, 101, 0, &[]));
    file.extend(write::interface(BIG, 113, 0, &write::option(BIG, 9, &[0x82])));
    file.extend(write::enhanced(BIG, 1, 7, &packets[2]));
    file.extend(write::enhanced(BIG, 0, 9, &packets[3]));
    let (seen, stats) = read(&[file]).unwrap();
    let got: Vec<_> = seen.iter().map(|(link, packet)| (link.0, packet.nanos)).collect();
    let first = |n: usize| (1, packets[n].nanos);
    assert_eq!(got, [first(0), first(1), (113, 1_750_000_000), (101, 9000)]);
    assert_eq!((stats.invalid, stats.notes), (0, vec![]));
}

#[test]
fn pcapng_simple_and_obsolete_packets() {
    let packets = write::packets(2);
    let mut file = write::section(BIG);
    file.extend(write::interface(BIG, 1, 30, &[]));
    let mut obsolete = [BIG.u16(0), BIG.u16(3)].concat();
    obsolete.extend(BIG.u32s(&[1, 2, 5, 90]));
    obsolete.extend(b"bytes");
    file.extend(write::block(BIG, 2, &obsolete));
    // Of 26 bytes all are there; of 90 as many as the interface's snapshot length.
    let short = [&BIG.u32(26)[..], &[1; 26]].concat();
    let long = [&BIG.u32(90)[..], &[2; 30]].concat();
    file.extend([write::block(BIG, 3, &short), write::block(BIG, 3, &long)].concat());
    file.extend(write::enhanced(BIG, 0, 1, &packets[1]));
    let got: Vec<_> =
        packets_of(file).iter().map(|p| (p.nanos, p.wire_len, p.bytes.len())).collect();
    let then = ((1 << 32) + 2) * 1000;
    assert_eq!(got, [(then, 90, 5), (then, 26, 26), (then, 90, 30), (1000, 1001, 21)]);
}

#[test]
fn pcapng_blocks_of_other_kinds_are_passed_over() {
    let packets = write::packets(2);
    let mut file = write::section(LITTLE);
    // Names, secrets, journal, custom, local use, and one that is empty.
    for kind in [4, 10, 9, 0xbad, 0x4000_0bad, 0x8000_0001] {
        file.extend(write::block(LITTLE, kind, &[kind as u8; 40]));
        file.extend(write::block(LITTLE, kind, &[]));
    }
    file.extend(write::interface(LITTLE, 1, 0, &write::option(LITTLE, 9, &[9])));
    file.extend(write::enhanced(LITTLE, 0, packets[0].nanos, &packets[0]));
    file.extend(write::block(LITTLE, 10, &[9; 700_000]));
    file.extend(write::enhanced(LITTLE, 0, packets[1].nanos, &packets[1]));
    assert_eq!(packets_of(file.clone()), packets);
    assert_eq!(packets_of(write::gzip(&file)), packets, "over the edge of the buffer");
}

#[test]
fn pcapng_drops_are_the_last_count_of_each_interface() {
    let mut file = write::pcapng(LITTLE, &write::packets(1));
    file.extend(write::interface(LITTLE, 1, 0, &[]));
    for (interface, dropped) in [(0, 3), (1, 10), (0, 5), (7, 100)] {
        file.extend(write::statistics(LITTLE, interface, dropped));
    }
    file.extend(write::pcapng(BIG, &write::packets(1)));
    file.extend(write::statistics(BIG, 0, 1000));
    assert_eq!(read(&[file]).unwrap().1.dropped, 5 + 10 + 1000);
}

#[test]
fn pcapng_packets_that_nothing_explains_are_counted_and_passed_over() {
    let packets = write::packets(3);
    let mut file = write::pcapng(LITTLE, &packets[..1]);
    file.extend(write::enhanced(LITTLE, 1, 0, &packets[1]));
    let mut long = write::enhanced(LITTLE, 0, 0, &packets[1]);
    long[20] = 200; // captured length
    file.extend(long);
    file.extend(write::block(LITTLE, 6, &[0; 8]));
    file.extend(write::block(LITTLE, 3, &LITTLE.u32(100)));
    file.extend(write::enhanced(LITTLE, 0, packets[2].nanos, &packets[2]));
    let (seen, stats) = read(&[file]).unwrap();
    let seen: Vec<_> = seen.into_iter().map(|(_, packet)| packet).collect();
    assert_eq!(seen, [packets[0].clone(), packets[2].clone()]);
    assert_eq!((stats.invalid, stats.notes), (4, vec![]));
}

#[test]
fn packed_captures_read_as_plain_ones() {
    // Longer than the buffer, so that packets lie over its edge.
    let packets = write::packets(10_000);
    for file in [write::plain(&packets), write::pcapng(BIG, &packets)] {
        for pack in [write::gzip, write::zstd, write::lz4] {
            assert!(packets_of(pack(&file)) == packets);
            let (first, second) = file.split_at(file.len() / 3);
            let parts = [pack(first), pack(&[]), pack(second)].concat();
            assert!(packets_of(parts) == packets, "in three members or frames");
        }
    }
}

/// Fails when one decoder is used for frames with blocks of several sizes.
#[test]
fn frames_of_lz4_may_have_blocks_of_any_size() {
    use lz4_flex::frame::BlockSize;
    let packets = write::packets(10_000);
    let file = write::plain(&packets);
    let (first, second) = file.split_at(file.len() / 2);
    for sizes in [[BlockSize::Max4MB, BlockSize::Max64KB], [BlockSize::Max64KB, BlockSize::Max4MB]]
    {
        let frames = [write::lz4_of(sizes[0], first), write::lz4_of(sizes[1], second)].concat();
        assert!(packets_of(frames) == packets, "{sizes:?}");
    }
}

#[test]
fn a_frame_larger_than_the_buffer_makes_it_grow() {
    let large = Packet { nanos: 1000, wire_len: 262_144, bytes: vec![5; 262_144] };
    let packets = [large.clone(), write::packets(1)[0].clone(), large];
    let file = write::plain(&packets);
    assert!(packets_of(file.clone()) == packets);
    assert!(packets_of(write::zstd(&file)) == packets);
}

#[test]
fn figures_of_progress_are_those_of_the_file_as_it_is() {
    let file = write::plain(&write::packets(5000));
    for file in [write::zstd(&file), file] {
        let length = file.len() as u64;
        let (_, stats) = read(&[file]).unwrap();
        assert_eq!((stats.bytes_read, stats.bytes_total), (length, Some(length)));
    }
}
