//! Slow exfiltration: what leaves hour after hour beyond what the asset's habits explain.
//!
//! A cumulative sum (Page, 1954) over hours, of how many robust deviations the logarithm of what left
//! is above the usual of that hour of the week. One hour adds little, however much left in it: it
//! takes many. What goes to trusted places within the asset's habit there does not count.
//!
//! Bounds: 80 bytes an asset that ever sent more than its habits explain, and 0.7 KiB once that was
//! worth a look in any hour.

use crate::baseline::{AssetBaseline, DrainKept, Told, Volumes, WORTH};
use crate::detect::volume;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// The name of its series in what is kept.
const SERIES: &str = "unexplained-out";
/// An hour counts for no more deviations than this.
const CLIP: f64 = 4.0;
/// So many of them are usual.
const USUAL: f64 = 2.0;
/// From this sum on a drain runs; it is over at none.
pub(super) const BOUND: f64 = 20.0;
/// What an hour in which nothing left takes back.
const IDLE: f64 = DrainKept::IDLE;

/// The drains of all assets.
#[derive(Debug, Default)]
pub(super) struct Drains(Vec<Option<Box<Drain>>>);

/// One asset's.
#[derive(Debug, Default)]
struct Drain {
    volumes: Option<Box<Volumes>>,
    /// The hour that goes on, since the epoch, and what left in it.
    hour: u32,
    bytes: u64,
    spoiled: bool,
    state: DrainKept,
}

/// A drain that runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Running {
    /// With the hour that began it.
    pub(super) since: Timestamp,
    /// Bytes that left since, and that would have been usual.
    pub(super) bytes: u64,
    pub(super) expected: u64,
    /// The cumulative sum.
    pub(super) score: f64,
}

impl Drains {
    /// Bytes leave that no habit explains.
    pub(super) fn note(&mut self, asset: AssetId, time: Timestamp, bytes: u64) {
        if bytes == 0 {
            return;
        }
        if self.0.len() <= asset.index() {
            self.0.resize_with(asset.index() + 1, || None);
        }
        let Some(drain) = self.0.get_mut(asset.index()) else { return };
        let drain = drain.get_or_insert_default();
        drain.turn(u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX));
        drain.bytes = drain.bytes.saturating_add(bytes);
    }

    /// The drain of `asset`, if one runs.
    pub(super) fn running(&self, asset: AssetId) -> Option<Running> {
        let DrainKept { score, since, bytes, expected, .. } =
            self.0.get(asset.index())?.as_ref()?.state;
        let since = Timestamp::from_parts(u64::from(since) * 3600, 0);
        (score >= BOUND).then_some(Running { since, bytes, expected, score })
    }

    /// An alert about `asset` is open: this hour is no habit.
    pub(super) fn spoil(&mut self, asset: AssetId) {
        if let Some(Some(drain)) = self.0.get_mut(asset.index()) {
            drain.spoiled = true;
        }
    }

    /// Forgets one asset's.
    pub(super) fn forget(&mut self, asset: AssetId) {
        if let Some(drain) = self.0.get_mut(asset.index()) {
            *drain = None;
        }
    }

    /// Fills in what lasts of one asset.
    pub(super) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        let Some(Some(drain)) = self.0.get(asset.index()) else { return };
        baseline.drain = drain.state;
        if let Some(volumes) = &drain.volumes {
            baseline.volumes.insert(SERIES.to_owned(), Volumes::clone(volumes));
        }
    }

    /// Takes over what lasted of one asset.
    pub(super) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let Some(volumes) = baseline.volumes.get(SERIES) else { return };
        if self.0.len() <= asset.index() {
            self.0.resize_with(asset.index() + 1, || None);
        }
        let (volumes, state) = (Some(Box::new(volumes.clone())), baseline.drain);
        if let Some(drain) = self.0.get_mut(asset.index()) {
            *drain = Some(Box::new(Drain { volumes, state, ..Drain::default() }));
        }
    }
}

impl Drains {
    /// Goes on from what is known of one asset by now, here and elsewhere; the hour that goes on stays.
    pub(super) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let going = self.0.get_mut(asset.index()).and_then(Option::take);
        self.restore(asset, baseline);
        let (Some(going), Some(Some(drain))) = (going, self.0.get_mut(asset.index())) else {
            return;
        };
        (drain.hour, drain.bytes, drain.spoiled) = (going.hour, going.bytes, going.spoiled);
    }
}

impl Drain {
    /// Goes on to an hour.
    fn turn(&mut self, hour: u32) {
        if hour <= self.hour {
            return;
        }
        if self.hour > 0 {
            self.close();
            let idle = f64::from(hour - self.hour - 1);
            self.state.score = (self.state.score - idle * IDLE).max(0.0);
            self.state.at = hour - 1;
        }
        (self.hour, self.bytes, self.spoiled) = (hour, 0, false);
    }

    fn close(&mut self) {
        let (hour, bytes) = (self.hour, self.bytes);
        if bytes < WORTH {
            self.state.score = (self.state.score - IDLE).max(0.0);
            self.state.at = hour;
            return;
        }
        let usual = volume::usual_hour(self.volumes.as_deref(), hour);
        let above = usual.score(bytes).clamp(-CLIP, CLIP) - USUAL;
        let state = &mut self.state;
        if state.score == 0.0 {
            *state = DrainKept { since: hour, ..DrainKept::default() };
        }
        state.score = (state.score + above).max(0.0);
        state.at = hour;
        state.bytes = state.bytes.saturating_add(bytes);
        state.expected = state.expected.saturating_add(usual.expected);
        let volumes = self.volumes.get_or_insert_default();
        volumes.skip_to(hour, |_| true);
        let told = Told { largest: [bytes; 4], peer: None, spoiled: self.spoiled };
        volumes.tell(hour, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::tests::{DAY, HOUR, any_asset, time};

    const MB: u64 = 1_000_000;
    const WEEKS: u64 = 14 * DAY;

    /// Two weeks in which 5 MB leave in every hour from 8 to 18.
    fn settled() -> Drains {
        let mut drains = Drains::default();
        let hours = (0..WEEKS).step_by(HOUR as usize);
        hours.filter(|at| (8..18).contains(&(at % DAY / HOUR))).for_each(|at| {
            drains.note(any_asset(), time(at), 5 * MB);
        });
        drains
    }

    /// Notes that so much leaves in each of so many hours; in how many of them a drain ran.
    fn leave(drains: &mut Drains, hours: std::ops::Range<u64>, bytes: u64) -> usize {
        let mut runs = |hour| {
            drains.note(any_asset(), time(WEEKS + hour * HOUR), bytes);
            drains.running(any_asset()).is_some()
        };
        hours.filter(|hour| runs(*hour)).count()
    }

    #[test]
    fn what_leaves_hour_after_hour_beyond_the_usual_is_a_drain_however_much_is_in_one() {
        let mut drains = settled();
        assert_eq!(leave(&mut drains, 0..10, 5 * MB), 0, "as ever");
        assert_eq!(leave(&mut drains, 10..11, 50_000 * MB), 0);
        assert_eq!(leave(&mut drains, 11..20, 100 * MB), 0, "nine hours and the huge one");
        assert_eq!(leave(&mut drains, 20..23, 100 * MB), 3, "after ten hours");
        let running = drains.running(any_asset()).unwrap();
        assert_eq!(running.since, time(WEEKS + 10 * HOUR));
        assert_eq!(running.bytes, 50_000 * MB + 11 * 100 * MB);
        assert!((4 * 12 * MB..8 * 12 * MB).contains(&running.expected), "{running:?}");
        assert!((BOUND..=24.0).contains(&running.score));

        let mut baseline = AssetBaseline::default();
        drains.save(any_asset(), &mut baseline);
        let mut restored = Drains::default();
        restored.restore(any_asset(), &baseline);
        assert!(restored.running(any_asset()).is_some(), "a restart ends none");

        assert_eq!(leave(&mut drains, 150..151, MB), 0, "a quiet week ends it");
    }
}
