//! What threads tell each other without waiting: how far each worker is, and what it has counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::time::Timestamp;

/// One worker's pulse. Written by the worker alone, read by whoever watches.
#[derive(Debug)]
pub(super) struct Pulse {
    born: Instant,
    /// When it last looked for frames, in nanoseconds since then: the system's clock may be set.
    looked: AtomicU64,
    /// The time of the oldest packet that it remembers; 0: none.
    remembers: AtomicU64,
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
            born: Instant::now(),
            looked: AtomicU64::default(),
            remembers: AtomicU64::default(),
            interfaces: (0..interfaces).map(|_| Counts::default()).collect(),
        }
    }

    /// The worker has looked at all its sources.
    pub(super) fn beat(&self, now: Instant) {
        self.looked.store(self.age(now), Relaxed);
    }

    /// Whether the worker has looked lately.
    pub(super) fn is_alive(&self, now: Instant, within: Duration) -> bool {
        let silent = self.age(now).saturating_sub(self.looked.load(Relaxed));
        Duration::from_nanos(silent) <= within
    }

    fn age(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.born).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The worker remembers packets since then.
    pub(super) fn remembers(&self, since: Option<Timestamp>) {
        self.remembers.store(since.map_or(0, Timestamp::as_nanos), Relaxed);
    }

    /// The time of the oldest packet that the worker remembers.
    pub(super) fn remembers_since(&self) -> Option<Timestamp> {
        let since = self.remembers.load(Relaxed);
        (since > 0).then(|| Timestamp::from_nanos(since))
    }

    /// So many more packets came by an interface, read or counted; the last of them at `last`.
    pub(super) fn received(&self, interface: u16, packets: u64, last: Timestamp) {
        if let Some(counts) = self.interfaces.get(usize::from(interface)) {
            add(&counts.packets, packets);
            counts.last.store(counts.last.load(Relaxed).max(last.as_nanos()), Relaxed);
        }
    }

    /// So many more were lost on their way to it.
    pub(super) fn dropped(&self, interface: u16, packets: u64) {
        if let Some(counts) = self.interfaces.get(usize::from(interface)) {
            add(&counts.dropped, packets);
        }
    }

    /// Packets received from an interface, packets lost, and the time of the last.
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
    fn who_gives_no_sign_for_too_long_is_not_alive() {
        let pulse = Pulse::new(0);
        let (second, start) = (Duration::from_secs(1), Instant::now());
        assert!(pulse.is_alive(start, second), "it has just been born");
        pulse.beat(start + 5 * second);
        assert!(pulse.is_alive(start + 5 * second, second));
        assert!(pulse.is_alive(start + 4 * second, second), "read before it beat");
        assert!(!pulse.is_alive(start + 7 * second, second));
    }

    #[test]
    fn each_interface_has_its_own_counts() {
        let pulse = Pulse::new(2);
        pulse.received(1, 3, Timestamp::from_nanos(7));
        pulse.received(1, 2, Timestamp::from_nanos(9));
        // Counted in the kernel, and told later than what was read meanwhile.
        pulse.received(1, 0, Timestamp::from_nanos(8));
        pulse.dropped(1, 4);
        pulse.received(9, 1, Timestamp::MAX);
        assert_eq!(pulse.of(0), (0, 0, None));
        assert_eq!(pulse.of(1), (5, 4, Some(Timestamp::from_nanos(9))));
        assert_eq!(pulse.of(9), (0, 0, None));
    }
}
