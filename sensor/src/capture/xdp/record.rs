//! Records that hold a packet.

use egret_ebpf::{Handed, TAGGED, size};

use super::clock::Clock;
use super::mapping::read;
use crate::capture::{Frame, LinkType};

/// Bytes of a VLAN tag.
const TAG: u32 = 4;

/// The most bytes of a frame that any record holds.
const LARGEST: u32 = (size::JOINED - size_of::<Handed>()) as u32;

/// What a record is.
pub(super) fn kind(record: &[u8]) -> Option<u32> {
    record.first_chunk().map(|kind| u32::from_ne_bytes(*kind))
}

/// A packet's head, and the packet; its mark is still to be made.
#[inline]
pub(super) fn packet(record: &[u8], clock: Clock) -> Option<(Handed, Frame<'_>)> {
    let head: Handed = read(record)?;
    let bytes = record.get(size_of::<Handed>()..)?.get(..head.captured as usize)?;
    let frame = Frame {
        time: clock.time(head.time),
        wire_len: head.wire_len.max(head.captured),
        link: LinkType::ETHERNET,
        vlan: (head.vlan & TAGGED != 0).then_some((head.vlan & 0x0fff) as u16),
        mark: None,
        bytes,
    };
    Some((head, frame))
}

/// Whether more of a packet arrived than was captured, when at most `snaplen` bytes are.
///
/// The length on the wire does not say: of segments that were joined on the way it counts the headers
/// that are not there any more.
pub(super) fn is_cut(head: &Handed, snaplen: u32) -> bool {
    let tag = if head.vlan & TAGGED == 0 { 0 } else { TAG };
    head.captured >= snaplen.min(LARGEST) && head.captured.saturating_add(tag) < head.wire_len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(head: Handed, room: usize) -> Vec<u8> {
        let words = [head.kind, head.captured, head.wire_len, head.vlan];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        bytes.extend(head.time.to_ne_bytes());
        let words = [head.slot, head.sequence, head.version, head.unused];
        bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend((0..room).map(|byte| byte as u8));
        bytes
    }

    #[test]
    fn only_the_captured_bytes_of_the_room_are_the_frame() {
        let head = Handed { kind: 1, captured: 60, wire_len: 64, vlan: 0, ..Handed::default() };
        let bytes = record(head, 88);
        let (_, frame) = packet(&bytes, Clock::measured()).unwrap();
        assert_eq!((frame.bytes.len(), frame.wire_len, frame.vlan), (60, 64, None));
        let tagged = record(Handed { vlan: TAGGED | 0xf02b, ..head }, 88);
        assert_eq!(packet(&tagged, Clock::measured()).unwrap().1.vlan, Some(43));
    }

    #[test]
    fn a_frame_longer_than_its_record_is_none() {
        for captured in [89, u32::MAX] {
            let head = Handed { captured, ..Handed::default() };
            assert!(packet(&record(head, 88), Clock::measured()).is_none());
        }
        let whole = record(Handed { captured: 4, ..Handed::default() }, 4);
        for short in 0..whole.len() {
            assert!(packet(&whole[..short], Clock::measured()).is_none(), "{short}");
        }
    }

    #[test]
    fn a_frame_is_cut_when_less_was_captured_than_came() {
        let head = Handed { captured: 128, wire_len: 1514, ..Handed::default() };
        assert!(is_cut(&head, 128));
        assert!(!is_cut(&head, 65_535), "joined segments");
        assert!(!is_cut(&Handed { wire_len: 132, vlan: TAGGED, ..head }, 128), "a tag taken out");
        let largest = Handed { captured: LARGEST, wire_len: 1 << 17, ..head };
        assert!(is_cut(&largest, u32::MAX));
    }
}
