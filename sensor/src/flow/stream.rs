//! The first bytes of a direction, in order: what arrives early waits, what is not yet a whole
//! message is kept. Bounded in bytes, segments and flows.

use std::collections::VecDeque;

use super::index::SlotId;
use super::key::Direction;
use super::slot::of_mut;

/// How much of a direction is looked at, and at most kept ahead of a gap.
pub(super) const BUDGET: u16 = 16 * 1024;

/// The longest message kept: a DNS message over TCP with its length (RFC 1035 section 4.2.2).
const MAX_MESSAGE: usize = 65_537;

/// How many segments may wait for a gap to fill.
const MAX_EARLY: usize = 12;

/// How much all flows together may keep; the oldest gives way. 4000 flows of a full budget.
const MAX_TOTAL: usize = 64 * 1024 * 1024;

/// What flows keep of their first bytes. Most flows keep nothing: their messages come whole.
#[derive(Default)]
pub(super) struct Streams {
    flows: hashbrown::HashMap<SlotId, Stream, foldhash::fast::RandomState>,
    /// In order of their making, with their serial numbers.
    order: VecDeque<(SlotId, u64)>,
    serial: u64,
    bytes: usize,
    /// How many gave way to younger ones.
    pub(super) evicted: u64,
}

#[derive(Default)]
struct Stream {
    serial: u64,
    sides: [Side; 2],
}

/// One direction's bytes that are kept.
#[derive(Default)]
struct Side {
    /// In order, up to the flow's next sequence number.
    kept: Vec<u8>,
    /// How long `kept` must be before it is worth another look.
    wanted: usize,
    /// Segments from behind a gap, by arrival.
    early: Vec<Early>,
}

/// A segment that came before its predecessor.
pub(super) struct Early {
    pub sequence: u32,
    pub bytes: Box<[u8]>,
    /// The rest of the segment was not captured.
    pub cut: bool,
}

impl Early {
    /// Whether all of `other` is in it.
    fn covers(&self, other: &Self) -> bool {
        let ahead = other.sequence.wrapping_sub(self.sequence) as usize;
        ahead.saturating_add(other.bytes.len()) <= self.bytes.len() && self.cut >= other.cut
    }
}

impl Side {
    fn len(&self) -> usize {
        self.kept.len() + self.early_len()
    }

    fn early_len(&self) -> usize {
        self.early.iter().map(|early| early.bytes.len()).sum()
    }
}

impl Streams {
    /// Keeps `bytes` behind what is kept already.
    pub(super) fn append(&mut self, flow: SlotId, direction: Direction, bytes: &[u8]) {
        self.grow(bytes.len());
        self.side_or_new(flow, direction).kept.extend_from_slice(bytes);
    }

    /// Keeps `bytes` until there are `wanted`; false when that is more than any message has.
    pub(super) fn keep(
        &mut self,
        flow: SlotId,
        direction: Direction,
        bytes: Vec<u8>,
        wanted: usize,
    ) -> bool {
        if wanted > MAX_MESSAGE || bytes.len() > MAX_MESSAGE {
            return false;
        }
        self.grow(bytes.len());
        let side = self.side_or_new(flow, direction);
        side.kept = bytes;
        side.wanted = wanted;
        true
    }

    /// How much is kept in order, and how much is wanted.
    pub(super) fn kept(&self, flow: SlotId, direction: Direction) -> Option<(usize, usize)> {
        let side = self.side(flow, direction)?;
        (!side.kept.is_empty()).then_some((side.kept.len(), side.wanted))
    }

    /// Takes what is kept in order, to be looked at.
    pub(super) fn take_kept(&mut self, flow: SlotId, direction: Direction) -> Vec<u8> {
        let Some(side) = self.side_mut(flow, direction) else {
            return Vec::new();
        };
        let kept = std::mem::take(&mut side.kept);
        self.bytes = self.bytes.saturating_sub(kept.len());
        kept
    }

    /// Whether segments wait behind a gap.
    pub(super) fn has_early(&self, flow: SlotId, direction: Direction) -> bool {
        self.side(flow, direction).is_some_and(|side| !side.early.is_empty())
    }

    /// Keeps a segment from behind a gap, unless one that waits has all of it; gives it back when too
    /// much waits there already.
    pub(super) fn keep_early(
        &mut self,
        flow: SlotId,
        direction: Direction,
        early: Early,
    ) -> Result<(), Early> {
        let len = early.bytes.len();
        if let Some(side) = self.side(flow, direction) {
            if side.early.iter().any(|waiting| waiting.covers(&early)) {
                return Ok(());
            }
            if side.early.len() >= MAX_EARLY || side.early_len() + len > usize::from(BUDGET) {
                return Err(early);
            }
        }
        self.keep_next(flow, direction, early);
        Ok(())
    }

    /// Keeps a segment that fills the gap, to be taken at once, among those that wait behind it.
    pub(super) fn keep_next(&mut self, flow: SlotId, direction: Direction, early: Early) {
        self.grow(early.bytes.len());
        self.side_or_new(flow, direction).early.push(early);
    }

    /// Takes a waiting segment that begins at or before `next`. Of bytes that several have, those
    /// count that came first: one that came later is taken piece by piece.
    pub(super) fn take_early(
        &mut self,
        flow: SlotId,
        direction: Direction,
        next: u32,
    ) -> Option<Early> {
        let waiting = &mut self.side_mut(flow, direction)?.early;
        let at = waiting.iter().position(|early| next.wrapping_sub(early.sequence) as i32 >= 0)?;
        let (before, Some(found)) = (waiting.get(..at)?, waiting.get(at)) else {
            return None;
        };
        let first = before.iter().map(|early| early.sequence.wrapping_sub(next)).min();
        let read = next.wrapping_sub(found.sequence) as usize;
        let until = first.map(|ahead| read.saturating_add(ahead as usize));
        if let Some(until) = until
            && let Some(bytes) = found.bytes.get(read..until)
        {
            return Some(Early { sequence: next, bytes: bytes.into(), cut: false });
        }
        let early = waiting.remove(at);
        self.bytes = self.bytes.saturating_sub(early.bytes.len());
        Some(early)
    }

    /// The first sequence number that waits behind the gap at `next`.
    pub(super) fn first_early(&self, flow: SlotId, direction: Direction, next: u32) -> Option<u32> {
        let waiting = &self.side(flow, direction)?.early;
        waiting
            .iter()
            .map(|early| early.sequence)
            .min_by_key(|sequence| sequence.wrapping_sub(next))
    }

    /// Forgets one direction; true once neither keeps anything and the flow has no stream any more.
    pub(super) fn forget(&mut self, flow: SlotId, direction: Direction) -> bool {
        let Some(side) = self.side_mut(flow, direction) else {
            return true;
        };
        let freed = std::mem::take(side).len();
        self.bytes = self.bytes.saturating_sub(freed);
        let empty = self.side(flow, direction.reverse()).is_some_and(|side| side.len() == 0);
        if empty {
            self.flows.remove(&flow);
            self.tidy();
        }
        empty
    }

    fn side(&self, flow: SlotId, direction: Direction) -> Option<&Side> {
        let [up, down] = &self.flows.get(&flow)?.sides;
        Some(if direction == Direction::Up { up } else { down })
    }

    fn side_mut(&mut self, flow: SlotId, direction: Direction) -> Option<&mut Side> {
        Some(of_mut(&mut self.flows.get_mut(&flow)?.sides, direction))
    }

    fn side_or_new(&mut self, flow: SlotId, direction: Direction) -> &mut Side {
        let Self { flows, order, serial, .. } = self;
        let stream = flows.entry(flow).or_insert_with(|| {
            *serial += 1;
            order.push_back((flow, *serial));
            Stream { serial: *serial, ..Stream::default() }
        });
        of_mut(&mut stream.sides, direction)
    }

    /// Drops from `order` what is gone, once that is most of it.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.flows.len() + 64 {
            let flows = &self.flows;
            self.order.retain(|(flow, serial)| {
                flows.get(flow).is_some_and(|stream| stream.serial == *serial)
            });
        }
    }

    /// Makes room for `bytes` more: the oldest streams give way. Their flows find nothing kept
    /// and go on with what comes next.
    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        while self.bytes > MAX_TOTAL {
            let Some((flow, serial)) = self.order.pop_front() else {
                return;
            };
            if self.flows.get(&flow).is_some_and(|stream| stream.serial == serial)
                && let Some(stream) = self.flows.remove(&flow)
            {
                let freed: usize = stream.sides.iter().map(Side::len).sum();
                self.bytes = self.bytes.saturating_sub(freed);
                self.evicted += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_when_all_flows_keep_too_much() {
        let mut streams = Streams::default();
        let message = vec![0x16; 60_000];
        let flows = (MAX_TOTAL / message.len()) as SlotId + 10;
        for flow in 0..flows {
            assert!(streams.keep(flow, Direction::Up, message.clone(), 60_001));
        }
        assert!(streams.bytes <= MAX_TOTAL && streams.evicted >= 10);
        assert!(streams.kept(0, Direction::Up).is_none(), "the first is gone");
        assert_eq!(streams.kept(flows - 1, Direction::Up), Some((60_000, 60_001)));
    }

    #[test]
    fn bytes_and_order_are_given_back() {
        let mut streams = Streams::default();
        for flow in 0..10_000 {
            assert!(streams.keep(flow, Direction::Down, vec![0; 100], 200));
            let early = Early { sequence: 7, bytes: Box::from([1, 2, 3]), cut: false };
            assert!(streams.keep_early(flow, Direction::Up, early).is_ok());
            assert!(!streams.forget(flow, Direction::Down));
            assert!(streams.forget(flow, Direction::Up));
        }
        assert_eq!(streams.bytes, 0);
        assert!(streams.flows.is_empty() && streams.order.len() <= 64);
    }

    /// What is taken from `next` on while there is no gap.
    fn taken(streams: &mut Streams, mut next: u32) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some(early) = streams.take_early(1, Direction::Up, next) {
            let read = next.wrapping_sub(early.sequence) as usize;
            let bytes = early.bytes.get(read..).unwrap_or_default();
            next = next.wrapping_add(bytes.len() as u32);
            taken.extend_from_slice(bytes);
        }
        taken
    }

    #[test]
    fn of_segments_that_disagree_the_first_counts() {
        let near_the_end = u32::MAX - 4;
        let mut streams = Streams::default();
        let mut keep = |ahead: u32, bytes: &[u8]| {
            let sequence = near_the_end.wrapping_add(ahead);
            let early = Early { sequence, bytes: bytes.into(), cut: false };
            assert!(streams.keep_early(1, Direction::Up, early).is_ok());
        };
        keep(8, b"AAAA");
        keep(2, b"bbbbbbbbbbbbbb");
        keep(3, b"ccc");
        keep(0, b"dddddddddddddddddddd");
        keep(9, b"AA");
        assert_eq!(streams.side(1, Direction::Up).unwrap().early.len(), 3, "two say nothing new");
        assert_eq!(taken(&mut streams, near_the_end), b"ddbbbbbbAAAAbbbbdddd");
        assert_eq!(streams.bytes, 0);
    }

    #[test]
    fn no_more_than_twelve_segments_wait_behind_a_gap() {
        let mut streams = Streams::default();
        let early = |sequence| Early { sequence, bytes: Box::from([0; 10]), cut: false };
        for n in 0..12 {
            assert!(streams.keep_early(1, Direction::Up, early(1000 - n * 10)).is_ok());
        }
        assert!(streams.keep_early(1, Direction::Up, early(2000)).is_err());
        assert_eq!(streams.first_early(1, Direction::Up, 5), Some(890));
        assert!(streams.take_early(1, Direction::Up, 889).is_none());
        assert_eq!(
            streams.take_early(1, Direction::Up, 890).map(|early| early.sequence),
            Some(890)
        );
    }
}
