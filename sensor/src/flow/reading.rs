//! Hands the first bytes of each TCP direction to the observer, in order.

use super::index::SlotId;
use super::key::Direction;
use super::slot::{flags, of, of_mut};
use super::{Observer, Table, Verdict, View};
use crate::decode::{Packet, tcp_flags};
use crate::time::Timestamp;

/// Beyond this a sequence number is not early or late but another stretch of the stream: its
/// packets were lost, or never captured.
const FAR: i32 = 1 << 20;

/// A segment's place and what was captured of it.
struct Segment<'a> {
    sequence: u32,
    bytes: &'a [u8],
    wire_len: u32,
}

impl Table {
    #[inline]
    pub(super) fn read<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        from: Direction,
        observer: &mut O,
    ) {
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        let Some(tcp) = packet.tcp else {
            return;
        };
        if slot.is_read(from) {
            return;
        }
        let mut sequence = tcp.sequence;
        let synced = of(&flags::SYNCED, from);
        if tcp.flags & tcp_flags::SYN != 0 {
            sequence = sequence.wrapping_add(1);
            *of_mut(&mut slot.next_sequence, from) = sequence;
            slot.flags |= synced;
        }
        if packet.payload_wire_len == 0 {
            return;
        }
        if !slot.has(synced) {
            *of_mut(&mut slot.next_sequence, from) = sequence;
            slot.flags |= synced;
        }
        let segment =
            Segment { sequence, bytes: packet.payload, wire_len: packet.payload_wire_len };
        self.segment(id, from, &segment, observer);
    }

    /// Puts a segment in its place: now, later or never.
    #[inline]
    fn segment<O: Observer>(
        &mut self,
        id: SlotId,
        from: Direction,
        segment: &Segment<'_>,
        observer: &mut O,
    ) {
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        let next = of(&slot.next_sequence, from);
        let ahead = segment.sequence.wrapping_sub(next) as i32;
        let is_whole = segment.bytes.len() >= segment.wire_len as usize;
        let fills = (-FAR..=0).contains(&ahead) && is_whole;
        if fills && slot.stream != 0 && self.streams.has_early(id, from) {
            // What waits came before it and counts where both have something.
            self.streams.keep_next(id, from, segment.sequence, segment.bytes);
            self.take_early(id, from, observer);
        } else if ahead == 0 {
            self.in_order(id, from, segment.bytes, segment.wire_len, observer);
        } else if !(-FAR..=FAR).contains(&ahead) {
            self.resync(id, from, segment.sequence, observer);
            self.in_order(id, from, segment.bytes, segment.wire_len, observer);
        } else if ahead > 0 {
            self.early(id, from, segment, observer);
            return;
        } else {
            // What overlaps was read before: first come, first believed, as receivers do.
            let overlap = ahead.unsigned_abs();
            if overlap >= segment.wire_len {
                return;
            }
            let rest = segment.bytes.get(overlap as usize..).unwrap_or_default();
            self.in_order(id, from, rest, segment.wire_len - overlap, observer);
        }
        if self.slots.one(id as usize).is_some_and(|slot| slot.stream != 0) {
            self.take_early(id, from, observer);
        }
    }

    /// Keeps a segment from behind a gap; when too much waits, gives the gap up.
    #[cold]
    #[inline(never)]
    fn early<O: Observer>(
        &mut self,
        id: SlotId,
        from: Direction,
        segment: &Segment<'_>,
        observer: &mut O,
    ) {
        let &Segment { sequence, bytes, wire_len } = segment;
        let cut = wire_len as usize > bytes.len();
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        if self.streams.keep_early(id, from, sequence, bytes, cut) {
            slot.stream = 1;
            return;
        }
        let next = of(&slot.next_sequence, from);
        if let Some(first) = self.streams.first_early(id, from, next) {
            self.resync(id, from, first, observer);
            self.take_early(id, from, observer);
        } else {
            // A segment larger than all that may wait: it does not.
            self.resync(id, from, sequence, observer);
        }
        // Its place may be another now; each time round fewer wait.
        if self.slots.one(id as usize).is_some_and(|slot| !slot.is_read(from)) {
            self.segment(id, from, segment, observer);
        }
    }

    /// Goes on with what waited, as far as there is no gap.
    fn take_early<O: Observer>(&mut self, id: SlotId, from: Direction, observer: &mut O) {
        loop {
            let Some(slot) = self.slots.one(id as usize) else {
                return;
            };
            if slot.is_read(from) {
                return;
            }
            let next = of(&slot.next_sequence, from);
            let Some(early) = self.streams.take_early(id, from, next) else {
                return;
            };
            let overlap = next.wrapping_sub(early.sequence) as usize;
            if let Some(rest) = early.bytes.get(overlap..)
                && !rest.is_empty()
            {
                let wire_len = rest.len() as u32 + u32::from(early.cut);
                self.in_order(id, from, rest, wire_len, observer);
            }
        }
    }

    /// Gives up what lies before `sequence`: what is kept is shown for the last time.
    fn resync<O: Observer>(
        &mut self,
        id: SlotId,
        from: Direction,
        sequence: u32,
        observer: &mut O,
    ) {
        let kept = self.streams.take_kept(id, from);
        if !kept.is_empty() {
            let at = self.now;
            self.show(id, from, at, &kept, false, observer);
        }
        if let Some(slot) = self.slots.one(id as usize) {
            *of_mut(&mut slot.next_sequence, from) = sequence;
        }
    }

    /// The next bytes in order, alone or behind what is kept.
    #[inline]
    fn in_order<O: Observer>(
        &mut self,
        id: SlotId,
        from: Direction,
        bytes: &[u8],
        wire_len: u32,
        observer: &mut O,
    ) {
        let at = self.now;
        let Some(slot) = self.slots.one(id as usize).filter(|slot| !slot.is_read(from)) else {
            return;
        };
        let next = of_mut(&mut slot.next_sequence, from);
        *next = next.wrapping_add(wire_len);
        let whole = bytes.len() >= wire_len as usize;
        if slot.stream != 0
            && let Some((len, wanted)) = self.streams.kept(id, from)
        {
            if whole && len + bytes.len() < wanted {
                return self.streams.append(id, from, bytes);
            }
            let mut kept = self.streams.take_kept(id, from);
            kept.extend_from_slice(bytes);
            let (used, wanted) = self.show(id, from, at, &kept, whole, observer);
            if let Some(wanted) = wanted {
                kept.drain(..used);
                self.keep(id, from, kept, wanted);
            }
            return;
        }
        let (used, wanted) = self.show(id, from, at, bytes, whole, observer);
        if let Some(wanted) = wanted {
            let rest = bytes.get(used..).unwrap_or_default();
            self.keep(id, from, rest.to_vec(), wanted);
        }
    }

    fn keep(&mut self, id: SlotId, from: Direction, bytes: Vec<u8>, wanted: usize) {
        let kept = self.streams.keep(id, from, bytes, wanted);
        if let Some(slot) = self.slots.one(id as usize) {
            slot.stream = 1;
            if !kept {
                self.enough(id, from);
            }
        }
    }

    /// Shows bytes to the observer until it has seen them all, wants more or has enough. Says how
    /// many are dealt with and, when the rest is to be kept, until how many there are.
    #[inline]
    fn show<O: Observer>(
        &mut self,
        id: SlotId,
        from: Direction,
        at: Timestamp,
        bytes: &[u8],
        more: bool,
        observer: &mut O,
    ) -> (usize, Option<usize>) {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..)
            && !rest.is_empty()
        {
            let (Some(slot), Some(cold)) =
                (self.slots.one(id as usize), self.cold.get(id as usize))
            else {
                break;
            };
            match observer.stream(&View { id, slot, cold }, at, from, rest, more) {
                Verdict::Want(wanted) if more => return (used, Some(wanted)),
                Verdict::Skip | Verdict::Want(_) => {
                    let budget = of_mut(&mut slot.budget, from);
                    *budget = budget.saturating_sub(u16::try_from(rest.len()).unwrap_or(u16::MAX));
                    if *budget == 0 {
                        self.enough(id, from);
                    }
                    break;
                }
                Verdict::Used(bytes) => used += bytes.max(1),
                Verdict::Enough(client) => {
                    if let Some(client) = client {
                        slot.be_sure(client);
                    }
                    self.enough(id, from);
                    break;
                }
            }
        }
        (bytes.len(), None)
    }

    /// This direction is read enough: nothing of it is kept from now on.
    fn enough(&mut self, id: SlotId, from: Direction) {
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        slot.flags |= of(&flags::READ, from);
        if slot.stream != 0 && self.streams.forget(id, from) {
            slot.stream = 0;
        }
    }

    /// The flow ends: what is kept of it is shown for the last time, and what waited behind a gap.
    pub(super) fn last_look<O: Observer>(&mut self, id: SlotId, at: Timestamp, observer: &mut O) {
        if self.slots.one(id as usize).is_none_or(|slot| slot.stream == 0) {
            return;
        }
        for from in [Direction::Up, Direction::Down] {
            while let Some(slot) = self.slots.one(id as usize)
                && !slot.is_read(from)
                && let Some(first) =
                    self.streams.first_early(id, from, of(&slot.next_sequence, from))
            {
                self.resync(id, from, first, observer);
                self.take_early(id, from, observer);
            }
            let kept = self.streams.take_kept(id, from);
            self.show(id, from, at, &kept, false, observer);
            self.enough(id, from);
        }
    }
}
