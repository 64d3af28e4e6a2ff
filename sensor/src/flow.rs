//! Conversations: every packet counted to its flow, in bursts; the first bytes of each direction
//! handed on in order; volumes every 10 s; an account at the end.
//!
//! The cost of small packets is the table's cache misses, so a burst is looked up in three
//! passes (hash and fetch the index line, find the slot and fetch it, update it), and the misses of
//! a burst overlap. Everything happens in the order of packets and by their time: two readings of
//! one capture go alike, whatever the hash seed.

use std::hash::BuildHasher;
use std::time::Duration;

use arrayvec::ArrayVec;

use crate::capture::BURST;
use crate::decode::{Packet, protocol, tcp_flags};
use crate::event::{Account, AccountReason, Flow, Traffic, Volume};
use crate::time::Timestamp;

mod datagrams;
mod fragments;
mod index;
mod key;
mod opener;
mod prefetch;
mod reading;
mod reassembly;
mod slot;
mod stream;
mod timers;

pub use key::{Direction, Key};
pub use timers::TICK;

use fragments::Fragments;
use index::{Index, SlotId, Tag};
use reassembly::Reassembly;
use slot::{Cold, SEEN, Slot, Slots, flags, of, of_mut};
use stream::Streams;
use timers::{Timer, Timers};

/// A long conversation is accounted for this often while it lives.
const ACTIVE_REPORT: Duration = Duration::from_secs(300);

/// How many flows ahead memory is asked for where flows are gone through one by one.
const AHEAD: usize = 8;

/// Who is told what flows do. All calls come in the order of capture time.
pub trait Observer {
    /// A conversation's first packet.
    fn opened(&mut self, flow: &View<'_>, at: Timestamp);
    /// What moved in the last 10 s, or since then until the end.
    fn volume(&mut self, flow: &View<'_>, at: Timestamp, volume: Volume);
    /// What moved since the last account.
    fn account(&mut self, flow: &View<'_>, at: Timestamp, account: Account);
    /// The next bytes of a TCP direction, in order. Without `more`, nothing follows them.
    fn stream(
        &mut self,
        flow: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        more: bool,
    ) -> Verdict;
    /// A UDP payload. When `cut`, the rest of it was not captured.
    fn datagram(
        &mut self,
        flow: &View<'_>,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        cut: bool,
    );
    /// The flow ends: its last volume and account follow, then its [`View::slot`] may name another.
    fn closing(&mut self, flow: &View<'_>, at: Timestamp);
}

/// What an observer makes of a direction's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of interest: go on with what follows them.
    Skip,
    /// They begin something: come again with at least this many.
    Want(usize),
    /// The first so many are dealt with: go on with the rest.
    Used(usize),
    /// This direction is read enough. If the bytes told it, which direction is the client's.
    Enough(Option<Direction>),
}

/// A flow as an observer sees it.
pub struct View<'a> {
    id: SlotId,
    slot: &'a Slot,
    cold: &'a Cold,
}

impl View<'_> {
    /// A number that no other flow has while this one lives.
    pub const fn slot(&self) -> u32 {
        self.id
    }

    /// The direction the client sends in, as far as known.
    pub const fn client(&self) -> Direction {
        self.slot.client()
    }

    /// The port of the side that sends in `direction`.
    pub fn port(&self, direction: Direction) -> u16 {
        self.slot.key.sender(direction).1
    }

    /// The flow as events name it.
    pub fn flow(&self) -> Flow {
        self.cold.flow(self.slot, self.slot.client())
    }

    /// The same, when it has just become clear which direction is the client's.
    pub fn flow_with_client(&self, client: Direction) -> Flow {
        self.cold.flow(self.slot, client)
    }
}

/// What the table has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Flows opened.
    pub opened: u64,
    /// Flows that gave way because the table was full.
    pub evicted: u64,
    /// Flows whose kept bytes gave way because too much was kept.
    pub streams_evicted: u64,
    /// Packets whose time lay before an earlier packet's.
    pub time_backwards: u64,
}

/// The flow table. One thread's own: no locks, and no allocation for a packet of a known flow.
pub struct Table {
    slots: Slots,
    cold: Vec<Cold>,
    free: Vec<SlotId>,
    capacity: usize,
    index: Index,
    hasher: foldhash::quality::RandomState,
    streams: Streams,
    fragments: Fragments,
    reassembly: Reassembly,
    timers: Timers,
    /// Flows taken from the wheel to give way next.
    doomed: Vec<Timer>,
    now: Timestamp,
    stats: Stats,
}

/// A packet that was looked up.
struct Looked {
    key: Key,
    direction: Direction,
    tag: Tag,
    likely: Option<SlotId>,
}

impl Table {
    /// For at most `capacity` flows at a time; about 300 bytes each, taken as they come.
    ///
    /// # Errors
    /// When the system grants no memory.
    pub fn new(capacity: usize) -> std::io::Result<Self> {
        Ok(Self {
            slots: Slots::new(capacity)?,
            cold: Vec::new(),
            free: Vec::new(),
            capacity,
            index: Index::new(capacity),
            hasher: foldhash::quality::RandomState::default(),
            streams: Streams::default(),
            fragments: Fragments::default(),
            reassembly: Reassembly::default(),
            timers: Timers::default(),
            doomed: Vec::new(),
            now: Timestamp::ZERO,
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

    /// Counts a burst of packets to their flows.
    pub fn burst<O: Observer>(&mut self, packets: &[Packet<'_>], observer: &mut O) {
        for packets in packets.chunks(BURST) {
            let mut burst: ArrayVec<Looked, BURST> =
                packets.iter().map(|packet| self.hash(packet)).collect();
            for looked in &mut burst {
                looked.likely = self.index.candidates(looked.tag).next();
                if let Some(slot) = looked.likely.and_then(|id| self.slots.all().get(id as usize)) {
                    prefetch::line(slot);
                    prefetch::line(&slot.next_sequence);
                }
            }
            for (packet, looked) in packets.iter().zip(&burst) {
                self.packet(packet, looked, observer);
            }
        }
    }

    /// Ends all flows: the capture is over.
    pub fn finish<O: Observer>(&mut self, observer: &mut O) {
        self.give_up(self.now.plus(fragments::LIFETIME), self.now, observer);
        for id in 0..self.cold.len() as SlotId {
            self.prefetch_flow(id + AHEAD as SlotId);
            self.close(id, self.now, AccountReason::Shutdown, observer);
        }
    }

    #[inline]
    fn hash(&mut self, packet: &Packet<'_>) -> Looked {
        let (mut key, mut direction) = Key::of(packet);
        if packet.fragment.is_some() {
            (key, direction) = self.fragments.resolve(packet, key, direction);
        }
        let tag = self.hasher.hash_one(key) as Tag;
        self.index.prefetch(tag);
        Looked { key, direction, tag, likely: None }
    }

    #[inline]
    fn packet<O: Observer>(&mut self, packet: &Packet<'_>, looked: &Looked, observer: &mut O) {
        if packet.time < self.now {
            self.stats.time_backwards += 1;
        } else {
            self.now = packet.time;
            if Timers::tick_of(packet.time.as_nanos()) != self.timers.tick() {
                self.advance(observer);
            }
        }
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
        self.count(id, packet, looked.direction);
        if packet.tcp.is_some() {
            self.read(id, packet, looked.direction, observer);
        } else if packet.protocol == protocol::UDP {
            self.datagram(id, packet, looked, observer);
        }
    }

    #[inline]
    fn find(&self, looked: &Looked) -> Option<SlotId> {
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
        let Some(slot) = self.slots.one(id) else {
            return false;
        };
        match slot.state() {
            crate::event::FlowState::Closed => true,
            crate::event::FlowState::New => false,
            crate::event::FlowState::Established => {
                let behind =
                    of(&slot.next_sequence, direction).wrapping_sub(sequence.wrapping_add(1));
                slot.has(of(&flags::SYNCED, direction)) && behind > FAR
            }
        }
    }

    #[inline]
    fn count(&mut self, id: SlotId, packet: &Packet<'_>, direction: Direction) {
        let Some(slot) = self.slots.one(id) else {
            return;
        };
        let time = packet.time.as_nanos();
        slot.last = slot.last.max(time);
        *of_mut(&mut slot.packets, direction) += 1;
        *of_mut(&mut slot.bytes, direction) += u64::from(packet.wire_len);
        if let Some(tcp) = packet.tcp {
            *of_mut(&mut slot.tcp_flags, direction) |= tcp.flags;
        }
        if slot.tick != self.timers.tick() {
            slot.tick = self.timers.tick();
            slot.active_since = time;
            self.timers.active(id);
        }
        if slot.seen & of(&SEEN, direction) == 0 {
            slot.seen |= of(&SEEN, direction);
            // The sender's own address is surer than where the other side sent to.
            if let (Some([source, _]), Some(cold)) = (packet.macs, self.cold.get_mut(id as usize)) {
                *of_mut(&mut cold.macs, direction) = Some(source);
            }
        }
    }

    fn open<O: Observer>(
        &mut self,
        packet: &Packet<'_>,
        looked: &Looked,
        observer: &mut O,
    ) -> SlotId {
        if self.free.is_empty() && self.cold.len() >= self.capacity {
            self.evict(observer);
        }
        let cold = Cold::new(packet, &looked.key);
        let id = match self.free.pop() {
            Some(id) => id,
            None => {
                self.cold.push(Cold::default());
                (self.cold.len() - 1) as SlotId
            }
        };
        let (client, sure) = opener::client(packet, looked.direction);
        let tick = self.timers.tick();
        let (Some(slot), Some(place)) = (self.slots.one(id), self.cold.get_mut(id as usize)) else {
            return id;
        };
        *slot = Slot {
            key: looked.key,
            tag: looked.tag,
            generation: slot.generation,
            opened: packet.time.as_nanos(),
            last: packet.time.as_nanos(),
            tick: tick.wrapping_sub(1),
            budget: [stream::BUDGET; 2],
            flags: flags::LIVE | if sure { flags::CLIENT_IS_SURE } else { 0 },
            ..bytemuck::Zeroable::zeroed()
        };
        slot.set_client(client);
        *place = cold;
        if let Some(macs) = packet.macs {
            let [source, destination] = macs.map(Some);
            *of_mut(&mut place.macs, looked.direction) = source;
            *of_mut(&mut place.macs, looked.direction.reverse()) = destination;
        }
        observer.opened(&View { id, slot, cold: place }, self.now);
        self.index.insert(looked.tag, id);
        self.stats.opened += 1;
        id
    }

    /// Goes through the ticks up to now: volumes of each that ends, timeouts of each that begins.
    #[cold]
    fn advance<O: Observer>(&mut self, observer: &mut O) {
        let target = Timers::tick_of(self.now.as_nanos());
        for timer in std::mem::take(&mut self.doomed) {
            self.timers.arm(timer, TICK);
        }
        while self.timers.tick() < target {
            self.end_tick(observer);
            let due = self.timers.next(target);
            let at = self.timers.start();
            self.give_up(at, at, observer);
            for (n, &(id, generation)) in due.iter().enumerate() {
                if let Some(&(ahead, _)) = due.get(n + AHEAD) {
                    self.prefetch_flow(ahead);
                }
                self.check(id, generation, at, observer);
            }
        }
    }

    /// Asks for a flow's memory ahead of its turn.
    fn prefetch_flow(&self, id: SlotId) {
        if let (Some(slot), Some(cold)) =
            (self.slots.all().get(id as usize), self.cold.get(id as usize))
        {
            prefetch::line(slot);
            prefetch::line(&slot.next_sequence);
            prefetch::line(cold);
            prefetch::line(&cold.reported);
        }
    }

    /// Reports the volumes of the flows that were active in this tick, and sets their timers.
    fn end_tick<O: Observer>(&mut self, observer: &mut O) {
        let at = self.timers.start().plus(TICK);
        let active = self.timers.take_active();
        for (n, &id) in active.iter().enumerate() {
            if let Some(&ahead) = active.get(n + AHEAD) {
                self.prefetch_flow(ahead);
            }
            self.report_volume(id, at, observer);
            self.report_active(id, at, observer);
            let Some(slot) = self.slots.one(id) else { continue };
            if slot.has(flags::LIVE) && !slot.has(flags::ARMED) {
                slot.flags |= flags::ARMED;
                self.timers.arm((id, slot.generation), slot.timeout());
            }
        }
        self.timers.reuse(active);
    }

    /// A timer rang: ends its flow if that was quiet for long enough, else sets it anew.
    fn check<O: Observer>(&mut self, id: SlotId, generation: u32, at: Timestamp, observer: &mut O) {
        let Some(slot) = self.slots.one(id) else {
            return;
        };
        if !slot.has(flags::LIVE) || slot.generation != generation {
            return;
        }
        let end = Timestamp::from_nanos(slot.last).plus(slot.timeout());
        if end <= at {
            self.close(id, at, AccountReason::Timeout, observer);
        } else {
            self.timers.arm((id, generation), end.since(at));
        }
    }

    /// Makes room: the flow that is nearest to its timeout gives way, half-open ones first
    /// because their timeout is short; one that is active right now only when all are.
    #[cold]
    fn evict<O: Observer>(&mut self, observer: &mut O) {
        const TRIES: usize = 64;
        let tick = self.timers.tick();
        for tries in 0.. {
            if self.doomed.is_empty() {
                self.doomed = self.timers.take_soonest();
                self.doomed.reverse();
            }
            let Some((id, generation)) = self.doomed.pop() else {
                // None waits: all opened within this tick. Set their timers now.
                self.end_tick(observer);
                if tries > TRIES {
                    return;
                }
                continue;
            };
            let Some(slot) = self.slots.one(id) else { continue };
            if !slot.has(flags::LIVE) || slot.generation != generation {
                continue;
            }
            if slot.tick == tick && tries < TRIES {
                self.timers.arm((id, generation), slot.timeout());
                continue;
            }
            self.stats.evicted += 1;
            self.close(id, self.now, AccountReason::Evicted, observer);
            return;
        }
    }

    fn close<O: Observer>(
        &mut self,
        id: SlotId,
        at: Timestamp,
        reason: AccountReason,
        observer: &mut O,
    ) {
        if !self.slots.one(id).is_some_and(|slot| slot.has(flags::LIVE)) {
            return;
        }
        self.last_look(id, at, observer);
        if let (Some(slot), Some(cold)) = (self.slots.one(id), self.cold.get(id as usize)) {
            observer.closing(&View { id, slot, cold }, at);
        }
        self.report_volume(id, at, observer);
        self.report_account(id, at, reason, observer);
        let Some(slot) = self.slots.one(id) else {
            return;
        };
        self.index.remove(slot.tag, id);
        slot.flags = 0;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id);
    }

    fn report_volume<O: Observer>(&mut self, id: SlotId, at: Timestamp, observer: &mut O) {
        let (Some(slot), Some(cold)) = (self.slots.one(id), self.cold.get_mut(id as usize)) else {
            return;
        };
        if !slot.has(flags::LIVE) {
            return;
        }
        let total = [slot.traffic(Direction::Up), slot.traffic(Direction::Down)];
        let client = slot.client();
        let moved = |direction| of(&total, direction).minus(of(&cold.reported, direction));
        let volume = Volume {
            since: Timestamp::from_nanos(slot.active_since),
            to_server: moved(client),
            to_client: moved(client.reverse()),
        };
        cold.reported = total;
        if volume.to_server.packets + volume.to_client.packets > 0 {
            observer.volume(&View { id, slot, cold }, at, volume);
        }
    }

    /// Accounts for a flow that lives on, when its last account was long ago.
    fn report_active<O: Observer>(&mut self, id: SlotId, at: Timestamp, observer: &mut O) {
        let Some(cold) = self.cold.get(id as usize) else {
            return;
        };
        if at.since(Timestamp::from_nanos(cold.accounted)) >= ACTIVE_REPORT
            && self.slots.one(id).is_some_and(|slot| slot.has(flags::LIVE))
        {
            self.report_account(id, at, AccountReason::Active, observer);
        }
    }

    fn report_account<O: Observer>(
        &mut self,
        id: SlotId,
        at: Timestamp,
        reason: AccountReason,
        observer: &mut O,
    ) {
        let (Some(slot), Some(cold)) = (self.slots.one(id), self.cold.get_mut(id as usize)) else {
            return;
        };
        let client = slot.client();
        let account = Account {
            to_server: slot.traffic(client),
            to_client: slot.traffic(client.reverse()),
            last: Timestamp::from_nanos(slot.last),
            state: slot.state(),
            reason,
            tcp_flags: (slot.key.protocol() == protocol::TCP)
                .then(|| [of(&slot.tcp_flags, client), of(&slot.tcp_flags, client.reverse())]),
        };
        if account.to_server.packets + account.to_client.packets > 0 {
            observer.account(&View { id, slot, cold }, at, account);
        }
        (slot.packets, slot.bytes) = ([0; 2], [0; 2]);
        cold.reported = [Traffic::default(); 2];
        cold.accounted = at.as_nanos();
    }
}

impl Traffic {
    /// What came on top of `before`.
    fn minus(self, before: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

#[cfg(test)]
mod tests;
