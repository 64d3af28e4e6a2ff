//! The hot table: which slot is whose, and what happens when one takes another's.

use aya_ebpf::bindings::BPF_RB_NO_WAKEUP;
use aya_ebpf::helpers::generated::{bpf_ringbuf_reserve, bpf_ringbuf_submit};
use core::sync::atomic::{Ordering, compiler_fence};
use egret_ebpf::{BLOCK, Count, Evicted, InUse, Key, LEAST_PAIRS, Slot, TAKEN, Totals, WAYS};

use crate::family::Family;
use crate::{hand_up, maps};

/// Where a flow's direction has its set.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The ring that its packets go up in: both directions' the same.
    pub(crate) ring: u32,
    /// The set, counted over all rings' shares and processors' parts.
    set: u32,
    /// The slot of the set to look at first: each is some flows' own, as long as it is free.
    way: u32,
}

impl Place {
    #[inline(always)]
    pub(crate) fn of<A: Family>(hash: u64, direction: u32, in_use: &InUse) -> Self {
        let ring = scale(hash >> 32, maps::rings());
        // Both directions' sets lie side by side, of half of all flows the other way round: else the
        // table would be half as large for flows of which one direction comes here.
        let side = direction ^ (hash & 1) as u32;
        let pair = scale(hash & 0xffff_ffff, A::sets() / 2) & (in_use.mask | (LEAST_PAIRS - 1));
        let share = maps::processor() * maps::rings() + ring;
        Self { ring, set: share * A::sets() + pair * 2 + side, way: hash as u32 >> 1 }
    }

    /// The other direction's.
    #[inline(always)]
    pub(crate) fn reversed(self) -> Self {
        Self { set: self.set ^ 1, ..self }
    }
}

/// Brings 32 bits into the range up to `range`.
#[inline(always)]
const fn scale(bits: u64, range: u32) -> u32 {
    ((bits * range as u64) >> 32) as u32
}

/// A slot, and its number in its table.
pub(crate) struct Found<K: 'static> {
    pub(crate) slot: &'static mut Slot<K>,
    pub(crate) index: u32,
}

/// What looking for a slot came to.
pub(crate) enum Looked<K: 'static> {
    /// It is there.
    Found(Found<K>),
    /// The flow may take this one.
    Victim(Found<K>),
    /// There is no such place: the loader has made the map smaller than it says.
    Nowhere,
}

/// Looks for the slot of a flow's direction.
#[inline(always)]
pub(crate) fn look<A: Family>(place: Place, key: &Key<A>) -> Looked<Key<A>> {
    let Some(set) = A::slots().get_ptr_mut(place.set) else { return Looked::Nowhere };
    let slots = set.cast::<Slot<Key<A>>>();
    let mut victim = 0;
    let mut quiet_since = u64::MAX;
    for ahead in 0..WAYS {
        let way = place.way.wrapping_add(ahead) % WAYS;
        // SAFETY: the slot is one of the set's, which is in this processor's part: only this program
        // writes it, one packet after the other. It lasts as long as the map.
        let slot = unsafe { &mut *slots.wrapping_add(way as usize) };
        // A key of zeros can be made, and is that of a slot that was never taken.
        if slot.sequence != 0 && is_same(&slot.key, key) {
            return Looked::Found(Found { slot, index: place.set * WAYS + way });
        }
        // An empty one has never been used, which is long ago.
        if slot.count.last < quiet_since {
            (victim, quiet_since) = (way, slot.count.last);
        }
    }
    // SAFETY: as above.
    let slot = unsafe { &mut *slots.wrapping_add((victim % WAYS) as usize) };
    Looked::Victim(Found { slot, index: place.set * WAYS + victim })
}

/// Compares keys word by word.
#[inline(always)]
fn is_same<K>(a: &K, b: &K) -> bool {
    let (a, b) = (core::ptr::from_ref(a).cast::<u64>(), core::ptr::from_ref(b).cast::<u64>());
    let mut differ = 0;
    let mut at = 0;
    while at < size_of::<K>() / 8 {
        let (a, b) = (a.wrapping_add(at), b.wrapping_add(at));
        // SAFETY: keys are whole words, and aligned like them.
        let a = unsafe { *a };
        // SAFETY: likewise.
        let b = unsafe { *b };
        differ |= a ^ b;
        at += 1;
    }
    differ == 0
}

/// Tells what a slot has counted, so that it can be taken; false when there is no room for that.
#[inline(never)]
pub(crate) fn evict<A: Family>(
    slot: &Slot<Key<A>>,
    index: u32,
    ring: u32,
    reopened: u32,
    totals: &mut Totals,
) -> bool {
    if slot.count.packets == 0 {
        return true;
    }
    // SAFETY: the ring is one of the maps.
    let record =
        unsafe { bpf_ringbuf_reserve(hand_up::ring(ring), size_of::<Evicted<Key<A>>>() as u64, 0) };
    let record = record.cast::<Evicted<Key<A>>>();
    if record.is_null() {
        return false;
    }
    // SAFETY: the kernel has reserved so many bytes.
    unsafe {
        record.write(Evicted {
            kind: A::EVICTED,
            index,
            reopened,
            sequence: slot.sequence,
            key: slot.key,
            count: slot.count,
        });
    }
    // SAFETY: it was reserved above, and is written whole.
    unsafe { bpf_ringbuf_submit(record.cast(), u64::from(BPF_RB_NO_WAKEUP)) };
    totals.evicted += 1;
    true
}

/// Gives a slot to a flow. Whoever reads it meanwhile sees by its sequence that it changes.
#[inline(always)]
pub(crate) fn take<K: Copy>(slot: &mut Slot<K>, key: &K, now: u64, totals: &mut Totals) {
    if slot.sequence == 0 {
        totals.slots_used += 1;
    }
    // Zero is for slots that were never taken.
    let next = match slot.sequence.wrapping_add(TAKEN) {
        0 => TAKEN,
        next => next,
    };
    write(&mut slot.sequence, next | 1);
    slot.key = *key;
    slot.count = Count { last: now, ..Count::default() };
    write(&mut slot.sequence, next);
}

/// Says that something was counted in a slot, after it was, and whether that was much.
#[inline(always)]
pub(crate) fn touch<A: Family>(index: u32, much: bool) {
    let Some(touched) = A::touched().get_ptr_mut(index / BLOCK) else { return };
    // SAFETY: the pointer is to an item of the map; only user space writes anything else to it.
    let touched = unsafe { &mut *touched };
    write(&mut touched.any, 1);
    if much {
        write(&mut touched.much, 1);
    }
}

/// Writes a word in its place among the writes before and after.
#[inline(always)]
fn write(word: &mut u32, value: u32) {
    compiler_fence(Ordering::SeqCst);
    // SAFETY: the reference is valid; volatile, because user space reads it at the same time.
    unsafe { core::ptr::write_volatile(word, value) };
    compiler_fence(Ordering::SeqCst);
}
