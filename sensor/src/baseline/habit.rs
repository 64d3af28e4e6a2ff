//! One asset's habit at one place.
//!
//! After the learning time a day teaches once it is over, if no alert about the place was open on it,
//! and what is usual there may at most double within a week.

use serde::{Deserialize, Serialize};

use super::HoursOfDay;
use crate::time::Timestamp;

/// From so many hours known on, a place is trusted: its own past is the measure, and no more of
/// what is usual for a new one.
pub const TRUSTED_HOURS: u8 = 7;

/// Days of history that are kept.
const DAYS: usize = 30;

/// What was usual so many days ago or before is the measure for what a day may teach: so many times
/// as much.
const STEADY_DAYS: usize = 7;
const GROWTH: u32 = 2;

/// What one asset does at one place: 64 bytes, and 128 more once it came on a second day.
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
    /// What today was so far.
    #[serde(default)]
    met: Met,
    /// Whether an alert was open today: then the day is not learned.
    #[serde(default)]
    tainted: bool,
    /// KiB out on the days before, a ring by day number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<Box<Earlier>>,
}

/// How a place was met on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Met {
    /// No session began, or it is the first day of all.
    #[default]
    Not,
    /// In the learning time.
    Learning,
    /// After it.
    Watching,
}

/// Days before today, a ring by day number, in KiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Earlier {
    /// What left, alerts or not.
    out: [u32; DAYS],
    /// The same without the days on which an alert was open.
    usual: [u32; DAYS],
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
        let earlier = self.earlier.as_ref().map_or(0, |earlier| {
            let back = (1..days.min(DAYS)).map(|back| slot(self.day, back));
            back.map(|slot| kib(&earlier.out, slot)).sum()
        });
        self.today.saturating_add(earlier)
    }

    /// The largest number of bytes out in one of the last 30 days before today without an alert.
    pub fn largest_day(&self) -> u64 {
        let days = self.earlier.iter().flat_map(|earlier| earlier.usual);
        days.max().map_or(0, |kib| u64::from(kib) << 10)
    }

    /// Days on which an alert about the place was open, today included.
    pub fn alert_days(&self) -> u16 {
        self.alert_days.saturating_add(u16::from(self.tainted))
    }

    /// A session begins; whether no earlier day saw one at this time of the day.
    pub(super) fn visit(&mut self, time: Timestamp, learning: bool) -> bool {
        self.roll(time);
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
            self.met = Met::Learning;
        } else if self.first_seen / 86_400 != u64::from(self.day) && self.met == Met::Not {
            self.met = Met::Watching;
        }
    }

    /// Bytes go out.
    pub(super) fn send(&mut self, time: Timestamp, bytes: u64) {
        self.roll(time);
        self.today = self.today.saturating_add(bytes);
    }

    /// An alert is open: today teaches nothing.
    pub(super) fn taint(&mut self) {
        self.tainted = true;
        self.hours_of_day.taint();
    }

    /// Today is over: what it teaches.
    fn learn_day(&mut self) {
        let teaches = self.met == Met::Watching && !self.tainted;
        self.hours = self.hours.saturating_add(u8::from(teaches));
        self.days = self.days.saturating_add(u8::from(teaches));
        self.alert_days = self.alert_days();
    }

    /// The most that today may teach as a usual day, in KiB; no bound while there is no measure for it.
    fn most_taught(&self) -> u32 {
        let days = (STEADY_DAYS..DAYS).map(|back| slot(self.day, back));
        let usual = self.earlier.iter().flat_map(|earlier| {
            days.clone().map(|slot| earlier.usual.get(slot).copied().unwrap_or_default())
        });
        match usual.max() {
            Some(1..) if self.met == Met::Learning => u32::MAX,
            Some(most @ 1..) => most.saturating_mul(GROWTH),
            _ => u32::MAX,
        }
    }

    /// Goes on to the day of `time`.
    fn roll(&mut self, time: Timestamp) {
        self.last_seen = self.last_seen.max(time.as_secs());
        let day = day(time);
        if day <= self.day {
            return;
        }
        self.learn_day();
        let most = self.most_taught();
        let empty = || Box::new(Earlier { out: [0; DAYS], usual: [0; DAYS] });
        let earlier = self.earlier.get_or_insert_with(empty);
        let sent = u32::try_from(self.today.div_ceil(1024)).unwrap_or(u32::MAX);
        let idle = (self.day + 1..day).take(DAYS).map(|idle| (idle, 0));
        for (day, sent) in [(self.day, sent)].into_iter().chain(idle) {
            let slot = slot(day, 0);
            if let (Some(out), Some(usual)) =
                (earlier.out.get_mut(slot), earlier.usual.get_mut(slot))
            {
                *out = sent;
                *usual = if self.tainted { 0 } else { sent.min(most) };
            }
        }
        (self.day, self.today, self.tainted, self.met) = (day, 0, false, Met::Not);
    }
}

fn day(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs() / 86_400).unwrap_or(u32::MAX)
}

/// Where the day `back` days before `day` stands in a ring.
fn slot(day: u32, back: usize) -> usize {
    (day as usize).wrapping_sub(back) % DAYS
}

fn kib(days: &[u32; DAYS], slot: usize) -> u64 {
    days.get(slot).map_or(0, |kib| u64::from(*kib) << 10)
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

    /// Fails when an upload that grows a little every day becomes usual within days.
    #[test]
    fn what_is_usual_doubles_at_most_once_a_week() {
        let mut habit = Habit::new(at(0, 9), true);
        for day in 0..7 {
            habit.visit(at(day, 9), true);
            habit.send(at(day, 9), 10 << 20);
        }
        let mut sent = 10u64 << 20;
        for day in 7..28 {
            sent = sent * 3 / 2;
            habit.visit(at(day, 9), false);
            habit.send(at(day, 10), sent);
        }
        habit.send(at(28, 0), 0);
        let usual = habit.largest_day() >> 20;
        assert!(sent > 10 << 30 && (20..=80).contains(&usual), "{usual} MiB after three weeks");
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
}
