//! What two sensors know of one habit, as one.

use super::{DAYS, Earlier, Habit};
use crate::baseline::{Rounded, earliest};
use crate::time::Timestamp;

impl Habit {
    /// Takes over what another sensor knows.
    ///
    /// Nothing becomes more than one of them had: not the hours, not the days, and not the level, which
    /// grows by a seventh a day at most and so, as the larger one of the later day, still has. What went
    /// out on a day is the larger; it teaches nothing where an alert was open at either.
    pub(in super::super) fn join(&mut self, other: &Self) {
        let alert_days = self.alert_days().max(other.alert_days());
        self.earlier = self.earlier_with(other);
        self.join_today(other);
        // Today's is told apart.
        self.alert_days = alert_days.saturating_sub(u16::from(self.tainted));
        self.first_seen = earliest(self.first_seen, other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.hours = self.hours.max(other.hours);
        self.days = self.days.max(other.days);
        self.learned |= other.learned;
        self.sessions = self.sessions.max(other.sessions);
        self.hours_of_day.join(other.hours_of_day);
        self.hour = self.hour.max(other.hour);
        self.level = self.level.max(other.level);
    }

    /// What was taken for the learning time was none: what counts is what would have counted after it.
    pub(in super::super) fn unlearn(&mut self) {
        (self.learned, self.teaching) = (false, false);
        self.hours = self.days;
        self.level = std::num::NonZeroU32::new(super::ALWAYS);
    }

    /// Whether any of it is after a time.
    pub(in super::super) fn is_after(&self, latest: Timestamp) -> bool {
        self.first_seen.max(self.last_seen) > latest.as_secs()
            || self.day > super::day(latest)
            || u64::from(self.hour) > latest.as_secs() / 3600
            || self.hours_of_day.is_after(latest)
    }

    /// Today is that of the later day; where it is the same, what speaks against learning it counts.
    fn join_today(&mut self, other: &Self) {
        if other.day > self.day {
            (self.day, self.today) = (other.day, other.today);
            (self.met, self.tainted, self.teaching) = (other.met, other.tainted, other.teaching);
        } else if other.day == self.day {
            self.today = self.today.max(other.today);
            self.met |= other.met;
            self.tainted |= other.tainted;
            self.teaching &= other.teaching;
        }
    }

    /// The days before the later of both todays; the other today is one of them.
    fn earlier_with(&self, other: &Self) -> Option<Box<Earlier>> {
        if self.earlier.is_none() && other.earlier.is_none() && self.day == other.day {
            return None;
        }
        let today = self.day.max(other.day);
        let mut earlier = Box::<Earlier>::default();
        for day in today.saturating_sub(DAYS as u32)..today {
            let ((out, tainted), (theirs, is_theirs)) = (self.on(day), other.on(day));
            earlier.put(day, out.max(theirs), tainted | is_theirs);
        }
        Some(earlier)
    }

    /// What went out on a day that is over for one of two, and whether an alert was open.
    fn on(&self, day: u32) -> (Rounded, bool) {
        match (self.day.checked_sub(day), &self.earlier) {
            (Some(0), _) => (Rounded::of(u64::from(self.today_kib())), self.tainted),
            (Some(back), Some(earlier)) if back as usize <= DAYS => earlier.on(day),
            _ => (Rounded::default(), false),
        }
    }
}
