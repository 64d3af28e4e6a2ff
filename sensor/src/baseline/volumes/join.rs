//! What two sensors know of how much a series moved, as one.

use std::collections::BTreeMap;

use super::{DAYS, HOURS, Hour, JOBS, Job, Size, Volumes};

impl Volumes {
    /// Takes over what another sensor knows: of each hour and each day the larger, where an alert's word
    /// is larger than anything, so that what was not to be learned stays so; and the newest of the hours
    /// with a peer.
    ///
    /// An asset is seen by one sensor at a time, or by both ends of a path: the larger is what moved, and
    /// never more than one of them saw.
    pub(in super::super) fn join(&mut self, other: &Self) {
        let mut joined = Self { next: self.next.max(other.next), ..Self::default() };
        for hour in joined.next.saturating_sub(HOURS as u32)..joined.next {
            joined.set(hour, larger(self.kept(hour), other.kept(hour)));
        }
        if let Some(last) = joined.next.checked_sub(1).map(|hour| hour / 24) {
            for day in (last + 1).saturating_sub(DAYS as u32)..=last {
                joined.set_day(day, self.kept_day(day).max(other.kept_day(day)));
            }
        }
        joined.jobs = self.jobs_with(other, joined.next.saturating_sub(HOURS as u32));
        *self = joined;
    }

    /// Both sides' hours with a peer from `first` on, the newest [`JOBS`] of them, oldest first.
    fn jobs_with(&self, other: &Self, first: u32) -> Vec<Job> {
        let mut jobs: BTreeMap<(u32, u32), Hour> = BTreeMap::new();
        for job in self.jobs.iter().chain(&other.jobs).filter(|job| job.hour >= first) {
            let known = jobs.entry((job.hour, job.peer)).or_default();
            *known = larger(*known, job.largest);
        }
        let surplus = jobs.len().saturating_sub(JOBS);
        let newest = jobs.into_iter().skip(surplus);
        newest.map(|((hour, peer), largest)| Job { hour, peer, largest }).collect()
    }

    /// What is known of a day, which may be one that is not kept.
    fn kept_day(&self, day: u32) -> Size {
        let last = self.next.checked_sub(1).map(|hour| hour / 24);
        let is_kept = |last: u32| day <= last && day.saturating_add(DAYS as u32) > last;
        let slot = self.days.get(day as usize % DAYS).filter(|_| last.is_some_and(is_kept));
        slot.copied().unwrap_or_default()
    }
}

/// The one with the larger hour; its shorter sums come with it, because they are kept against that.
fn larger(one: Hour, other: Hour) -> Hour {
    let order = |[minute, ten_minutes, hour]: Hour| [hour, ten_minutes, minute];
    if order(other) > order(one) { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::super::Told;
    use super::*;

    fn told(bytes: u64, peer: Option<u32>) -> Told {
        Told { largest: [bytes; 4], peer, spoiled: false }
    }

    /// Fails when a join is a sum, so that two sensors on one path make twice the usual, or when hours
    /// that one of them knows are lost.
    #[test]
    fn the_larger_of_each_hour_counts_and_what_only_one_knows() {
        let (mut one, mut other) = (Volumes::default(), Volumes::default());
        for hour in 480_000..480_010 {
            one.tell(hour, told(50_000_000, None));
        }
        other.skip_to(480_005, |_| false);
        for hour in 480_005..480_020 {
            other.tell(hour, told(if hour < 480_010 { 20_000_000 } else { 0 }, None));
        }
        one.join(&other);
        assert_eq!((one.next(), one.known_hours()), (480_020, 20));
        let larger = Some(Size::of(50_000_000).bytes());
        assert!((480_000..480_010).all(|hour| one.moved(hour) == larger));
        assert_eq!(one.moved(480_015), Some(0));
    }

    /// Fails when what an alert spoke against at one sensor is usual by what another saw of it.
    #[test]
    fn what_an_alert_spoke_against_is_learned_from_nobody() {
        let (mut one, mut other) = (Volumes::default(), Volumes::default());
        for volumes in [&mut one, &mut other] {
            for day in 0..3 {
                volumes.skip_to(480_000 + day * 24, |_| true);
                volumes.tell(480_000 + day * 24, told(9_000_000_000, Some(7)));
            }
        }
        let precedents = |volumes: &Volumes| volumes.precedents(480_072, 7, 2)[0];
        assert!(precedents(&one)[1] > 0);
        one.unlearn(480_024);
        for [mut into, from] in [[one.clone(), other.clone()], [other, one]] {
            into.join(&from);
            assert_eq!(into.moved(480_024), None);
            assert_eq!((into.all(2).count(), precedents(&into)[1]), (1, 0));
            assert!(precedents(&into)[0] > 0, "the first night stays");
        }
    }
}
