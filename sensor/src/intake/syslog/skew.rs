//! How far the clocks of senders are off, by the times in their messages and when these arrived.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;

use crate::time::Timestamp;

/// A clock that is off by more is worth a word.
pub const NOTABLE: Duration = Duration::from_secs(60);
/// Messages of a host that are remembered.
const MESSAGES: usize = 16;
/// Hosts that are remembered at least, and half of those at most.
const HOSTS: usize = 2048;
/// A message that says it is older than this when it arrives does not know the time.
const OLDEST: Duration = Duration::from_secs(86_400);

/// What is known of the clocks of hosts. Bounded: hosts not heard of for longest are forgotten.
#[derive(Debug, Default)]
pub struct Skews {
    hasher: RandomState,
    recent: HashMap<u64, Clock, RandomState>,
    before: HashMap<u64, Clock, RandomState>,
    /// How far the clock is ahead that was corrected last.
    last_ahead: i64,
}

/// The last differences between arrival and stated time, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    behind: [i64; MESSAGES],
    known: usize,
    next: usize,
    is_told: bool,
}

/// A clock that was found to be off for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Off {
    /// By how much.
    pub by: Duration,
    /// Whether it is ahead of this sensor's.
    pub is_ahead: bool,
}

impl Skews {
    /// When a message was written, by this sensor's clock: as it states itself, corrected by what its
    /// host's clock is off, and never after its arrival. With it, whether that clock is notably off,
    /// once a host.
    pub fn correct(
        &mut self,
        peer: Option<IpAddr>,
        host: Option<&str>,
        stated: Timestamp,
        arrival: Timestamp,
    ) -> (Timestamp, Option<Off>) {
        let clock = self.clock(self.hasher.hash_one((peer, host)));
        clock.heard(difference(arrival, stated));
        let behind = clock.behind();
        let last_ahead = behind.saturating_neg();
        let by = Duration::from_nanos(behind.unsigned_abs());
        let time = if behind < 0 { stated.minus(by) } else { stated.plus(by) };
        let time = if arrival.since(time) > OLDEST { arrival } else { time.min(arrival) };
        let is_news = by > NOTABLE && clock.known == MESSAGES && !clock.is_told;
        clock.is_told |= is_news;
        self.last_ahead = last_ahead;
        (time, is_news.then_some(Off { by, is_ahead: behind < 0 }))
    }

    /// How far the clock is ahead that was corrected last, in nanoseconds.
    pub const fn last_ahead(&self) -> i64 {
        self.last_ahead
    }

    /// By how much the clock is off that is off the most, of those that are known well.
    pub fn largest(&self) -> Duration {
        let clocks = self.recent.values().chain(self.before.values());
        let clocks = clocks.filter(|clock| clock.known == MESSAGES);
        let largest = clocks.map(|clock| clock.behind().unsigned_abs()).max();
        Duration::from_nanos(largest.unwrap_or_default())
    }

    fn clock(&mut self, key: u64) -> &mut Clock {
        if self.recent.len() >= HOSTS && !self.recent.contains_key(&key) {
            self.before = std::mem::take(&mut self.recent);
        }
        let before = &mut self.before;
        self.recent.entry(key).or_insert_with(|| before.remove(&key).unwrap_or_default())
    }
}

impl Clock {
    fn heard(&mut self, behind: i64) {
        if let Some(place) = self.behind.get_mut(self.next) {
            *place = behind;
        }
        self.next = self.next.wrapping_add(1) % MESSAGES;
        self.known = self.known.saturating_add(1).min(MESSAGES);
    }

    /// The difference that a quarter of the last messages do not exceed. Messages that were long on
    /// their way only make differences larger, so the truth is at the lower end; but not the very
    /// lowest, which a single wild time would be.
    fn behind(&self) -> i64 {
        let mut known = self.behind;
        let known = known.get_mut(..self.known).unwrap_or_default();
        if known.is_empty() {
            return 0;
        }
        let (_, quarter, _) = known.select_nth_unstable(self.known / 4);
        *quarter
    }
}

/// `later` less `earlier`, in nanoseconds.
fn difference(later: Timestamp, earlier: Timestamp) -> i64 {
    let nanos = i128::from(later.as_nanos()).saturating_sub(earlier.as_nanos().into());
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own numbers")]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_795_000_000 + seconds, 0)
    }

    /// The time found for a message written at `written` by a clock that is `ahead`.
    fn correct(skews: &mut Skews, written: u64, delay: u64) -> (u64, Option<Off>) {
        let (stated, arrival) = (at(written).plus(HOUR), at(written + delay));
        let (time, off) = skews.correct(None, Some("esxi-01"), stated, arrival);
        (time.as_secs() - at(0).as_secs(), off)
    }

    #[test]
    fn a_clock_that_is_off_is_corrected_and_told_of_once() {
        let mut skews = Skews::default();
        let found: Vec<_> = (0..40).map(|second| correct(&mut skews, second, 0)).collect();
        assert!(found.iter().map(|(time, _)| *time).eq(0..40), "{found:?}");
        let told: Vec<_> = found.iter().filter_map(|(_, off)| *off).collect();
        assert_eq!(told, [Off { by: HOUR, is_ahead: true }]);
        assert_eq!(skews.largest(), HOUR);
    }

    #[test]
    fn what_was_long_on_its_way_keeps_its_time() {
        let mut skews = Skews::default();
        for second in 0..16 {
            correct(&mut skews, second, 1);
        }
        let (time, _) = correct(&mut skews, 100, 600);
        assert_eq!(time, 101, "the clock is off as before, and the message is late");
    }

    #[test]
    fn a_wild_time_moves_no_other_message() {
        let mut skews = Skews::default();
        let (host, second) = (Some("esxi-01"), Duration::from_secs(1));
        for written in 0..16 {
            skews.correct(None, host, at(written), at(written).plus(second));
        }
        for wild in [Timestamp::ZERO, Timestamp::MAX, at(1 << 24)] {
            let (time, _) = skews.correct(None, host, wild, at(100));
            assert_eq!(time, at(100), "of {wild} only the arrival is known");
        }
        let (time, off) = skews.correct(None, host, at(110), at(111));
        assert_eq!((time, off), (at(111), None));
    }

    #[test]
    fn hosts_that_were_not_heard_of_for_long_are_forgotten() {
        let mut skews = Skews::default();
        for host in 0..10 * HOSTS {
            skews.correct(None, Some(&host.to_string()), at(0), at(0));
            skews.correct(None, Some("esxi-01"), at(0), at(7));
        }
        assert!(skews.recent.len() + skews.before.len() <= 2 * HOSTS);
        assert_eq!(skews.largest(), Duration::from_secs(7), "who speaks often is remembered");
    }
}
