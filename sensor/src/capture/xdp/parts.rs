//! What a source is made of: what the loader of the kernel programs hands over.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::mapping::Mapping;

/// Everything that one worker's source reads. The maps stay as long as their descriptors and
/// mappings.
#[derive(Debug)]
pub(in crate::capture) struct Parts {
    /// This worker's ring: a `BPF_MAP_TYPE_RINGBUF`.
    pub(in crate::capture) ring: OwnedFd,
    /// Its size, as it was created.
    pub(in crate::capture) ring_bytes: usize,
    /// Its number: below [`Shape::rings`].
    pub(in crate::capture) ring_number: usize,
    /// `SLOTS4`, one mapping for all sources of the interface.
    pub(in crate::capture) slots4: Arc<Mapping>,
    /// `SLOTS6`, likewise.
    pub(in crate::capture) slots6: Arc<Mapping>,
    /// `TOUCHED4` and `TOUCHED6`, likewise.
    pub(in crate::capture) touched: [Arc<Mapping>; 2],
    /// `CONTROL`, likewise.
    pub(in crate::capture) control: Arc<Mapping>,
    /// How both are cut.
    pub(in crate::capture) shape: Shape,
    /// Bytes that the program captures of a frame at most.
    pub(in crate::capture) snaplen: u32,
    /// When the last packet was counted that any source of the interface has told of, in nanoseconds
    /// of `CLOCK_MONOTONIC`: one for all of them.
    pub(in crate::capture) last: Arc<AtomicU64>,
    /// The program on the interface, one for all its sources; also keeps what must stay loaded.
    pub(in crate::capture) attached: Arc<dyn Attached>,
    /// What belongs to the interface as a whole, for the first of its sources.
    pub(in crate::capture) whole: Option<Whole>,
}

/// How the hot tables are cut: index = `cpu * (rings * sets * WAYS) + (ring * sets + set) * WAYS + way`.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Shape {
    /// Processors that there may ever be, as the kernel counts them
    /// (`/sys/devices/system/cpu/possible`): it keeps so many copies of a per-CPU value.
    pub(in crate::capture) cpus: usize,
    /// Rings in use.
    pub(in crate::capture) rings: usize,
    /// Sets in one ring's share of one processor's part of `SLOTS4`.
    pub(in crate::capture) sets4: usize,
    /// The same of `SLOTS6`.
    pub(in crate::capture) sets6: usize,
}

/// What one source reads for all sources of an interface.
#[derive(Debug)]
pub(in crate::capture) struct Whole {
    /// `OVERFLOW0` and `OVERFLOW1`.
    pub(in crate::capture) overflow: [OwnedFd; 2],
    /// `TOTALS`.
    pub(in crate::capture) totals: Mapping,
}

/// A program on an interface, which counts.
pub(in crate::capture) trait Attached: fmt::Debug + Send + Sync {
    /// Takes it off the interface, if it is still there.
    fn detach(&self);

    /// Whether the interface is there no more.
    fn is_gone(&self) -> bool;
}
