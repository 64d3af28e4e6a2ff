//! A few TCP directions whose sequence numbers are followed for a while, to tell what the mirror does
//! not show; see [`Sequences`]. Any other packet pays one test of a bit in its flow's slot.

use hashbrown::HashMap;

use super::index::SlotId;
use super::key::Direction;
use super::sources::SourceId;
use crate::decode::{Packet, tcp_flags};
use crate::mirror::Sequences;

/// The most directions that one worker watches at a time, of all sources together.
const MOST: usize = 1024;

/// A direction is watched for so many segments, then another one has its turn.
const SEGMENTS: u64 = 64;

/// Beyond this, sequence numbers have not gone on but jumped: nothing follows from that.
const FAR: u32 = 1 << 28;

/// The directions that are watched.
#[derive(Default)]
pub(super) struct Watches {
    of: HashMap<(SlotId, Direction), Watch, foldhash::fast::RandomState>,
}

/// One direction that is watched.
pub(super) struct Watch {
    pub(super) source: SourceId,
    /// The sequence number from which on is counted: behind a segment that was seen.
    base: Option<u32>,
    /// How far the numbers have gone on since then.
    sent: u32,
    seen: u64,
    segments: u64,
    /// Segments told before.
    told: u64,
}

impl Watches {
    pub(super) fn begin(&mut self, id: SlotId, direction: Direction, source: SourceId) {
        let watch = Watch { source, base: None, sent: 0, seen: 0, segments: 0, told: 0 };
        self.of.insert((id, direction), watch);
    }

    pub(super) fn is_full(&self) -> bool {
        self.of.len() + 2 > MOST
    }

    pub(super) fn end(&mut self, id: SlotId, direction: Direction) -> Option<Watch> {
        self.of.remove(&(id, direction))
    }

    /// Follows a segment; whether that was the last one.
    pub(super) fn segment(&mut self, id: SlotId, from: Direction, packet: &Packet<'_>) -> bool {
        let Some(watch) = self.of.get_mut(&(id, from)) else { return true };
        watch.segment(packet);
        watch.told + watch.segments >= SEGMENTS
    }

    /// All of them, to be asked for what they tell; those for which `keep` says so go on.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(SlotId, Direction, &mut Watch) -> bool) {
        self.of.retain(|(id, direction), watch| keep(*id, *direction, watch));
    }
}

impl Watch {
    fn segment(&mut self, packet: &Packet<'_>) {
        let length = packet.payload_wire_len.saturating_add(packet.cut);
        let Some(tcp) =
            packet.tcp.filter(|tcp| length > 0 && !packet.copy && tcp.flags & tcp_flags::SYN == 0)
        else {
            return;
        };
        let end = tcp.sequence.wrapping_add(length);
        let base = *self.base.get_or_insert(end);
        let ahead = end.wrapping_sub(base);
        if ahead > FAR && ahead.wrapping_neg() > FAR {
            (self.base, self.sent) = (Some(end), 0);
            (self.seen, self.segments) = (0, 0);
        } else if ahead != 0 && ahead <= FAR {
            self.sent = self.sent.max(ahead);
            self.seen = self.seen.saturating_add(length.into());
            self.segments += 1;
        }
    }

    /// What was seen since the last call.
    pub(super) fn tell(&mut self) -> Sequences {
        let told = Sequences::of_direction(self.segments, self.seen, self.sent.into());
        self.base = self.base.map(|base| base.wrapping_add(self.sent));
        self.told += self.segments;
        (self.sent, self.seen, self.segments) = (0, 0, 0);
        told
    }
}
