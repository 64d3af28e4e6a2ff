//! What a packet may cost: whatever it holds, nothing panics, and at most [`PER_PACKET`] bytes are
//! allocated from its decoding to its events' JSON. Counted by an allocator of this target's own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what cannot be built should stop the test"
)]

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

mod estates;
mod fixtures;
mod fleet;
mod floods;
mod mutations;
mod pipeline;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most bytes that a packet may make the path from decoding to JSON allocate, besides the growth
/// of tables that have a bound of their own.
const PER_PACKET: usize = 64 * 1024;

/// What `work` allocates, in bytes; what it frees meanwhile is not taken off.
fn allocated(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    region.change().bytes_allocated
}

/// The allocator counts for all threads, so that tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fails when the allocator does not count: then no test here could fail.
#[test]
fn what_is_allocated_is_counted() {
    let _alone = alone();
    assert!((5000..6000).contains(&allocated(|| drop(std::hint::black_box(vec![1_u8; 5000])))));
}
