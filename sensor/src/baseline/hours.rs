//! In which hours of the day (UTC) something was seen.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Hours of the day, bit 0 from midnight to one: those of earlier days apart from today's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoursOfDay {
    earlier: u32,
    today: u32,
    /// Which day that is, counted from the epoch.
    day: u32,
}

impl HoursOfDay {
    /// Notes the hour; whether no earlier day saw it or one beside it, although there was one.
    pub(crate) fn mark(&mut self, time: Timestamp) -> bool {
        let hour = u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX);
        if hour / 24 != self.day {
            self.earlier |= self.today;
            (self.day, self.today) = (hour / 24, 0);
        }
        let bit = 1u32 << (hour % 24);
        self.today |= bit;
        let near = bit | (bit << 1) | (bit >> 1) | ((bit & 1) << 23) | (bit >> 23);
        self.earlier != 0 && self.earlier & near == 0
    }

    /// Takes over what another sensor knows: an hour counts that any day of either saw.
    pub(super) fn join(&mut self, other: Self) {
        let day = self.day.max(other.day);
        let today = |of: Self| if of.day == day { of.today } else { 0 };
        let before = |of: Self| of.earlier | (of.today & !today(of));
        *self = Self {
            earlier: before(*self) | before(other),
            today: today(*self) | today(other),
            day,
        };
    }

    /// Whether today is later than a time.
    pub(super) fn is_after(self, latest: Timestamp) -> bool {
        u64::from(self.day) > latest.as_secs() / 86_400
    }

    /// An alert is open: today teaches nothing so far.
    pub(crate) const fn taint(&mut self) {
        self.today = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_odd_when_earlier_days_saw_only_others() {
        let at = |day: u64, hour: u64| Timestamp::from_parts(day * 86_400 + hour * 3600, 0);
        let mut hours = HoursOfDay::default();
        assert!(!hours.mark(at(20_000, 23)), "nothing is known yet");
        assert!(!hours.mark(at(20_000, 3)), "the same day proves nothing");
        assert!(!hours.mark(at(20_001, 0)), "beside 23");
        assert!(!hours.mark(at(20_001, 4)));
        assert!(hours.mark(at(20_001, 12)));
        assert!(!hours.mark(at(20_002, 12)));
    }
}
