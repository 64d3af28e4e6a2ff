//! When frames are looked at for what the mirror does to them: some thousand in a row, and again after
//! some time, so that all the others pay nothing.

use std::time::Duration;

use crate::capture::BURST;
use crate::time::Timestamp;

/// Bursts that are looked at in a row: 2,048 frames.
const BURSTS: u32 = 64;
/// Of them, those that only teach what a copy is compared with; at the start there is nothing before.
const WARM: u32 = 16;
/// So many bursts after the last look begins another one,
const PAUSE: u32 = 1024;
/// or so much time after, whichever comes first.
const TIME: Duration = Duration::from_secs(10);
/// From this share of copies on all frames are looked at: 1 in so many.
const COPIES: u64 = 100;

/// Where looking has got to.
#[derive(Debug)]
pub(super) struct Look {
    /// Bursts since it began.
    bursts: u32,
    /// Those that only teach.
    warm: u32,
    ended: Timestamp,
    /// Copies there were when it began.
    copies: u64,
}

impl Default for Look {
    fn default() -> Self {
        Self { bursts: 0, warm: 0, ended: Timestamp::ZERO, copies: 0 }
    }
}

impl Look {
    /// Another burst begins, when there were so many copies: whether it is looked at.
    #[inline]
    pub(super) fn begins(&mut self, time: Timestamp, copies: u64) -> bool {
        self.bursts += 1;
        if self.bursts <= BURSTS {
            return true;
        }
        self.between(time, copies)
    }

    fn between(&mut self, time: Timestamp, copies: u64) -> bool {
        if self.bursts == BURSTS + 1 {
            self.ended = time;
            let looked = u64::from(BURSTS - self.warm) * BURST as u64;
            if (copies - self.copies) * COPIES > looked {
                *self = Self { bursts: 1, warm: 0, copies, ..*self };
                return true;
            }
        }
        if self.bursts >= PAUSE || time >= self.ended.plus(TIME) {
            *self = Self { bursts: 1, warm: WARM, copies, ..*self };
            return true;
        }
        false
    }

    /// Whether what is looked at now counts.
    pub(super) const fn is_warm(&self) -> bool {
        self.bursts > self.warm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of so many bursts, so far apart, are looked at.
    fn looked(bursts: u32, apart: Duration, copies_each: u64) -> Vec<u32> {
        let mut look = Look::default();
        let at = |n: u32| Timestamp::from_parts(1_000_000, 0).plus(apart * n);
        (0..bursts).filter(|n| look.begins(at(*n), u64::from(*n) * copies_each)).collect()
    }

    #[test]
    fn one_burst_in_sixteen_is_looked_at_when_they_come_fast() {
        let looked = looked(1023 * 3, Duration::from_millis(1), 0);
        assert_eq!(looked.len(), 64 * 3);
        assert_eq!((looked[0], looked[63], looked[64]), (0, 63, 1023));
    }

    #[test]
    fn after_ten_seconds_there_is_another_look() {
        let looked = looked(100, Duration::from_secs(2), 0);
        assert_eq!(looked.len(), 64 + 100 - 69);
    }

    #[test]
    fn where_packets_come_twice_all_are_looked_at() {
        assert_eq!(looked(1000, Duration::from_millis(1), 1).len(), 1000);
    }
}
