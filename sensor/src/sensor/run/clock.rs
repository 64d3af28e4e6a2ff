//! The two clocks of the live sensor held against each other: the system's, which may be set, and one
//! that only goes forward.

use std::time::{Duration, Instant};

use crate::time::{Elapsed, Timestamp};

/// A clock that is set back by less than this is only being trimmed.
const TRIMMED: Duration = Duration::from_secs(5);

/// Sees that the system's clock was set back. What waits for a time of the packets' clock then waits
/// until that is there again, which a person has to know.
#[derive(Debug)]
pub(super) struct Steps {
    /// The two clocks at the last look.
    last: (Timestamp, Instant),
    /// The time that was reached before the clock was set back.
    reached: Option<Timestamp>,
}

impl Steps {
    pub(super) fn new(now: Timestamp, steady: Instant) -> Self {
        Self { last: (now, steady), reached: None }
    }

    /// What to say while the clock is behind a time that it had before.
    pub(super) fn look(&mut self, now: Timestamp, steady: Instant) -> Option<String> {
        let (wall, before) = self.last;
        let expected = wall.plus(steady.saturating_duration_since(before));
        self.last = (now, steady);
        if expected.since(now) >= TRIMMED {
            self.reached = self.reached.max(Some(expected));
        }
        let behind = self.reached?.since(now);
        if behind.is_zero() {
            self.reached = None;
            return None;
        }
        Some(format!(
            "the system's clock was set back and is {} behind; until it is there again volumes and \
             timeouts stand still: restart the sensor",
            Elapsed(Duration::from_secs(behind.as_secs()))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_is_said_until_it_is_there_again() {
        let (wall, steady) = (Timestamp::from_parts(100_000, 0), Instant::now());
        let mut steps = Steps::new(wall, steady);
        let mut look = |wall_seconds: u64, seconds: u64| {
            let now = Timestamp::from_parts(100_000 + wall_seconds - 50_000, 0);
            steps.look(now, steady + Duration::from_secs(seconds))
        };
        assert_eq!(look(50_001, 1), None);
        assert_eq!(look(49_999, 2), None, "trimmed by three seconds");
        assert_eq!(look(53_600, 3), None, "set forward by an hour");
        let said = look(50_001, 4).unwrap();
        assert!(said.contains("is 1h behind"), "{said}");
        assert!(look(53_600, 3603).is_some());
        assert_eq!(look(53_602, 3605), None);
        assert_eq!(look(53_603, 3606), None);
    }

    #[test]
    fn a_sensor_that_slept_is_not_behind() {
        let (wall, steady) = (Timestamp::from_parts(100_000, 0), Instant::now());
        let mut steps = Steps::new(wall, steady);
        // Suspended, the steady clock stands.
        assert_eq!(steps.look(wall.plus(Duration::from_secs(9999)), steady), None);
    }
}
