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

/// By how much what is kept grows at least.
const GROWTH: usize = 4 * 1024;

/// How many segments may wait for a gap to fill.
const MAX_EARLY: usize = 12;

/// How much all flows together may keep; the oldest gives way. 4000 flows of a full budget.
const MAX_TOTAL: usize = 64 * 1024 * 1024;

/// What a flow counts on top of its bytes, and a segment that waits: somebody may send single ones.
const STREAM_OVERHEAD: usize = 256;
const EARLY_OVERHEAD: usize = 64;

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
    /// Where it ends, counted from `next`; negative when that is before it.
    fn end(&self, next: u32) -> i32 {
        (self.sequence.wrapping_sub(next) as i32).saturating_add_unsigned(self.bytes.len() as u32)
    }

    /// Whether it has all of a segment.
    fn covers(&self, sequence: u32, bytes: &[u8], cut: bool) -> bool {
        let ahead = sequence.wrapping_sub(self.sequence) as usize;
        ahead.saturating_add(bytes.len()) <= self.bytes.len() && self.cut >= cut
    }

    fn cost(&self) -> usize {
        self.bytes.len() + EARLY_OVERHEAD
    }
}

impl Side {
    fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.early.is_empty()
    }

    fn has_room(&self, bytes: usize) -> bool {
        let waiting: usize = self.early.iter().map(|early| early.bytes.len()).sum();
        self.early.len() < MAX_EARLY && waiting + bytes <= usize::from(BUDGET)
    }

    fn cost(&self) -> usize {
        self.kept.len() + self.early.iter().map(Early::cost).sum::<usize>()
    }
}

impl Stream {
    fn cost(&self) -> usize {
        STREAM_OVERHEAD + self.sides.iter().map(Side::cost).sum::<usize>()
    }
}

impl Streams {
    /// Keeps `bytes` behind what is kept already.
    pub(super) fn append(&mut self, flow: SlotId, direction: Direction, bytes: &[u8]) {
        self.grow(bytes.len());
        let kept = &mut self.side_or_new(flow, direction).kept;
        // Not by doubling: no packet makes much more room than itself takes.
        if kept.capacity() - kept.len() < bytes.len() {
            kept.reserve_exact(bytes.len().max(GROWTH));
        }
        kept.extend_from_slice(bytes);
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

    /// Keeps a segment from behind a gap, unless one that waits has all of it; false when too much
    /// waits there already, or would.
    pub(super) fn keep_early(
        &mut self,
        flow: SlotId,
        direction: Direction,
        sequence: u32,
        bytes: &[u8],
        cut: bool,
    ) -> bool {
        let has_room = match self.side(flow, direction) {
            Some(side) if side.early.iter().any(|early| early.covers(sequence, bytes, cut)) => {
                return true;
            }
            Some(side) => side.has_room(bytes.len()),
            None => bytes.len() <= usize::from(BUDGET),
        };
        if has_room {
            self.push_early(flow, direction, Early { sequence, bytes: bytes.into(), cut });
        }
        has_room
    }

    /// Whether segments wait behind a gap.
    pub(super) fn has_early(&self, flow: SlotId, direction: Direction) -> bool {
        self.side(flow, direction).is_some_and(|side| !side.early.is_empty())
    }

    /// Keeps a segment that fills the gap, to be taken at once, behind those that came before it.
    pub(super) fn keep_next(
        &mut self,
        flow: SlotId,
        direction: Direction,
        sequence: u32,
        bytes: &[u8],
    ) {
        self.push_early(flow, direction, Early { sequence, bytes: bytes.into(), cut: false });
    }

    fn push_early(&mut self, flow: SlotId, direction: Direction, early: Early) {
        self.grow(early.cost());
        self.side_or_new(flow, direction).early.push(early);
    }

    /// Takes a waiting segment that begins at or before `next`: of several, the one that came first.
    /// Where it reaches over another that came before it, what lies in front of that.
    pub(super) fn take_early(
        &mut self,
        flow: SlotId,
        direction: Direction,
        next: u32,
    ) -> Option<Early> {
        let waiting = &mut self.side_mut(flow, direction)?.early;
        let ahead = |early: &Early| early.sequence.wrapping_sub(next) as i32;
        let at = waiting.iter().position(|early| ahead(early) <= 0)?;
        let (before, found) = waiting.split_at(at);
        let found = found.first()?;
        let border = before.iter().map(|early| (ahead(early), early.sequence)).min();
        if let Some((border, sequence)) = border
            && border < found.end(next)
        {
            let length = sequence.wrapping_sub(found.sequence) as usize;
            let bytes = found.bytes.get(..length)?.into();
            return Some(Early { sequence: found.sequence, bytes, cut: false });
        }
        let early = waiting.remove(at);
        self.bytes = self.bytes.saturating_sub(early.cost());
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
        let freed = std::mem::take(side).cost();
        self.bytes = self.bytes.saturating_sub(freed);
        let empty = self.side(flow, direction.reverse()).is_some_and(Side::is_empty);
        if empty {
            self.flows.remove(&flow);
            self.bytes = self.bytes.saturating_sub(STREAM_OVERHEAD);
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
        let Self { flows, order, serial, bytes, .. } = self;
        let stream = flows.entry(flow).or_insert_with(|| {
            *serial += 1;
            *bytes += STREAM_OVERHEAD;
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
                self.bytes = self.bytes.saturating_sub(stream.cost());
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
            assert!(streams.keep_early(flow, Direction::Up, 7, &[1, 2, 3], false));
            assert!(!streams.forget(flow, Direction::Down));
            assert!(streams.forget(flow, Direction::Up));
        }
        assert_eq!(streams.bytes, 0);
        assert!(streams.flows.is_empty() && streams.order.len() <= 64);
    }

    #[test]
    fn no_more_than_twelve_segments_wait_behind_a_gap() {
        let mut streams = Streams::default();
        for n in 0..12 {
            assert!(streams.keep_early(1, Direction::Up, 1000 - n * 10, &[0; 10], false));
        }
        assert!(!streams.keep_early(1, Direction::Up, 2000, &[0; 10], false));
        assert_eq!(streams.first_early(1, Direction::Up, 5), Some(890));
        assert!(streams.take_early(1, Direction::Up, 889).is_none());
        assert_eq!(
            streams.take_early(1, Direction::Up, 890).map(|early| early.sequence),
            Some(890)
        );
    }
}
