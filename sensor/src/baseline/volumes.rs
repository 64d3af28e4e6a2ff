//! How much one series of an asset moved, hour by hour, over four weeks.
//!
//! An hour is a byte for what moved in it and another for its busiest 10 min and 1 min, as [`size`]
//! has them. An hour of which nothing is known (the sensor was down, the mirror silent, an alert
//! open) is told apart from one in which nothing moved.

use serde::{Deserialize, Serialize};

use kept::Kept;
pub(crate) use size::WORTH;
use size::{Hour, Shorter, Size};

mod join;
mod kept;
mod size;

/// Hours that are kept: four weeks, so that each hour of the week was seen four times.
const HOURS: usize = 4 * WEEK as usize;
/// Days that are kept.
const DAYS: usize = 28;
/// Hours in a week.
const WEEK: u32 = 168;
/// Hours that moved much with one peer, of which the peer is kept.
const JOBS: usize = 64;

/// What one series moved: 0.7 KiB, as much again once anything was told by shorter windows, and 12
/// bytes for each hour with a peer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Volumes {
    /// The hour after the last that is over, since the epoch.
    next: u32,
    /// The largest sum over 1 h that each hour saw, a ring by hour number.
    hours: [Size; HOURS],
    /// Those over 10 min and 1 min; none while they were the same.
    shorter: Option<Box<[Shorter; HOURS]>>,
    /// The largest sums over 24 h that each day saw, a ring by day number.
    days: [Size; DAYS],
    /// Hours that moved much, oldest first.
    jobs: Vec<Job>,
}

/// An hour that moved much, and with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    hour: u32,
    /// A hash of the peer that moved most of it.
    peer: u32,
    largest: Hour,
}

/// What an hour moved, told at its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    /// The largest sums over 1 min, 10 min, 1 h and 24 h.
    pub(crate) largest: [u64; 4],
    /// Who moved most of it, where it was much.
    pub(crate) peer: Option<u32>,
    /// An alert speaks against it: not to be learned, from nobody else either.
    pub(crate) spoiled: bool,
}

impl std::fmt::Debug for Volumes {
    /// Without its thousands of numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Volumes");
        debug.field("next", &self.next).field("known_hours", &self.known_hours());
        debug.field("jobs", &self.jobs.len()).finish_non_exhaustive()
    }
}

impl Default for Volumes {
    fn default() -> Self {
        let (hours, days) = ([Size::UNKNOWN; HOURS], [Size::UNKNOWN; DAYS]);
        Self { next: 0, hours, shorter: None, days, jobs: Vec::new() }
    }
}

impl Volumes {
    /// The hour that comes after all that was told.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// The largest hour, in bytes.
    pub fn largest_hour(&self) -> u64 {
        self.hours.iter().map(|hour| hour.bytes()).max().unwrap_or(0)
    }

    /// The most that moved in 1 h of an hour that is kept; none where that is not known.
    pub(crate) fn moved(&self, hour: u32) -> Option<u64> {
        let [.., of_hour] = self.kept(hour);
        of_hour.is_known().then(|| of_hour.bytes())
    }

    /// Hours of which it is known what they moved, nothing included.
    pub(crate) fn known_hours(&self) -> u64 {
        self.hours.iter().filter(|hour| hour.is_known()).count() as u64
    }

    /// Goes on to `hour`: what was not told until then was idle, or is not known.
    pub(crate) fn skip_to(&mut self, hour: u32, is_known: impl Fn(u32) -> bool) {
        let first = self.next.max(hour.saturating_sub(HOURS as u32));
        for skipped in first..hour {
            let size = if is_known(skipped) { Size::IDLE } else { Size::UNKNOWN };
            self.set(skipped, [size; 3]);
            if skipped / 24 != skipped.saturating_sub(1) / 24 {
                self.set_day(skipped / 24, size);
            }
        }
        self.next = self.next.max(hour);
        let old = self.next.saturating_sub(HOURS as u32);
        self.jobs.retain(|job| job.hour >= old);
    }

    /// Takes what `hour` moved; hours come in order.
    pub(crate) fn tell(&mut self, hour: u32, told: Told) {
        if hour < self.next {
            return;
        }
        if hour / 24 != self.next.saturating_sub(1) / 24 {
            self.set_day(hour / 24, Size::UNKNOWN);
        }
        self.next = hour.saturating_add(1);
        if told.spoiled {
            self.set(hour, [Size::SPOILED; 3]);
            return;
        }
        let [minute, ten_minutes, one_hour, day] = told.largest.map(Size::of);
        let largest = [minute, ten_minutes, one_hour];
        self.set(hour, largest);
        self.set_day(hour / 24, day);
        if let Some(peer) = told.peer {
            if self.jobs.len() >= JOBS {
                self.jobs.remove(0);
            }
            // To the bound in steps of a week of nights.
            if self.jobs.len() == self.jobs.capacity() {
                self.jobs.reserve_exact(7);
            }
            self.jobs.push(Job { hour, peer, largest });
        }
    }

    /// Forgets what was told of `hour` and later: it was no habit.
    pub(crate) fn unlearn(&mut self, hour: u32) {
        for told in hour.max(self.next.saturating_sub(HOURS as u32))..self.next {
            self.set(told, [Size::SPOILED; 3]);
            self.set_day(told / 24, Size::SPOILED);
        }
        self.jobs.retain(|job| job.hour < hour);
    }

    /// Logarithms of what the hours moved that moved anything, over a window of up to 1 h by its place.
    pub(crate) fn all(&self, window: usize) -> impl Iterator<Item = f64> {
        (0..HOURS).filter_map(move |slot| self.slot(slot)?.get(window)?.logarithm())
    }

    /// The same of this hour of the week and those beside it.
    pub(crate) fn same_hour(&self, hour: u32, window: usize) -> impl Iterator<Item = f64> {
        let weeks = (1..=HOURS as u32 / WEEK).flat_map(move |week| {
            let at = hour.checked_sub(week * WEEK)?;
            Some([at.wrapping_sub(1), at, at + 1])
        });
        let is_kept = move |at: &u32| *at < self.next && at + HOURS as u32 >= self.next;
        let hours = weeks.flatten().filter(is_kept);
        hours.filter_map(move |at| self.hour(at)?.get(window)?.logarithm())
    }

    /// Logarithms of what days moved that moved anything.
    pub(crate) fn days(&self) -> impl Iterator<Item = f64> {
        self.days.iter().filter_map(|day| day.logarithm())
    }

    /// The two largest days, in bytes.
    pub(crate) fn largest_days(&self) -> [u64; 2] {
        largest_two(self.days.iter().map(|day| day.bytes()))
    }

    /// What hours moved with a peer: at the time of day of `hour` or an hour beside it, and at any.
    /// The two largest of different days each, largest first, in bytes.
    pub(crate) fn precedents(&self, hour: u32, peer: u32, window: usize) -> [[u64; 2]; 2] {
        let of = |is_meant: fn(u32) -> bool| {
            let mut days: Vec<(u32, u64)> = Vec::new();
            let jobs = self.jobs.iter().filter(|job| job.peer == peer);
            for job in jobs.filter(|job| self.kept(job.hour) != [Size::SPOILED; 3]) {
                let apart = hour.saturating_sub(job.hour);
                let bytes = job.largest.get(window).map_or(0, |size| size.bytes());
                if apart < 2 || !is_meant(apart) {
                    continue;
                }
                // A job that goes on over midnight is one.
                match days.iter_mut().find(|(day, _)| *day == (apart + 1) / 24) {
                    Some((_, largest)) => *largest = bytes.max(*largest),
                    None => days.push(((apart + 1) / 24, bytes)),
                }
            }
            largest_two(days.into_iter().map(|(_, bytes)| bytes))
        };
        [of(|apart| matches!(apart % 24, 0 | 1 | 23)), of(|_| true)]
    }

    fn hour(&self, hour: u32) -> Option<Hour> {
        self.slot(hour as usize % HOURS)
    }

    /// What is known of an hour, which may be one that is not kept.
    fn kept(&self, hour: u32) -> Hour {
        let is_kept = hour < self.next && hour.saturating_add(HOURS as u32) >= self.next;
        self.hour(hour).filter(|_| is_kept).unwrap_or_default()
    }

    fn slot(&self, slot: usize) -> Option<Hour> {
        let hour = *self.hours.get(slot)?;
        let shorter = self.shorter.as_ref().and_then(|shorter| shorter.get(slot));
        Some(shorter.copied().unwrap_or_default().hour(hour))
    }

    fn set(&mut self, hour: u32, sizes: Hour) {
        let slot = hour as usize % HOURS;
        let shorter = Shorter::of(sizes);
        if self.shorter.is_none() && shorter != Shorter::default() {
            self.shorter = Some(Box::new([Shorter::default(); HOURS]));
        }
        if let Some(place) = self.shorter.as_mut().and_then(|of| of.get_mut(slot)) {
            *place = shorter;
        }
        if let Some(place) = self.hours.get_mut(slot) {
            [.., *place] = sizes;
        }
    }

    fn set_day(&mut self, day: u32, size: Size) {
        if let Some(slot) = self.days.get_mut(day as usize % DAYS) {
            *slot = size;
        }
    }
}

fn largest_two(bytes: impl Iterator<Item = u64>) -> [u64; 2] {
    bytes.fold([0, 0], |[first, second], bytes| match () {
        () if bytes > first => [bytes, first],
        () if bytes > second => [first, bytes],
        () => [first, second],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: u64, peer: Option<u32>) -> Told {
        Told { largest: [bytes / 10, bytes / 2, bytes, bytes], peer, spoiled: false }
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let mut volumes = Volumes::default();
        for hour in 480_000..481_000 {
            volumes
                .tell(hour, told(u64::from(hour % 7) * 1_000_000, (hour % 24 == 2).then_some(9)));
        }
        let text = serde_json::to_string(&volumes).unwrap();
        assert_eq!(serde_json::from_str::<Volumes>(&text).unwrap(), volumes);
        assert!(text.len() < 4000, "{}", text.len());
    }

    #[test]
    fn what_the_version_before_kept_as_numbers_is_read() {
        let text = r#"{"next":480003,"hours":[[2,9,16],[0,0,0],[1,1,1]],"days":[7],
            "jobs":[[480000,5,[2,9,16]]]}"#;
        let volumes: Volumes = serde_json::from_str(text).unwrap();
        let known: Vec<_> = (479_999..480_003).map(|hour| volumes.moved(hour)).collect();
        assert_eq!(known, [None, Some(Size(16).bytes()), None, Some(0)]);
        assert_eq!(volumes.all(0).count(), 1);
        assert_eq!(volumes.largest_days(), [Size(7).bytes(), 0]);
        assert!(volumes.precedents(480_050, 5, 2)[1][0] > 0);
    }

    #[test]
    fn what_earlier_versions_kept_is_taken_over() {
        let text = r#"[{"index":960004,"largest":[3000,4000,5000],"peer":7},
            {"index":960005,"largest":[3100,3900,5000],"peer":7},
            {"index":960052,"largest":[3000,4000,5256],"peer":7}]"#;
        let volumes: Volumes = serde_json::from_str(text).unwrap();
        assert_eq!((volumes.next(), volumes.known_hours()), (480_027, 2));
        let [same_hour, any] = volumes.precedents(480_050, 7, 2);
        assert_eq!(same_hour, any);
        let half_hour = (5000.0f64 / 256.0).exp();
        let ratio = |bytes: u64, times: f64| bytes as f64 / (times * half_hour);
        assert!((ratio(same_hour[0], 1.0f64.exp()) - 1.0).abs() < 0.05, "{same_hour:?}");
        assert!((ratio(same_hour[1], 2.0) - 1.0).abs() < 0.05, "two halves make an hour");
    }

    #[test]
    fn an_hour_not_known_is_none_that_was_idle() {
        let mut volumes = Volumes::default();
        volumes.tell(480_000, told(5_000_000, None));
        volumes.skip_to(480_010, |hour| hour < 480_004);
        assert_eq!(volumes.known_hours(), 4);
        volumes.tell(480_010, Told { spoiled: true, ..told(9_000_000_000, Some(1)) });
        assert_eq!((volumes.known_hours(), volumes.all(2).count()), (4, 1));
        volumes.tell(480_011, told(8_000_000, Some(3)));
        volumes.unlearn(480_011);
        assert_eq!(volumes.all(2).count(), 1);
        assert_eq!(volumes.precedents(480_035, 3, 2), [[0; 2]; 2]);
        volumes.skip_to(u32::MAX, |_| true);
        assert_eq!(volumes.all(2).count(), 0, "four weeks later it is forgotten");
    }

    #[test]
    fn an_hour_of_the_week_is_known_by_itself_and_those_beside_it() {
        let mut volumes = Volumes::default();
        for hour in 480_000..480_000 + 4 * WEEK {
            volumes.tell(hour, told(if hour % WEEK == 5 { 1 << 33 } else { 2_000_000 }, None));
        }
        let hour = 480_000 + 4 * WEEK;
        let large = (hour..hour + WEEK)
            .filter(|hour| volumes.same_hour(*hour, 2).filter(|moved| *moved > 20.0).count() >= 3);
        assert_eq!(large.map(|hour| hour % WEEK).collect::<Vec<_>>(), [4, 5, 6]);
    }
}
