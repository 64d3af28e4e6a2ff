//! One worker's share of a hot table: what was counted there since it was last looked at.
//!
//! Counters only grow until another flow takes the slot, and then go up as a record first. What was
//! told of a slot is remembered with its sequence; each count is told once, by a look at the slot or
//! by its record, in whatever order the two meet:
//! - The slot has the sequence that was told: the difference. None, if its record came already.
//! - It has another, and the record of the one that was told did not come yet: it waits for that.
//! - It has another, and nothing is left to come of the one before: all of it.
//! - A record tells the difference to what was told of its sequence; with any other sequence, all.
//!
//! To tell costs more than to count: a flow is looked up and added to, and that of half a million. So
//! not every look tells all, see [`Scan`]; what one leaves out is told by a later one, or the record.

use std::marker::PhantomData;
use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, fence};

use egret_ebpf::{BLOCK, Count, Evicted, MUCH, Touched, WAYS};

use super::key::{Key, Told};
use super::mapping::Mapping;
use super::parts::Shape;
use super::slot::View;
use crate::capture::Scan;

/// One worker's share.
#[derive(Debug)]
pub(super) struct Table<K> {
    slots: Arc<Mapping>,
    /// A [`Touched`] for each [`BLOCK`].
    touched: Arc<Mapping>,
    share: Share,
    /// One a slot of the share, a processor's after the other.
    shadows: Vec<Shadow>,
    /// What is told, and where the scan is.
    scan: Scan,
    next: usize,
    key: PhantomData<K>,
}

/// What was told of a slot.
#[derive(Debug, Clone, Copy)]
struct Shadow {
    /// Of which of its flows.
    sequence: u32,
    /// Whether that flow's record is still to come. If not, `packets` and `bytes` are 0.
    open: bool,
    packets: u64,
    bytes: u64,
}

/// Which slots: of each processor's part a run that all rings' workers have alike.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Slots of one processor.
    part: usize,
    /// Slots of the share in each part.
    run: usize,
    /// Where in the part they begin.
    start: usize,
}

/// A record of a slot that is another's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Foreign;

impl<K: Key> Table<K> {
    /// The share of ring number `ring` in a table whose sets in one ring's share of one processor's
    /// part are `sets`.
    pub(super) fn new(
        slots: Arc<Mapping>,
        touched: Arc<Mapping>,
        shape: Shape,
        sets: usize,
        ring: usize,
    ) -> Self {
        let run = sets * WAYS as usize;
        let share = Share { part: run * shape.rings, run, start: run * ring };
        let shadows = vec![Shadow::NEW; run * shape.cpus];
        let next = shadows.len();
        Self { slots, touched, share, shadows, scan: Scan::All, next, key: PhantomData }
    }

    /// Begins to look at all slots anew.
    pub(super) const fn scan(&mut self, scan: Scan) {
        (self.scan, self.next) = (scan, 0);
    }

    /// The next slot with something to tell, until all were looked at.
    pub(super) fn next(&mut self) -> Option<Told<K>> {
        while let Some(place) = self.changed() {
            self.next = place + 1;
            if let Some(told) = self.look(place) {
                return Some(told);
            }
            // There is something, and it cannot be told yet: it is looked at again.
            self.touch(place);
        }
        self.next = self.shadows.len();
        None
    }

    /// What the record of a slot that gave way has to tell.
    pub(super) fn evicted(&mut self, record: &Evicted<K>) -> Result<Option<Told<K>>, Foreign> {
        let place = self.share.place(record.index as usize).ok_or(Foreign)?;
        let shadow = self.shadows.get_mut(place).ok_or(Foreign)?;
        let sequence = record.sequence;
        let before = if shadow.sequence == sequence { *shadow } else { Shadow::NEW };
        // One that is open for another sequence was told of a later flow, whose record comes later.
        if shadow.sequence == sequence || !shadow.open {
            *shadow = Shadow { sequence, ..Shadow::NEW };
        }
        // Who has the slot now may have counted just as much as was told of the one before: then a scan
        // saw no change there.
        self.touch(place);
        Ok(before.rest(record.key, record.count))
    }

    /// The first slot, from where the scan is, of which there is something to tell.
    ///
    /// Of blocks that begin where it is, those that were not touched are left out. (A block that is
    /// another share's, too, is never left out.)
    fn changed(&self) -> Option<usize> {
        let mut place = self.next;
        while place < self.shadows.len() {
            let piece = if self.share.has_whole_blocks() { BLOCK as usize } else { self.share.run };
            let end = place - place % piece + piece;
            if place.is_multiple_of(piece)
                && self.share.has_whole_blocks()
                && !self.take_touched(place)
            {
                place = end;
                continue;
            }
            let index = self.share.index(place);
            for (at, shadow) in self.shadows.get(place..end)?.iter().enumerate() {
                let slot = View::<K>::new(&self.slots, index + at)?;
                if shadow.is_due(self.scan, slot.counted()) {
                    return Some(place + at);
                }
            }
            place = end;
        }
        None
    }

    /// Whether what the scan is for was counted in the block of a place since this was asked.
    fn take_touched(&self, place: usize) -> bool {
        let (any, much) = (offset_of!(Touched, any), offset_of!(Touched, much));
        // What is left out here must still be found by the scan that tells it.
        let (asked, taken) = match self.scan {
            Scan::Much => (much, &[much][..]),
            Scan::All => (any, &[any, much][..]),
        };
        if self.touched(place, asked).is_none_or(|word| word.load(Relaxed) == 0) {
            return false;
        }
        taken
            .iter()
            .filter_map(|field| self.touched(place, *field))
            .for_each(|word| word.store(0, Relaxed));
        // What is counted from now on sets it again, and what was counted before is seen from now on.
        fence(SeqCst);
        true
    }

    /// Has the next scan that tells all look at a place again.
    fn touch(&self, place: usize) {
        if let Some(word) = self.touched(place, offset_of!(Touched, any)) {
            word.store(1, Relaxed);
        }
    }

    /// A word of the [`Touched`] that a place's block has.
    fn touched(&self, place: usize, field: usize) -> Option<&AtomicU32> {
        let block = self.share.index(place) / BLOCK as usize;
        self.touched.word32(block * size_of::<Touched>() + field)
    }

    fn look(&mut self, place: usize) -> Option<Told<K>> {
        let slot = View::<K>::new(&self.slots, self.share.index(place))?;
        let shadow = self.shadows.get_mut(place)?;
        let (sequence, key, count) = slot.take()?;
        // Told by its record, and not overwritten yet; or the record of the one before is to come.
        if (shadow.sequence == sequence) != shadow.open {
            return None;
        }
        // A flow that has counted nothing sends no record: nothing may wait for it.
        let rest = shadow.rest(key, count)?;
        *shadow = Shadow { sequence, open: true, packets: count.packets, bytes: count.bytes };
        Some(rest)
    }
}

impl Shadow {
    /// Nothing. No slot has an odd sequence except while it is taken.
    const NEW: Self = Self { sequence: 1, open: false, packets: 0, bytes: 0 };

    /// Whether a scan is to tell of a slot that has counted so many packets and bytes.
    #[inline]
    const fn is_due(&self, scan: Scan, (packets, bytes): (u64, u64)) -> bool {
        match scan {
            Scan::Much => (bytes ^ self.bytes) >= MUCH,
            Scan::All => packets != self.packets || bytes != self.bytes,
        }
    }

    /// What is left to tell.
    fn rest<K>(self, key: K, count: Count) -> Option<Told<K>> {
        let packets = count.packets.saturating_sub(self.packets);
        let bytes = count.bytes.saturating_sub(self.bytes);
        (packets > 0 || bytes > 0).then_some(Told { key, count: Count { packets, bytes, ..count } })
    }
}

impl Share {
    /// Whether no block is another share's, too.
    const fn has_whole_blocks(self) -> bool {
        self.run.is_multiple_of(BLOCK as usize)
    }

    /// The index in the table of a place in the share.
    const fn index(self, place: usize) -> usize {
        place / self.run * self.part + self.start + place % self.run
    }

    /// The place in the share of an index in the table.
    fn place(self, index: usize) -> Option<usize> {
        let (cpu, within) = (index.checked_div(self.part)?, index.checked_rem(self.part)?);
        let place = within.checked_sub(self.start).filter(|place| *place < self.run)?;
        Some(cpu * self.run + place)
    }
}

#[cfg(test)]
mod tests;
