//! Capture time in ticks of 10 s: which flows were active in this one, which may be over in a
//! later one. In the order of packets, never of the table, so that every reading goes alike.

use std::time::Duration;

use super::index::SlotId;
use crate::time::Timestamp;

/// How often volumes are reported and timeouts looked at.
pub const TICK: Duration = Duration::from_secs(10);

/// Longer waits go round the wheel again.
const BUCKETS: u32 = 64;

/// A flow in the wheel: its slot, and the slot's generation when it was put there.
pub(super) type Timer = (SlotId, u32);

/// The flows of this tick and the wheel of ticks to come.
pub(super) struct Timers {
    tick: u32,
    /// Slots that were active in this tick, by their first packet in it.
    active: Vec<SlotId>,
    wheel: Vec<Vec<Timer>>,
    waiting: usize,
}

impl Default for Timers {
    fn default() -> Self {
        Self { tick: 0, active: Vec::new(), wheel: vec![Vec::new(); BUCKETS as usize], waiting: 0 }
    }
}

impl Timers {
    /// The tick that `time` lies in.
    #[inline]
    pub(super) const fn tick_of(nanos: u64) -> u32 {
        (nanos / TICK.as_nanos() as u64) as u32
    }

    #[inline]
    pub(super) const fn tick(&self) -> u32 {
        self.tick
    }

    /// When the current tick began.
    pub(super) fn start(&self) -> Timestamp {
        Timestamp::ZERO.plus(TICK * self.tick)
    }

    /// How many times a slot was active for the first time in this tick: once each, but for those
    /// that one flow after another has had.
    pub(super) const fn active_count(&self) -> usize {
        self.active.len()
    }

    /// How many timers there are, those of flows that are gone included.
    #[cfg(test)]
    pub(super) const fn waiting_count(&self) -> usize {
        self.waiting
    }

    /// Takes out of the wheel what is not `wanted` any more, once most of `capacity` flows' share of
    /// it may be that.
    pub(super) fn tidy(&mut self, capacity: usize, mut wanted: impl FnMut(Timer) -> bool) {
        if self.waiting > 4 * capacity + 64 {
            self.wheel.iter_mut().for_each(|bucket| bucket.retain(|&timer| wanted(timer)));
            self.waiting = self.wheel.iter().map(Vec::len).sum();
        }
    }

    /// Notes that a slot was active for the first time in this tick.
    #[inline]
    pub(super) fn active(&mut self, slot: SlotId) {
        self.active.push(slot);
    }

    /// Ends the current tick: hands over the slots that were active in it.
    pub(super) fn take_active(&mut self) -> Vec<SlotId> {
        std::mem::take(&mut self.active)
    }

    /// Gives the list back empty, so that its memory is used again.
    pub(super) fn reuse(&mut self, mut list: Vec<SlotId>) {
        list.clear();
        if self.active.is_empty() {
            self.active = list;
        }
    }

    /// Goes on to the next tick, or straight to `target` when nothing waits, and hands over what is due.
    pub(super) fn next(&mut self, target: u32) -> Vec<Timer> {
        self.tick = if self.waiting == 0 { target } else { self.tick + 1 };
        self.take_bucket(self.tick)
    }

    /// Puts a slot into the wheel to be looked at after `delay`.
    pub(super) fn arm(&mut self, timer: Timer, delay: Duration) {
        let ticks = delay.as_nanos().div_ceil(TICK.as_nanos()).clamp(1, u128::from(BUCKETS - 1));
        let at = (self.tick + ticks as u32) % BUCKETS;
        if let Some(bucket) = self.wheel.get_mut(at as usize) {
            bucket.push(timer);
            self.waiting += 1;
        }
    }

    /// Takes the bucket that is due first: those nearest to their end.
    pub(super) fn take_soonest(&mut self) -> Vec<Timer> {
        for ahead in 1..=BUCKETS {
            let bucket = self.take_bucket(self.tick + ahead);
            if !bucket.is_empty() {
                return bucket;
            }
        }
        Vec::new()
    }

    fn take_bucket(&mut self, tick: u32) -> Vec<Timer> {
        let bucket =
            self.wheel.get_mut((tick % BUCKETS) as usize).map(std::mem::take).unwrap_or_default();
        self.waiting -= bucket.len();
        bucket
    }
}
