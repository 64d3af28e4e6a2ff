//! The flow table: every packet counted to its flow, in bursts.

use std::hash::BuildHasher;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::beginning::First;
use super::fragments::Fragments;
use super::index::{Index, SlotId, Tag};
use super::pages::Pages;
use super::reassembly::Reassembly;
use super::slot::{Cold, MET, Slot, WATCHED, flags, of};
use super::sources::Sources;
use super::stream::{self, Streams};
use super::timers::{Timer, Timers};
use super::tunnels::Tunnels;
use super::{Direction, Key, Observer, Stats, View, looking, opener, prefetch};
use crate::capture::BURST;
use crate::decode::{Packet, protocol, tcp_flags};
use crate::event::{AccountReason, FlowState};
use crate::time::Timestamp;

/// Whether a direction of a flow is watched; the other one is needed for it.
const EITHER_WATCHED: u8 = WATCHED[0] | WATCHED[1];

/// The flow table. One thread's own: no locks, and no allocation for a packet of a known flow.
pub struct Table {
    pub(super) slots: Pages<Slot>,
    pub(super) cold: Vec<Cold>,
    pub(super) free: Vec<SlotId>,
    pub(super) capacity: usize,
    pub(super) index: Index,
    pub(super) hasher: foldhash::quality::RandomState,
    pub(super) streams: Streams,
    pub(super) fragments: Fragments,
    pub(super) reassembly: Reassembly,
    pub(super) tunnels: Tunnels,
    pub(super) sources: Sources,
    pub(super) timers: Timers,
    /// Flows taken from the wheel to give way next.
    pub(super) doomed: Vec<Timer>,
    /// Where packets come from now.
    pub(super) interface: Option<u16>,
    pub(super) now: Timestamp,
    /// The latest packet's time; counts and silence take `now` beyond it.
    latest: Timestamp,
    /// How much later than the packets around it something may be counted to a flow.
    pub(super) late: Duration,
    /// Packets were read up to this time.
    pub(super) read: Timestamp,
    /// How much is shown of the beginning of each flow.
    pub(super) first: First,
    pub(super) stats: Stats,
}

/// A packet, or what was counted elsewhere, that was looked up.
pub(super) struct Looked {
    pub(super) key: Key,
    pub(super) direction: Direction,
    pub(super) tag: Tag,
    pub(super) likely: Option<SlotId>,
}

/// What is added to a direction of a flow: a packet, or what was counted of several.
pub(super) struct Added {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) tcp_flags: u8,
    /// When the first of it came.
    pub(super) since: Timestamp,
    /// When the last of it came.
    pub(super) last: Timestamp,
}

impl Table {
    /// For at most `capacity` flows at a time; about 300 bytes each, taken as they come.
    ///
    /// # Errors
    /// When the system grants no memory.
    pub fn new(capacity: usize) -> std::io::Result<Self> {
        Ok(Self {
            slots: Pages::new(capacity)?,
            cold: Vec::new(),
            free: Vec::new(),
            capacity,
            index: Index::new(capacity)?,
            hasher: foldhash::quality::RandomState::default(),
            streams: Streams::default(),
            fragments: Fragments::default(),
            reassembly: Reassembly::default(),
            tunnels: Tunnels::default(),
            sources: Sources::default(),
            timers: Timers::default(),
            doomed: Vec::new(),
            interface: None,
            now: Timestamp::ZERO,
            latest: Timestamp::ZERO,
            late: Duration::ZERO,
            read: Timestamp::MAX,
            first: First::default(),
            stats: Stats::default(),
        })
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        Stats { streams_evicted: self.streams.evicted, ..self.stats }
    }

    /// Flows that live now.
    pub fn active(&self) -> usize {
        self.cold.len() - self.free.len()
    }

    /// The packets from here on come from this interface, see [`crate::event::Flow::interface`].
    pub fn set_interface(&mut self, interface: u16) {
        self.interface = Some(interface);
    }

    /// Where packets come from now.
    pub const fn interface(&self) -> Option<u16> {
        self.interface
    }

    /// Counts a burst of packets to their flows.
    pub fn burst<O: Observer>(&mut self, packets: &[Packet<'_>], observer: &mut O) {
        for packets in packets.chunks(BURST) {
            let mut burst: ArrayVec<Looked, BURST> =
                packets.iter().map(|packet| self.hash(packet)).collect();
            self.fetch(&mut burst);
            for (packet, looked) in packets.iter().zip(&burst) {
                self.packet(packet, looked, observer);
            }
        }
    }

    #[inline]
    fn hash(&mut self, packet: &Packet<'_>) -> Looked {
        let (mut key, mut direction) = Key::of(packet);
        if packet.fragment.is_some() {
            (key, direction) = self.fragments.resolve(packet, key, direction);
        }
        self.look(key, direction)
    }

    /// First pass: hashes a key and asks for its place in the index.
    #[inline]
    pub(super) fn look(&self, key: Key, direction: Direction) -> Looked {
        let tag = self.hasher.hash_one(key) as Tag;
        self.index.prefetch(tag);
        Looked { key, direction, tag, likely: None }
    }

    /// Second pass: finds the slots in all likelihood, and asks for them.
    #[inline]
    pub(super) fn fetch(&self, burst: &mut [Looked]) {
        let slots = self.slots.all();
        for looked in burst {
            looked.likely = self.index.candidates(looked.tag).next();
            if let Some(slot) = looked.likely.and_then(|id| slots.get(id as usize)) {
                prefetch::line(slot);
                prefetch::line(&slot.next_sequence);
            }
        }
    }

    #[inline]
    fn packet<O: Observer>(&mut self, packet: &Packet<'_>, looked: &Looked, observer: &mut O) {
        self.go_on(packet.time, observer);
        let mut id = self.find(looked);
        if let Some(old) = id
            && let Some(tcp) = packet.tcp
            && tcp.flags & (tcp_flags::SYN | tcp_flags::ACK) == tcp_flags::SYN
            && self.is_reopened(old, looked.direction, tcp.sequence)
        {
            self.close(old, self.now, AccountReason::Timeout, observer);
            id = None;
        }
        let id = id.unwrap_or_else(|| self.open(packet, looked, observer));
        let direction = looked.direction;
        let mut added = Added {
            packets: 1,
            bytes: u64::from(packet.wire_len),
            tcp_flags: packet.tcp.map_or(0, |tcp| tcp.flags),
            since: packet.time,
            last: packet.time,
        };
        // To find a slot costs some instructions each time: what every packet asks it is asked at once.
        let Some(mut slot) = self.slots.one(id as usize) else {
            return;
        };
        if slot.seen & of(&MET, direction) == 0 || packet.cut > 0 || packet.copy {
            added = self.note(id, packet, direction, added, observer);
            let Some(noted) = self.slots.one(id as usize) else {
                return;
            };
            slot = noted;
        }
        let is_step = slot.add(id, direction, &added, &mut self.timers);
        let (is_read, is_watched) = (slot.is_read(direction), slot.seen & EITHER_WATCHED != 0);
        if slot.first_bytes != 0
            && let Some(cold) = self.cold.get(id as usize)
        {
            slot.show(cold, packet, observer);
        }
        if is_step {
            self.step(id, observer);
        }
        if packet.tcp.is_some() {
            if !is_read {
                self.read(id, packet, direction, observer);
            }
            if is_watched {
                self.watch(id, packet, direction);
            } else if let Some(mark) = packet.mark
                && self.slots.one(id as usize).is_some_and(|slot| slot.is_read(direction))
            {
                mark.enough();
            }
        } else if packet.protocol == protocol::UDP {
            self.datagram(id, packet, looked, observer);
        }
    }

    /// What few packets have: the first of a direction tells more than its counts, of some a part was
    /// cut off, and some are second copies.
    #[inline(never)]
    fn note<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        direction: Direction,
        mut added: Added,
        observer: &mut O,
    ) -> Added {
        self.meet(id, packet, direction, observer);
        if packet.cut > 0 {
            self.put_back(id, packet, &mut added);
        }
        if packet.copy {
            self.copied(id, direction, &added);
        }
        added
    }

    /// Goes on to a packet's time.
    #[inline]
    fn go_on<O: Observer>(&mut self, time: Timestamp, observer: &mut O) {
        if time >= self.now {
            (self.now, self.latest) = (time, time);
            if Timers::tick_of(time.as_nanos()) != self.timers.tick() {
                self.advance(observer);
            }
        } else if time >= self.latest {
            self.latest = time;
        } else {
            self.stats.time_backwards += 1;
        }
    }

    #[inline]
    pub(super) fn find(&self, looked: &Looked) -> Option<SlotId> {
        let slots = self.slots.all();
        let is_it = |id: &SlotId| {
            slots
                .get(*id as usize)
                .is_some_and(|slot| slot.key == looked.key && slot.has(flags::LIVE))
        };
        // What was found ahead may have gone since, or only look alike.
        looked.likely.filter(is_it).or_else(|| self.index.candidates(looked.tag).find(is_it))
    }

    /// Whether a SYN opens a new connection over the ports of one that is over, or whose end was missed.
    fn is_reopened(&mut self, id: SlotId, direction: Direction, sequence: u32) -> bool {
        const FAR: u32 = 1 << 20;
        let Some(slot) = self.slots.one(id as usize) else {
            return false;
        };
        match slot.state() {
            FlowState::Closed => true,
            FlowState::New => false,
            FlowState::Established => {
                let behind =
                    of(&slot.next_sequence, direction).wrapping_sub(sequence.wrapping_add(1));
                slot.has(of(&flags::SYNCED, direction)) && behind > FAR
            }
        }
    }

    /// Adds to a direction of a flow; see [`Slot::add`].
    pub(super) fn count(&mut self, id: SlotId, direction: Direction, added: &Added) -> bool {
        let slot = self.slots.one(id as usize);
        slot.is_some_and(|slot| slot.add(id, direction, added, &mut self.timers))
    }

    fn open<O: Observer>(
        &mut self,
        packet: &Packet<'_>,
        looked: &Looked,
        observer: &mut O,
    ) -> SlotId {
        let client = opener::client(packet, looked.direction);
        let tunnel = self.tunnels.of(packet);
        let source = self.sources.of(self.interface, tunnel.as_deref());
        let id = self.open_with(looked, packet.time, client, observer, |cold| {
            cold.source = source;
            cold.meet(packet, tunnel);
            cold.meet_sender(packet, looked.direction);
        });
        if !looking::may_carry(packet) {
            self.met(id, looked.direction);
        }
        if packet.mark.is_some() {
            self.expect_counts();
        }
        if packet.protocol == protocol::TCP {
            self.begin_watch(id);
        }
        id
    }

    /// Opens a flow for whatever was looked up, whose `client` is known as far as [`opener`] says.
    pub(super) fn open_with<O: Observer>(
        &mut self,
        looked: &Looked,
        opened: Timestamp,
        (client, sure): (Direction, bool),
        observer: &mut O,
        describe: impl FnOnce(&mut Cold),
    ) -> SlotId {
        if self.free.is_empty() && self.cold.len() >= self.capacity {
            self.evict(observer);
        }
        self.bound_tick(observer);
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                self.cold.push(Cold::default());
                (self.cold.len() - 1) as SlotId
            }
        };
        let tick = self.timers.tick();
        let (Some(slot), Some(cold)) =
            (self.slots.one(id as usize), self.cold.get_mut(id as usize))
        else {
            return id;
        };
        *slot = Slot {
            key: looked.key,
            tag: looked.tag,
            generation: slot.generation,
            opened: opened.as_nanos(),
            last: opened.as_nanos(),
            tick: tick.wrapping_sub(1),
            budget: [stream::BUDGET; 2],
            first_packets: self.first.packets,
            first_bytes: self.first.bytes,
            flags: flags::LIVE | if sure { flags::CLIENT_IS_SURE } else { 0 },
            ..bytemuck::Zeroable::zeroed()
        };
        slot.set_client(client);
        *cold = Cold::new(&looked.key, opened, self.interface);
        describe(cold);
        observer.opened(&View { id, slot, cold }, self.now);
        self.index.insert(looked.tag, id);
        self.stats.opened += 1;
        id
    }
}
