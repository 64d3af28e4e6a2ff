//! What an asset moved in each of the last 24 hours, and what is usual for them: to look at.
//!
//! [`super::Volumes::past`] copies what that needs, some kilobytes; [`Past::chart`] computes, on whatever
//! thread has the time. Nothing is kept for it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::habit::Usual;
use super::{Series, Volumes};
use crate::baseline;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Hours that are shown.
pub(super) const HOURS: usize = 24;

/// What the series of one asset moved, copied.
#[derive(Debug, Clone, Default)]
pub struct Past(Vec<(&'static str, SeriesPast)>);

#[derive(Debug, Clone)]
pub(super) struct SeriesPast {
    /// The newest hour in which anything moved since the start, counted from the epoch.
    pub(super) newest: u64,
    /// Bytes of the hours up to it, the newest last.
    pub(super) hours: [u64; HOURS],
    pub(super) volumes: Option<Box<baseline::Volumes>>,
}

/// The last 24 hours, by series (`in-internal`, `out-external`, …), the oldest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// When the first of them begins.
    pub from: Timestamp,
    /// Those series that ever moved anything.
    pub series: BTreeMap<&'static str, Vec<Hour>>,
}

/// One hour of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Hour {
    /// What moved; none: not known.
    pub bytes: Option<u64>,
    /// What usually moves, from and to, and what stands out; none while nothing is known.
    pub usual: Option<[u64; 3]>,
}

impl Volumes {
    /// A copy of what the last hours of one asset can be shown from.
    pub(crate) fn past(&self, asset: AssetId) -> Past {
        let of = |series: Series| Some((series.name(), self.track(asset, series)?.past()));
        Past(Series::ALL.into_iter().filter_map(of).filter(|(_, past)| past.is_any()).collect())
    }
}

impl SeriesPast {
    fn is_any(&self) -> bool {
        self.newest > 0 || self.volumes.is_some()
    }

    /// What moved in an hour. Before `since` nothing was watched; afterwards nothing moved where nothing
    /// is said.
    fn bytes(&self, hour: u64, since: u64) -> Option<u64> {
        let back = self.newest.checked_sub(hour).and_then(|back| usize::try_from(back).ok());
        let place = back.and_then(|back| HOURS.checked_sub(back.saturating_add(1)));
        let seen = place.and_then(|place| self.hours.get(place)).copied().unwrap_or(0);
        if seen > 0 {
            return Some(seen);
        }
        let number = u32::try_from(hour).unwrap_or(u32::MAX);
        match &self.volumes {
            Some(volumes) if number < volumes.next() => volumes.moved(number),
            _ => (hour >= since).then_some(0),
        }
    }

    fn hour(&self, hour: u64, since: u64, floor: u64) -> Hour {
        let volumes = self.volumes.as_deref();
        let number = u32::try_from(hour).unwrap_or(u32::MAX);
        let usual = Usual::of(volumes, number, 2, floor);
        let usual = (usual.expected > 0).then(|| {
            let [low, high] = usual.band();
            [low, high, usual.limit]
        });
        Hour { bytes: self.bytes(hour, since), usual }
    }
}

impl Past {
    /// The last 24 hours at `now`. What was not seen before `since` is not known; less than `floor` never
    /// stands out.
    pub fn chart(&self, now: Timestamp, since: Timestamp, floor: u64) -> Chart {
        let (newest, since) = (now.as_secs() / 3600, since.as_secs() / 3600);
        let first = newest.saturating_sub(HOURS as u64 - 1);
        let of = |past: &SeriesPast| {
            (first..=newest).map(|hour| past.hour(hour, since, floor)).collect::<Vec<_>>()
        };
        let series = self.0.iter().map(|(name, past)| (*name, of(past))).collect();
        Chart { from: Timestamp::from_parts(first * 3600, 0), series }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Scope;
    use super::*;
    use crate::config::Config;
    use crate::decode::Mac;
    use crate::event::Endpoint;
    use crate::inventory::Inventory;

    const HOUR: u64 = 3600;
    const FLOOR: u64 = 50_000_000;

    fn at(seconds: u64) -> Timestamp {
        // The first hour of a day.
        Timestamp::from_parts(480_000 * HOUR + seconds, 0)
    }

    fn asset() -> AssetId {
        let mac = Mac([0, 0x50, 0x56, 0x80, 0, 1]);
        let end = Endpoint { address: [10, 0, 0, 1].into(), port: 0, mac: Some(mac) };
        Inventory::new(&Config::default()).resolve(&end, Timestamp::ZERO).unwrap()
    }

    /// Fails when an hour is shown in another's place, or what is not known as nothing.
    #[test]
    fn each_hour_is_in_its_place_and_what_is_not_known_is_none() {
        let mut volumes = Volumes::new(FLOOR);
        let moved = [(2, 5_000_000), (3, 700_000), (5, 9_000_000)];
        for (hour, bytes) in moved {
            let time = at(hour * HOUR + 60);
            volumes.note(asset(), Scope::External, 1, time, [0, bytes]);
            // What is held back of the last 10 s is told with the next.
            volumes.note(asset(), Scope::External, 1, time.plus(Duration::from_secs(20)), [0, 1]);
        }
        let chart = volumes.past(asset()).chart(at(7 * HOUR + 5), at(HOUR + 1), FLOOR);
        assert_eq!(chart.from, at(0).minus(Duration::from_secs(16 * HOUR)));
        let out = &chart.series["out-external"];
        // To a tenth of a megabyte: hours that are over are rounded a little.
        let bytes: Vec<_> =
            out.iter().map(|hour| hour.bytes.map(|b| (b + 50_000) / 100_000)).collect();
        let mut expected = vec![None; 18];
        expected.extend([50, 7, 0, 90, 0, 0].map(Some));
        assert_eq!(bytes, expected);
        assert!(!chart.series.contains_key("in-internal"));
    }

    #[test]
    fn after_a_restart_the_hours_before_are_those_that_were_kept() {
        let mut before = Volumes::new(FLOOR);
        for hour in 0..40 {
            let time = at(hour * HOUR + 60);
            before.note(asset(), Scope::Internal, 1, time, [20_000_000, 0]);
        }
        let mut kept = crate::baseline::AssetBaseline::default();
        before.save(asset(), &mut kept);
        let mut after = Volumes::new(FLOOR);
        after.restore(asset(), &kept);
        let chart = after.past(asset()).chart(at(44 * HOUR), at(42 * HOUR), FLOOR);
        let hours = &chart.series["in-internal"];
        let known = |hour: &Hour| hour.bytes.map(|bytes| bytes / 10_000_000);
        // 21 to 38 were over, of 39 to 41 nothing was kept.
        assert!(hours[..18].iter().all(|hour| matches!(known(hour), Some(1..=2))), "{hours:?}");
        assert_eq!(
            hours[18..].iter().map(known).collect::<Vec<_>>(),
            [None, None, None, Some(0), Some(0), Some(0)]
        );
        let [low, high, limit] = hours[23].usual.unwrap();
        assert!(low < 20_000_000 && 20_000_000 < high && high < limit, "{low} {high} {limit}");
    }
}
