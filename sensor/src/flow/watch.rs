//! A few TCP directions whose sequence numbers are followed for a while, to tell what the mirror does
//! not show; see [`Sequences`]. Any other packet pays one test of a bit in its flow's slot.

use hashbrown::HashMap;

use super::index::SlotId;
use super::key::Direction;
use super::slot::of_mut;
use super::sources::SourceId;
use crate::decode::{Packet, protocol, tcp_flags};
use crate::mirror::Sequences;

/// The most directions that one worker watches at a time, of all sources together.
const MOST: usize = 1024;

/// A flow is watched until a direction of it has shown so many segments, then another has its turn.
const SEGMENTS: u64 = 64;

/// Beyond this, sequence numbers have not gone on but jumped: nothing follows from that.
const FAR: u32 = 1 << 28;

/// The directions that are watched.
#[derive(Default)]
pub(super) struct Watches {
    /// By flow: a packet says something of both of its directions.
    of: HashMap<SlotId, [Option<Watch>; 2], foldhash::fast::RandomState>,
    /// How many directions that are.
    count: usize,
}

/// One direction that is watched, from the end of its first segment on.
///
/// How far it has come is what the other side acknowledges: those packets come when they come,
/// whichever segments are shown, so that a gap at the end of a short conversation counts as much as any
/// other. Where that side is not seen, it is the last segment.
pub(super) struct Watch {
    pub(super) source: SourceId,
    /// The sequence number from which on is counted.
    base: Option<u32>,
    /// Segments seen: how far behind the base each ends, and its length.
    seen: Vec<(u32, u32)>,
    /// How far behind the base the other side has acknowledged, once that was seen.
    acknowledged: Option<u32>,
    /// Segments told before.
    told: u64,
}

impl Watches {
    pub(super) fn begin(&mut self, id: SlotId, direction: Direction, source: SourceId) {
        let watch = Watch { source, base: None, seen: Vec::new(), acknowledged: None, told: 0 };
        let place = of_mut(self.of.entry(id).or_default(), direction);
        self.count += usize::from(place.replace(watch).is_none());
    }

    pub(super) const fn is_full(&self) -> bool {
        self.count + 2 > MOST
    }

    pub(super) fn end(&mut self, id: SlotId, direction: Direction) -> Option<Watch> {
        let pair = self.of.get_mut(&id)?;
        let watch = of_mut(pair, direction).take();
        if pair.iter().all(Option::is_none) {
            self.of.remove(&id);
        }
        self.count -= usize::from(watch.is_some());
        watch
    }

    /// Follows a packet of a flow of which a direction is watched; whether that is enough of the
    /// direction that it is sent in.
    #[inline]
    pub(super) fn packet(&mut self, id: SlotId, from: Direction, packet: &Packet<'_>) -> bool {
        let Some(pair) = self.of.get_mut(&id) else { return false };
        if let Some(watch) = of_mut(pair, from.reverse())
            && let Some(number) = acknowledgment(packet)
        {
            watch.acknowledge(number);
        }
        of_mut(pair, from).as_mut().is_some_and(|watch| {
            watch.segment(packet);
            watch.told + watch.seen.len() as u64 >= SEGMENTS
        })
    }

    /// All of them, to be asked for what they tell; those for which `keep` says so go on.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(SlotId, Direction, &mut Watch) -> bool) {
        let Self { of, count } = self;
        of.retain(|&id, pair| {
            for direction in [Direction::Up, Direction::Down] {
                let ended = of_mut(pair, direction).take_if(|watch| !keep(id, direction, watch));
                *count -= usize::from(ended.is_some());
            }
            pair.iter().any(Option::is_some)
        });
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
        let ahead = end.wrapping_sub(*self.base.get_or_insert(end));
        if ahead > FAR && ahead.wrapping_neg() > FAR {
            self.base = Some(end);
            self.seen.clear();
            self.acknowledged = None;
        } else if ahead != 0 && ahead <= FAR {
            self.seen.push((ahead, length));
        }
    }

    fn acknowledge(&mut self, number: u32) {
        let Some(base) = self.base else { return };
        let ahead = number.wrapping_sub(base);
        let ahead = if ahead <= FAR { ahead } else { 0 };
        self.acknowledged = self.acknowledged.max(Some(ahead));
    }

    /// What was seen since the last call.
    pub(super) fn tell(&mut self) -> Sequences {
        let last = self.seen.iter().map(|(end, _)| *end).max().unwrap_or_default();
        let sent = self.acknowledged.unwrap_or(last);
        let (mut segments, mut bytes) = (0, 0);
        self.seen.retain_mut(|(end, length)| {
            let counts = *end <= sent;
            if counts {
                segments += 1;
                bytes += u64::from(*length);
            } else {
                *end -= sent;
            }
            !counts
        });
        self.base = self.base.map(|base| base.wrapping_add(sent));
        self.acknowledged = self.acknowledged.map(|_| 0);
        self.told += segments;
        Sequences::of_direction(segments, bytes, sent.into())
    }
}

/// The number up to which a packet's sender has what the other side sent.
fn acknowledgment(packet: &Packet<'_>) -> Option<u32> {
    let flags = packet.tcp?.flags;
    if flags & tcp_flags::ACK == 0 || flags & tcp_flags::RST != 0 {
        return None;
    }
    let header = match packet.ip.first()? {
        first if first >> 4 == 4 => usize::from(first & 0x0f) * 4,
        // Behind extension headers nobody looks for it: others will tell.
        _ if packet.ip.get(6) == Some(&protocol::TCP) => 40,
        _ => return None,
    };
    let tcp = packet.ip.get(header..)?;
    tcp.get(8..)?.first_chunk().map(|number| u32::from_be_bytes(*number))
}
