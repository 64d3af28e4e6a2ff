//! What happens to flows besides their packets: volumes at each step and at the end of each tick,
//! timeouts, room for others, accounts.

use std::time::Duration;

use super::fragments::LIFETIME;
use super::index::SlotId;
use super::slot::{Sides, flags, of};
use super::timers::{TICK, Timers};
use super::{Direction, Observer, Table, View, prefetch};
use crate::decode::protocol;
use crate::event::{Account, AccountReason, Traffic, Volume};
use crate::time::Timestamp;

/// A long conversation is accounted for this often while it lives.
const ACTIVE_REPORT: Duration = Duration::from_secs(300);

/// How many flows ahead memory is asked for where flows are gone through one by one.
const AHEAD: usize = 8;

impl Table {
    /// Ends all flows: the capture is over.
    pub fn finish<O: Observer>(&mut self, observer: &mut O) {
        self.give_up(self.now.plus(LIFETIME), self.now, observer);
        for id in 0..self.cold.len() as SlotId {
            self.prefetch_flow(id + AHEAD as SlotId);
            self.close(id, self.now, AccountReason::Shutdown, observer);
        }
        self.end_tick_of_sources(self.now, observer);
    }

    /// Goes on to `now` though no packet came: what ends by then is told now.
    pub fn idle<O: Observer>(&mut self, now: Timestamp, observer: &mut O) {
        if now > self.now {
            self.now = now;
            if Timers::tick_of(now.as_nanos()) != self.timers.tick() {
                self.advance(observer);
            }
        }
    }

    /// Goes through the ticks up to now: volumes of each that ends, timeouts of each that begins.
    #[cold]
    pub(super) fn advance<O: Observer>(&mut self, observer: &mut O) {
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
                if let Some(&(ahead, _)) = due.get(n + 2 * AHEAD) {
                    self.prefetch_flow(ahead);
                }
                if let Some(&(ahead, _)) = due.get(n + AHEAD) {
                    self.prefetch_index(ahead);
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

    /// Asks for the place in the index that a flow leaves when it ends; its slot is there by now.
    fn prefetch_index(&self, id: SlotId) {
        if let Some(slot) = self.slots.all().get(id as usize) {
            self.index.prefetch(slot.tag);
        }
    }

    /// Reports the volumes of the flows that were active in this tick, and sets their timers.
    fn end_tick<O: Observer>(&mut self, observer: &mut O) {
        let at = self.timers.start().plus(TICK);
        // First, so that what is told of this tick goes by what was learned in it.
        self.end_tick_of_sources(at, observer);
        let active = self.timers.take_active();
        for (n, &id) in active.iter().enumerate() {
            if let Some(&ahead) = active.get(n + 2 * AHEAD) {
                self.prefetch_flow(ahead);
            }
            if let Some(&ahead) = active.get(n + AHEAD) {
                self.prefetch_index(ahead);
            }
            self.report_volume(id, at, observer);
            self.report_active(id, at, observer);
            self.end_tick_of_flow(id);
            let Some(slot) = self.slots.one(id as usize) else { continue };
            let timeout = slot.timeout() + self.late;
            if slot.has(flags::LIVE) && Timestamp::from_nanos(slot.last).plus(timeout) <= at {
                // Most conversations are short: over by now, and still in the cache.
                self.close(id, at, AccountReason::Timeout, observer);
            } else if slot.has(flags::LIVE) && !slot.has(flags::ARMED) {
                slot.flags |= flags::ARMED;
                self.timers.arm((id, slot.generation), timeout);
            }
        }
        self.timers.reuse(active);
        let slots = self.slots.all();
        self.timers.tidy(self.capacity, |(id, generation)| {
            slots
                .get(id as usize)
                .is_some_and(|slot| slot.has(flags::LIVE) && slot.generation == generation)
        });
    }

    /// Ends the tick before its time when one flow after another has lived in the same slots, as when
    /// somebody opens a connection over and over: the list of those to be told of would have no end.
    pub(super) fn bound_tick<O: Observer>(&mut self, observer: &mut O) {
        if self.timers.active_count() > 2 * self.capacity + 64 {
            self.end_tick(observer);
        }
    }

    /// A timer rang: ends its flow if that was quiet for long enough, else sets it anew.
    fn check<O: Observer>(&mut self, id: SlotId, generation: u32, at: Timestamp, observer: &mut O) {
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        if !slot.has(flags::LIVE) || slot.generation != generation {
            return;
        }
        let end = Timestamp::from_nanos(slot.last).plus(slot.timeout() + self.late);
        if end <= at {
            self.close(id, at, AccountReason::Timeout, observer);
        } else {
            self.timers.arm((id, generation), end.since(at));
        }
    }

    /// Makes room: the flow that is nearest to its timeout gives way, half-open ones first
    /// because their timeout is short; one that is active right now only when all are, unless it is
    /// one packet: a flood of such costs no search.
    #[cold]
    pub(super) fn evict<O: Observer>(&mut self, observer: &mut O) {
        const TRIES: usize = 64;
        let tick = self.timers.tick();
        let mut spared = false;
        for tries in 0.. {
            if self.doomed.is_empty() {
                if std::mem::take(&mut spared) {
                    // Only active ones wait: those that came since, and have no timer yet, go first.
                    self.end_tick(observer);
                }
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
            let Some(slot) = self.slots.one(id as usize) else { continue };
            if !slot.has(flags::LIVE) || slot.generation != generation {
                continue;
            }
            if slot.tick == tick && tries < TRIES && !slot.is_lone() {
                self.timers.arm((id, generation), slot.timeout());
                spared = true;
                continue;
            }
            self.stats.evicted += 1;
            self.close(id, self.now, AccountReason::Evicted, observer);
            return;
        }
    }

    pub(super) fn close<O: Observer>(
        &mut self,
        id: SlotId,
        at: Timestamp,
        reason: AccountReason,
        observer: &mut O,
    ) {
        if !self.slots.one(id as usize).is_some_and(|slot| slot.has(flags::LIVE)) {
            return;
        }
        self.last_look(id, at, observer);
        if let (Some(slot), Some(cold)) = (self.slots.one(id as usize), self.cold.get(id as usize))
        {
            observer.closing(&View { id, slot, cold }, at);
        }
        self.report_volume(id, at, observer);
        self.report_account(id, at, reason, observer);
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        if slot.key.protocol() == protocol::TCP {
            self.count_sides(id);
            self.end_watches(id);
        }
        let Some(slot) = self.slots.one(id as usize) else {
            return;
        };
        match slot.tcp_sides() {
            Some(Sides::One) => self.stats.tcp_one_sided += 1,
            Some(Sides::Both) => self.stats.tcp_both += 1,
            None => {}
        }
        self.index.remove(slot.tag, id);
        slot.flags = 0;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id);
    }

    /// Reports the volume of a flow that has moved much, by its latest packet.
    #[cold]
    pub(super) fn step<O: Observer>(&mut self, id: SlotId, observer: &mut O) {
        self.report_volume(id, self.now, observer);
        if let Some(slot) = self.slots.one(id as usize) {
            slot.active_since = slot.active_since.max(slot.last);
        }
    }

    fn report_volume<O: Observer>(&mut self, id: SlotId, at: Timestamp, observer: &mut O) {
        let (Some(slot), Some(cold)) =
            (self.slots.one(id as usize), self.cold.get_mut(id as usize))
        else {
            return;
        };
        if !slot.has(flags::LIVE) {
            return;
        }
        let total = [slot.traffic(Direction::Up), slot.traffic(Direction::Down)];
        let client = slot.client();
        let moved = |direction| {
            of(&total, direction)
                .minus(of(&cold.reported, direction))
                .minus(of(&cold.copies, direction))
        };
        let volume = Volume {
            since: Timestamp::from_nanos(slot.active_since),
            to_server: moved(client),
            to_client: moved(client.reverse()),
            tcp_flags: (slot.key.protocol() == protocol::TCP)
                .then(|| [of(&slot.tcp_flags, client), of(&slot.tcp_flags, client.reverse())]),
            one_in: self.sources.one_in(cold.source),
        };
        (cold.reported, cold.copies) = (total, [Traffic::default(); 2]);
        self.sources.moved(cold.source, volume.to_server, volume.to_client);
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
            && self.slots.one(id as usize).is_some_and(|slot| slot.has(flags::LIVE))
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
        let (Some(slot), Some(cold)) =
            (self.slots.one(id as usize), self.cold.get_mut(id as usize))
        else {
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
            app: cold.app.get(),
            one_in: self.sources.one_in(cold.source),
        };
        if account.to_server.packets + account.to_client.packets > 0 {
            observer.account(&View { id, slot, cold }, at, account);
        }
        (slot.packets, slot.bytes) = ([0; 2], [0; 2]);
        (cold.reported, cold.copies) = ([Traffic::default(); 2], [Traffic::default(); 2]);
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
