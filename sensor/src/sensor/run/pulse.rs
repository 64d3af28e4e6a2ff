//! What threads tell each other without waiting: how far each worker is, and what it has counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::time::Timestamp;

/// One worker's pulse. Written by the worker alone, read by whoever watches.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// When it last looked for frames, by the system's clock.
    looked: AtomicU64,
    /// By interface, in the order of the config.
    interfaces: Vec<Counts>,
}

/// What a worker has counted on one interface. In cache lines of its own, the one fetched with it
/// included: other workers write what would lie beside it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counts {
    packets: AtomicU64,
    dropped: AtomicU64,
    last: AtomicU64,
}

impl Pulse {
    pub(super) fn new(interfaces: usize) -> Self {
        Self {
            looked: AtomicU64::default(),
            interfaces: (0..interfaces).map(|_| Counts::default()).collect(),
        }
    }

    /// The worker has looked at all its sources.
    pub(super) fn beat(&self, now: Timestamp) {
        self.looked.store(now.as_nanos(), Relaxed);
    }

    /// Whether the worker has looked lately.
    pub(super) fn is_alive(&self, now: Timestamp, within: Duration) -> bool {
        now.since(Timestamp::from_nanos(self.looked.load(Relaxed))) <= within
    }

    /// The worker has received so many more frames from an interface, the last at `last`.
    pub(super) fn received(&self, interface: u16, packets: u64, last: Timestamp) {
        if let Some(counts) = self.interfaces.get(usize::from(interface)) {
            add(&counts.packets, packets);
            counts.last.store(last.as_nanos(), Relaxed);
        }
    }

    /// So many more were lost on their way to it.
    pub(super) fn dropped(&self, interface: u16, packets: u64) {
        if let Some(counts) = self.interfaces.get(usize::from(interface)) {
            add(&counts.dropped, packets);
        }
    }

    /// Frames received from an interface, frames lost, and the time of the last.
    pub(super) fn of(&self, interface: u16) -> (u64, u64, Option<Timestamp>) {
        let Some(counts) = self.interfaces.get(usize::from(interface)) else { return (0, 0, None) };
        let last = counts.last.load(Relaxed);
        let last = (last > 0).then(|| Timestamp::from_nanos(last));
        (counts.packets.load(Relaxed), counts.dropped.load(Relaxed), last)
    }
}

/// Adds to a number that nobody else writes: two plain moves.
fn add(number: &AtomicU64, more: u64) {
    number.store(number.load(Relaxed).wrapping_add(more), Relaxed);
}
