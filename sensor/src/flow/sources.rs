//! What each source of packets does to them: counted beside the flows, told at the end of each tick.

use super::index::SlotId;
use super::key::Direction;
use super::slot::{Cold, Sides, WATCHED, flags, of};
use super::table::Added;
use super::watch::{Watch, Watches};
use super::{Observer, Table};
use crate::decode::{Packet, protocol};
use crate::event::{Traffic, Tunnel};
use crate::mirror::{MAX_SOURCES, MirrorFacts, Source, SourceFacts};
use crate::time::Timestamp;

/// A source's place in the list.
pub(super) type SourceId = u8;

/// Directions of one source that are watched at a time, and segments of it in a tick: what that
/// takes is bounded, however much comes.
const WATCHED_OF_SOURCE: u16 = 128;
const SEGMENTS_IN_TICK: u64 = 2048;

/// A conversation that was seen from one side for so many packets has only that one here.
const ENOUGH_TO_TELL: u64 = 8;

/// All sources, and the directions that are watched of them.
#[derive(Default)]
pub(super) struct Sources {
    known: Vec<Known>,
    pub(super) watches: Watches,
    /// Packets of which a mirror cut a part off.
    cut: u64,
}

/// One source.
#[derive(Default)]
struct Known {
    source: Source,
    /// Since the end of the last tick.
    counted: MirrorFacts,
    recent: MirrorFacts,
    total: MirrorFacts,
    cuts: Cuts,
    /// Directions that are watched.
    watched: u16,
    /// Share of packets that was lost here lately, 0 to 1.
    dropped: f64,
}

/// Whether a source cuts packets: then all that are cut have one length, which no liar's have for long.
#[derive(Default)]
struct Cuts {
    length: u32,
    alike: u8,
}

impl Cuts {
    /// How much of what a packet of this length is said to lack was really cut off.
    fn believe(&mut self, length: u32, lacks: u32) -> u32 {
        const SURE: u8 = 16;
        /// A VLAN's tags more or less are still one length.
        const TAGS: u32 = 8;
        if length.abs_diff(self.length) <= TAGS {
            self.alike = self.alike.saturating_add(1);
        } else {
            self.alike /= 2;
            if self.alike == 0 {
                self.length = length;
            }
        }
        if self.alike >= SURE { lacks } else { 0 }
    }
}

impl Sources {
    /// The source with this interface and tunnel. Beyond the bound, all are one: the last.
    #[inline]
    pub(super) fn of(&mut self, interface: Option<u16>, tunnel: Option<&Tunnel>) -> SourceId {
        // Most sensors have one mirror port, and it sends packets as they are.
        if tunnel.is_none()
            && let Some(Known { source, .. }) = self.known.first()
            && source.tunnel.is_none()
            && source.interface == interface
        {
            return 0;
        }
        self.find_or_add(Source { interface, tunnel: tunnel.copied() })
    }

    fn find_or_add(&mut self, source: Source) -> SourceId {
        let place = self.known.iter().position(|known| known.source.is(&source));
        let place = place.unwrap_or_else(|| {
            if self.known.len() < MAX_SOURCES {
                let source =
                    if self.known.len() + 1 < MAX_SOURCES { source } else { Source::default() };
                self.known.push(Known { source, ..Known::default() });
            }
            self.known.len() - 1
        });
        SourceId::try_from(place).unwrap_or(SourceId::MAX)
    }

    fn get(&mut self, id: SourceId) -> Option<&mut Known> {
        self.known.get_mut(usize::from(id))
    }

    fn counted(&mut self, id: SourceId) -> Option<&mut MirrorFacts> {
        self.get(id).map(|known| &mut known.counted)
    }

    /// The rate at which a source is sampled.
    pub(super) fn one_in(&self, id: SourceId) -> Option<f64> {
        self.known.get(usize::from(id))?.recent.one_in
    }

    /// Counts what conversations moved.
    pub(super) fn moved(&mut self, id: SourceId, there: Traffic, back: Traffic) {
        if let Some(counted) = self.counted(id) {
            counted.bytes = counted.bytes.saturating_add(there.bytes).saturating_add(back.bytes);
        }
    }

    fn tell(&mut self, watch: &mut Watch) {
        if let Some(counted) = self.counted(watch.source) {
            counted.sequences.add(&watch.tell());
        }
    }

    fn ended(&mut self, mut watch: Watch) {
        self.tell(&mut watch);
        if let Some(known) = self.get(watch.source) {
            known.watched = known.watched.saturating_sub(1);
        }
    }

    /// Whether another two directions of a source may be watched.
    fn has_room(&self, id: SourceId) -> bool {
        !self.watches.is_full()
            && self.known.get(usize::from(id)).is_some_and(|known| {
                known.watched < WATCHED_OF_SOURCE
                    && known.counted.sequences.segments < SEGMENTS_IN_TICK
            })
    }

    /// What is known of each source.
    fn facts(&self) -> Vec<SourceFacts> {
        let facts = |known: &Known| SourceFacts {
            source: known.source,
            recent: known.recent,
            total: known.total.rated(),
        };
        self.known.iter().map(facts).collect()
    }

    /// Ends a tick: what was counted in it makes the rates of what comes next.
    fn end_tick(&mut self) {
        for known in &mut self.known {
            let mut counted = std::mem::take(&mut known.counted);
            if counted == MirrorFacts::default() {
                continue;
            }
            let kept = (1.0 - known.dropped).max(f64::EPSILON);
            counted.dropped = (counted.packets as f64 * (known.dropped / kept)) as u64;
            known.total.add(&counted);
            known.recent.fade();
            known.recent.add(&counted);
            known.recent = known.recent.rated();
        }
    }
}

impl Table {
    /// Looks at a packet for what its source does to it; some of all are enough. What a snap length
    /// has cut off here is no doing of the source.
    pub fn look_at(&mut self, packet: Option<&Packet<'_>>, copy: bool) {
        if !self.is_given_all() {
            return;
        }
        let tunnel = packet.and_then(|packet| packet.tunnel?.read());
        let id = self.sources.of(self.interface, tunnel.as_ref());
        if let Some(counted) = self.sources.counted(id) {
            counted.packets += 1;
            counted.duplicates += u64::from(copy);
            let is_cut = packet.is_some_and(|packet| packet.cut > 0);
            counted.truncated += u64::from(is_cut);
        }
    }

    /// Whether all packets are given, and not most of them counted elsewhere. Those that are given then
    /// say nothing of the others: each that was cut is among them, no second copy is, and of a
    /// conversation's sequence numbers only the first.
    const fn is_given_all(&self) -> bool {
        self.late.is_zero()
    }

    /// Of the packets from an interface this share was lost here, 0 to 1: no doing of a mirror.
    pub fn set_dropped(&mut self, interface: u16, share: f64) {
        let of = self.sources.known.iter_mut();
        of.filter(|known| known.source.interface == Some(interface))
            .for_each(|known| known.dropped = share);
    }

    /// Packets of which a mirror cut a part off.
    pub const fn cut(&self) -> u64 {
        self.sources.cut
    }

    /// What is known of each source of packets.
    pub fn sources(&self) -> Vec<SourceFacts> {
        self.sources.facts()
    }

    /// Counts what was cut off from a packet, too, where that can be believed.
    #[cold]
    pub(super) fn put_back(&mut self, id: SlotId, packet: &Packet<'_>, added: &mut Added) {
        let Some(cold) = self.cold.get(id as usize) else { return };
        let Some(known) = self.sources.get(cold.source) else { return };
        let believed = known.cuts.believe(packet.wire_len, packet.cut);
        added.bytes += u64::from(believed);
        self.sources.cut += u64::from(believed > 0);
    }

    /// A second copy counts to what was on the wire, not to what the conversation moved.
    #[cold]
    pub(super) fn copied(&mut self, id: SlotId, direction: Direction, added: &Added) {
        if let Some(cold) = self.cold.get_mut(id as usize) {
            cold.copied(direction, added);
        }
    }

    /// Begins to watch a TCP flow, where its source has room for another.
    pub(super) fn begin_watch(&mut self, id: SlotId) {
        if !self.is_given_all() {
            return;
        }
        let (Some(slot), Some(cold)) = (self.slots.one(id as usize), self.cold.get(id as usize))
        else {
            return;
        };
        let [up, down] = WATCHED;
        let both = up | down;
        if slot.key.protocol() != protocol::TCP
            || slot.seen & both != 0
            || !self.sources.has_room(cold.source)
        {
            return;
        }
        slot.seen |= both;
        for direction in [Direction::Up, Direction::Down] {
            self.sources.watches.begin(id, direction, cold.source);
        }
        if let Some(known) = self.sources.get(cold.source) {
            known.watched += 2;
        }
    }

    /// Follows a packet of a flow of which a direction is watched. When one of the two has shown enough,
    /// the flow has had its turn: the other one would cost as much for each packet, and mostly has
    /// nothing but acknowledgments.
    #[inline]
    pub(super) fn watch(&mut self, id: SlotId, packet: &Packet<'_>, from: Direction) {
        if self.sources.watches.packet(id, from, packet) {
            self.end_watches(id);
        }
    }

    fn end_watch(&mut self, id: SlotId, direction: Direction) {
        if let Some(watch) = self.sources.watches.end(id, direction) {
            self.sources.ended(watch);
        }
        if let Some(slot) = self.slots.one(id as usize) {
            slot.seen &= !of(&WATCHED, direction);
        }
    }

    /// Ends what is watched of a flow.
    pub(super) fn end_watches(&mut self, id: SlotId) {
        for direction in [Direction::Up, Direction::Down] {
            let seen = self.slots.one(id as usize).map_or(0, |slot| slot.seen);
            if seen & of(&WATCHED, direction) != 0 {
                self.end_watch(id, direction);
            }
        }
    }

    /// Ends a tick for the sources. Watches tell what they have, and those that saw nothing end: others
    /// may see more.
    pub(super) fn end_tick_of_sources<O: Observer>(&mut self, at: Timestamp, observer: &mut O) {
        let mut watches = std::mem::take(&mut self.sources.watches);
        watches.retain(|id, direction, watch| {
            let told = watch.tell();
            let Some(known) = self.sources.get(watch.source) else { return false };
            known.counted.sequences.add(&told);
            let goes_on = told.sent_bytes > 0;
            if !goes_on {
                known.watched = known.watched.saturating_sub(1);
                if let Some(slot) = self.slots.one(id as usize) {
                    slot.seen &= !of(&WATCHED, direction);
                }
            }
            goes_on
        });
        self.sources.watches = watches;
        self.sources.end_tick();
        observer.mirror(at, &self.sources.facts());
    }

    /// A flow was active in the tick that ends: how many sides it has, and whether to watch it next.
    pub(super) fn end_tick_of_flow(&mut self, id: SlotId) {
        let Some(slot) = self.slots.one(id as usize).filter(|slot| slot.has(flags::LIVE)) else {
            return;
        };
        if slot.key.protocol() != protocol::TCP {
            return;
        }
        let [up, down] = slot.packets;
        let is_told = up.max(down) >= ENOUGH_TO_TELL;
        if is_told {
            self.count_sides(id);
        }
        self.begin_watch(id);
    }

    /// Counts a conversation, once, by how many sides of it were seen.
    pub(super) fn count_sides(&mut self, id: SlotId) {
        let (Some(slot), Some(cold)) = (self.slots.one(id as usize), self.cold.get(id as usize))
        else {
            return;
        };
        let Some(sides) = slot.take_sides() else { return };
        if let Some(counted) = self.sources.counted(cold.source) {
            counted.conversations += 1;
            counted.one_sided += u64::from(sides == Sides::One);
        }
    }
}

impl Cold {
    fn copied(&mut self, direction: Direction, added: &Added) {
        let copies = super::slot::of_mut(&mut self.copies, direction);
        copies.packets += added.packets;
        copies.bytes += added.bytes;
    }
}
