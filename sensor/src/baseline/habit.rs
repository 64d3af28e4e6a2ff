//! One asset's habit at one place.
//!
//! After the learning time a day teaches once it is over, if no alert about the place was open on it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::HoursOfDay;
use crate::time::Timestamp;
use earlier::{DAYS, Earlier};

mod earlier;
mod join;

/// From so many hours known on, a place is trusted: its own past is the measure, and no more of
/// what is usual for a new one.
pub const TRUSTED_HOURS: u8 = 7;

/// After learning one day makes so much more usual, in parts of what was usual: two weeks of patience
/// buy an intruder seven times what he had.
const GROWTH: f64 = 1.15;
/// Days in which nothing becomes usual at a place that was first seen after learning: so long a sum of
/// all that went there is held against what a new place may take.
const FRESH: u32 = 30;
/// What is always usual, in KiB.
const ALWAYS: u32 = 256;
/// After so many days away a place begins to be less known, and after so many it is new again.
const AWAY: [u32; 2] = [30, 90];

/// What one asset does at one place: 72 bytes, and 64 more once it came on a second day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    /// First and last visit, in seconds since the epoch.
    pub first_seen: u64,
    /// Last visit.
    pub last_seen: u64,
    /// Distinct hours that count as knowing the place: those of the learning time, and one for each of
    /// `days`.
    pub hours: u8,
    /// Days after the learning time that count.
    #[serde(default)]
    pub days: u8,
    /// Whether it was visited in the learning time.
    pub learned: bool,
    /// Days on which an alert about the place was open, those that are over.
    #[serde(default)]
    alert_days: u16,
    /// Sessions.
    pub sessions: u32,
    /// Hours of the day (UTC) in which it was visited on earlier days, and today.
    #[serde(default)]
    hours_of_day: HoursOfDay,
    /// The day of `today`, counted from the epoch.
    day: u32,
    /// Bytes out in that day (UTC).
    today: u64,
    /// The last hour of the learning time that was counted, since the epoch.
    hour: u32,
    /// Whether today counts once it is over: a session began after the learning time, and it is not the
    /// first day of all.
    #[serde(default)]
    met: bool,
    /// Whether an alert was open today: then the day is not learned.
    #[serde(default)]
    tainted: bool,
    /// Whether today is of the time of learning.
    #[serde(default)]
    teaching: bool,
    /// The size of the largest day, as [`super::places`] has counted it.
    #[serde(skip)]
    pub(super) size: u8,
    /// KiB out that are usual in a day; what versions before wrote has none.
    #[serde(default)]
    level: Option<NonZeroU32>,
    /// What went out on the days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<Box<Earlier>>,
}

impl Habit {
    /// A first visit.
    pub(super) fn new(time: Timestamp, learning: bool) -> Self {
        let seconds = time.as_secs();
        Self {
            first_seen: seconds,
            last_seen: seconds,
            learned: learning,
            day: day(time),
            ..Self::default()
        }
    }

    /// Whether its own past says what is usual here.
    pub fn is_trusted(&self) -> bool {
        self.learned || self.hours >= TRUSTED_HOURS
    }

    /// Bytes out today (UTC).
    pub fn today(&self) -> u64 {
        self.today
    }

    /// Bytes out in the last `days` days, today included; at most 30.
    pub fn total(&self, days: usize) -> u64 {
        let earlier = self
            .earlier
            .as_ref()
            .map_or(0, |earlier| (1..days.min(DAYS)).map(|back| earlier.out(self.day, back)).sum());
        self.today.saturating_add(earlier)
    }

    /// The largest number of bytes out in one of the last 30 days before today without an alert.
    pub fn largest_day(&self) -> u64 {
        u64::from(self.largest_kib()) << 10
    }

    fn largest_kib(&self) -> u32 {
        self.earlier.as_ref().map_or(0, |earlier| earlier.largest())
    }

    /// Bytes out that are usual in a day: as the largest of them, but after the time of learning a
    /// day raises it by a seventh at most, so that nobody is led up step by step.
    pub fn usual_day(&self) -> u64 {
        let largest = self.largest_day();
        self.level.map_or(largest, |kib| largest.min(u64::from(kib.get()) << 10))
    }

    /// Days on which an alert about the place was open, today included.
    pub fn alert_days(&self) -> u16 {
        self.alert_days.saturating_add(u16::from(self.tainted))
    }

    /// A session begins; whether no earlier day saw one at this time of the day.
    pub(super) fn visit(&mut self, time: Timestamp, learning: bool) -> bool {
        self.roll(time);
        self.teaching |= learning;
        let odd_hour = self.hours_of_day.mark(time);
        self.count(time, learning);
        odd_hour
    }

    fn count(&mut self, time: Timestamp, learning: bool) {
        self.sessions = self.sessions.saturating_add(1);
        let hour = u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX);
        if learning {
            self.learned = true;
            self.hours = self.hours.saturating_add(u8::from(hour != self.hour));
            self.hour = hour;
        } else {
            self.met |= self.first_seen / 86_400 != u64::from(self.day);
        }
    }

    /// Bytes go out; how many of them are more than what is usual here.
    pub(super) fn send(&mut self, time: Timestamp, bytes: u64) -> u64 {
        self.roll(time);
        let usual = if self.is_trusted() { self.usual_day().saturating_mul(2) } else { 0 };
        let before = self.today.max(usual);
        self.today = self.today.saturating_add(bytes);
        self.today.saturating_sub(before)
    }

    /// An alert is open: today teaches nothing.
    pub(super) fn taint(&mut self) {
        self.tainted = true;
        self.hours_of_day.taint();
    }

    /// Goes on to `time`.
    fn roll(&mut self, time: Timestamp) {
        self.last_seen = self.last_seen.max(time.as_secs());
        let day = day(time);
        if day > self.day {
            self.turn(day);
        }
    }

    /// Goes on to a day.
    #[cold]
    fn turn(&mut self, day: u32) {
        let sent = self.today_kib();
        self.teach(sent);
        let earlier = self.earlier.get_or_insert_default();
        earlier.set(self.day, sent, self.tainted);
        (self.day + 1..day).take(DAYS).for_each(|idle| earlier.set(idle, 0, false));
        self.count_day();
        self.fade(day - self.day);
        (self.day, self.today) = (day, 0);
        (self.tainted, self.teaching, self.met) = (false, false, false);
    }

    fn today_kib(&self) -> u32 {
        u32::try_from(self.today.div_ceil(1024)).unwrap_or(u32::MAX)
    }

    /// Today is over: whether it counts as knowing the place. One of the learning time has counted.
    fn count_day(&mut self) {
        let counts = self.met && !self.teaching && !self.tainted;
        self.hours = self.hours.saturating_add(u8::from(counts));
        self.days = self.days.saturating_add(u8::from(counts));
        self.alert_days = self.alert_days();
    }

    /// A place to which nobody went for long is less known.
    fn fade(&mut self, away: u32) {
        let [from, to] = AWAY;
        let left = to.saturating_sub(away.max(from));
        self.hours = (u32::from(self.hours) * left / (to - from)) as u8;
        self.learned &= self.hours > 0 || away <= from;
        self.days = self.days.min(self.hours);
    }

    /// Whether it is as good as none: nobody came for a quarter of a year.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.as_secs().saturating_sub(self.last_seen) > u64::from(AWAY[1]) * 86_400
    }

    /// What is usual in a day follows what `sent`, in KiB, left on the one that ends.
    fn teach(&mut self, sent: u32) {
        let largest = self.largest_kib();
        let level = self.level.map_or(largest, |level| largest.min(level.get())).max(ALWAYS);
        let age = u64::from(self.day).saturating_sub(self.first_seen / 86_400);
        let is_fresh = !self.learned && age < u64::from(FRESH);
        let most = match () {
            () if self.tainted || is_fresh => level,
            () if self.teaching => u32::MAX,
            () => (f64::from(level) * GROWTH) as u32,
        };
        self.level = NonZeroU32::new(level.max(sent.min(most)));
    }
}

fn day(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs() / 86_400).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u64, hour: u64) -> Timestamp {
        Timestamp::from_parts((20_000 + day) * 86_400 + hour * 3600, 0)
    }

    #[test]
    fn one_day_after_learning_teaches_one_hour() {
        let mut habit = Habit::new(at(0, 0), false);
        for hour in 0..24 {
            habit.visit(at(0, hour), false);
        }
        assert_eq!(habit.hours, 0, "the first day teaches nothing");
        for day in 1..=7 {
            assert!(!habit.is_trusted());
            for hour in 0..24 {
                habit.visit(at(day, hour), false);
            }
        }
        assert!(!habit.is_trusted(), "the last day is not over");
        habit.visit(at(8, 0), false);
        assert!(habit.is_trusted());
        assert_eq!((habit.hours, habit.days), (7, 7));
    }

    /// Fails when the first visit of a day counts although the alert is still open.
    #[test]
    fn days_with_an_open_alert_teach_neither_trust_nor_hours_of_the_day() {
        let mut habit = Habit::new(at(0, 9), false);
        for day in 0..20 {
            let odd = habit.visit(at(day, 9), false);
            habit.taint();
            assert!(!odd, "nothing else was ever learned");
        }
        habit.visit(at(20, 9), false);
        assert_eq!((habit.hours, habit.alert_days()), (0, 20));
        assert!(!habit.is_trusted());
        habit.visit(at(21, 9), false);
        assert!(habit.visit(at(22, 3), false), "what is known is the clean day at 9");
        assert_eq!(habit.hours, 2);
    }

    #[test]
    fn every_hour_of_learning_counts_once() {
        let mut habit = Habit::new(at(0, 0), true);
        for hour in [1, 1, 2, 2, 3] {
            habit.visit(at(0, hour), true);
        }
        assert_eq!((habit.hours, habit.is_trusted()), (3, true));
    }

    #[test]
    fn days_add_up_and_the_tainted_are_not_usual() {
        let mut habit = Habit::new(at(0, 0), false);
        habit.send(at(0, 1), 1 << 20);
        habit.send(at(1, 1), 2 << 20);
        habit.send(at(2, 1), 9 << 20);
        habit.taint();
        habit.send(at(3, 1), 1024);
        assert_eq!(habit.today(), 1024);
        assert_eq!(habit.total(2), (9 << 20) + 1024);
        assert_eq!(habit.total(7), (12 << 20) + 1024);
        assert_eq!(habit.largest_day(), 2 << 20);
        habit.send(at(1000, 0), 1);
        assert_eq!((habit.total(30), habit.largest_day()), (1, 0), "all of it is long ago");
    }

    #[test]
    fn a_day_of_learning_is_usual_at_once_and_later_growth_is_believed_slowly() {
        let mut habit = Habit::new(at(0, 0), true);
        habit.visit(at(0, 1), true);
        assert_eq!(habit.send(at(0, 1), 50 << 20), 50 << 20, "nothing is usual yet");
        assert_eq!(habit.send(at(1, 1), 60 << 20), 0);
        assert_eq!(habit.usual_day(), 50 << 20);
        for day in 1..15 {
            habit.send(at(day, 2), 50 << (20 + day / 2));
        }
        habit.send(at(15, 1), 1);
        assert_eq!(habit.largest_day(), 50 << 27);
        assert!((5..8).contains(&(habit.usual_day() / (50 << 20))), "{}", habit.usual_day());
        habit.send(at(60, 1), 1);
        assert!(habit.usual_day() <= 256 << 10, "and what was long ago is not usual");
    }

    #[test]
    fn a_place_nobody_went_to_for_long_is_less_known() {
        let mut habit = Habit::new(at(0, 0), true);
        (0..20).for_each(|hour| _ = habit.visit(at(0, hour), true));
        habit.visit(at(30, 1), false);
        assert_eq!((habit.hours, habit.learned), (20, true));
        habit.visit(at(90, 1), false);
        assert!((9..11).contains(&habit.hours) && habit.is_trusted(), "{}", habit.hours);
        assert!(habit.is_over(at(181, 2)) && !habit.is_over(at(179, 2)));
        habit.visit(at(180, 3), false);
        assert_eq!((habit.hours, habit.is_trusted()), (0, false));
    }

    #[test]
    fn what_earlier_versions_kept_means_the_same() {
        let mut habit = Habit::new(at(0, 0), false);
        (0..9).for_each(|day| _ = habit.visit(at(day, 1), false));
        habit.send(at(9, 1), 9 << 20);
        habit.send(at(10, 1), 1);
        let mut kept = serde_json::to_value(&habit).unwrap();
        for added in ["level", "teaching", "met", "days", "alert_days"] {
            kept.as_object_mut().unwrap().remove(added);
        }
        let read: Habit = serde_json::from_value(kept).unwrap();
        assert_eq!((read.usual_day(), read.is_trusted()), (9 << 20, true));
    }
}
