//! The kernel's clock against the system's.

use rustix::time::{ClockId, clock_gettime};

use crate::time::Timestamp;

/// Measurements, of which the one that was interrupted least counts.
const TRIES: usize = 3;

/// How far the system's time is ahead of `CLOCK_MONOTONIC`, in nanoseconds, when it was measured.
///
/// It changes when the system's time is set, and a little while that is slewed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    ahead: i64,
}

impl Clock {
    /// Measures it now.
    pub(super) fn measured() -> Self {
        let best = (0..TRIES).map(|_| measure()).min_by_key(|(took, _)| *took);
        Self { ahead: best.map_or(0, |(_, ahead)| ahead) }
    }

    /// The system's time when `CLOCK_MONOTONIC` had this many nanoseconds.
    pub(super) const fn time(self, monotonic: u64) -> Timestamp {
        Timestamp::from_nanos(monotonic.saturating_add_signed(self.ahead))
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub(super) fn monotonic() -> u64 {
    nanos(ClockId::Monotonic)
}

/// How long measuring took, and what came of it.
fn measure() -> (u64, i64) {
    let before = monotonic();
    let system = nanos(ClockId::Realtime);
    let took = monotonic().saturating_sub(before);
    let middle = before.saturating_add(took / 2);
    (took, i64::try_from(i128::from(system) - i128::from(middle)).unwrap_or(0))
}

fn nanos(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Timestamp::from_parts(seconds, u64::try_from(time.tv_nsec).unwrap_or(0)).as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_time_becomes_the_systems() {
        let clock = Clock::measured();
        let before = Timestamp::from_nanos(nanos(ClockId::Realtime));
        let now = clock.time(monotonic());
        let after = Timestamp::from_nanos(nanos(ClockId::Realtime));
        let slack = std::time::Duration::from_millis(5);
        assert!(before.minus(slack) <= now && now <= after.plus(slack), "{before} {now} {after}");
    }

    #[test]
    fn senseless_times_are_clamped() {
        let clock = Clock { ahead: -10 };
        assert_eq!(clock.time(3), Timestamp::ZERO);
        assert_eq!(Clock { ahead: 10 }.time(u64::MAX), Timestamp::MAX);
    }
}
