//! What threads tell each other without waiting: how far each worker is, and what it has counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::time::Timestamp;

/// One worker's pulse. Written by the worker alone, read by whoever watches.
#[derive(Debug)]
pub(super) struct Pulse {
    start: Instant,
    /// When it last looked for frames, in nanoseconds since `start`: the system's clock may be set.
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
            start: Instant::now(),
            looked: AtomicU64::default(),
            interfaces: (0..interfaces).map(|_| Counts::default()).collect(),
        }
    }

    /// The worker has looked at all its sources.
    pub(super) fn beat(&self, now: Instant) {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        self.looked.store(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
    }

    /// Whether the worker has looked lately.
    pub(super) fn is_alive(&self, now: Instant, within: Duration) -> bool {
        let looked = Duration::from_nanos(self.looked.load(Relaxed));
        now.saturating_duration_since(self.start).saturating_sub(looked) <= within
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_lives_for_as_long_as_it_gives_signs() {
        let (pulse, patience) = (Pulse::new(1), Duration::from_secs(10));
        let at = |seconds| pulse.start + Duration::from_secs(seconds);
        assert!(pulse.is_alive(at(10), patience), "it may still start");
        assert!(!pulse.is_alive(at(11), patience));
        pulse.beat(at(11));
        assert!(pulse.is_alive(at(21), patience));
        assert!(!pulse.is_alive(at(22), patience));
    }

    #[test]
    fn counts_are_by_interface_and_others_are_nobodys() {
        let pulse = Pulse::new(2);
        pulse.received(1, 3, Timestamp::from_parts(7, 0));
        pulse.received(1, 4, Timestamp::from_parts(9, 0));
        pulse.dropped(1, 5);
        pulse.received(2, 1, Timestamp::from_parts(9, 0));
        assert_eq!(pulse.of(0), (0, 0, None));
        assert_eq!(pulse.of(1), (7, 5, Some(Timestamp::from_parts(9, 0))));
    }
}
