//! What is usual for an asset: what a channel would have told of it while it was learned.
//!
//! Bounds: [`PER_ASSET`] subjects an asset of at most [`LONGEST`] bytes, [`HABIT`] of a channel that
//! learns; of subjects that several assets share [`SHARED`] in each of two generations of a week, with
//! [`COMMON`] assets each.

use std::collections::BTreeSet;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::table::{CHANNELS, Detector, Learns};
use crate::baseline::AssetBaseline;
use crate::detect::recent::Recent;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Subjects that are known of one asset.
const PER_ASSET: usize = 128;
const LONGEST: usize = 120;
/// Who was learned to do something with so many does it with any.
const HABIT: u8 = 4;
/// What so many assets did lately is how this estate is: the first of them are told of.
pub(super) const COMMON: usize = 4;
const SHARED: usize = 8192;
const LATELY: Duration = Duration::from_secs(7 * 86_400);

/// The memory.
#[derive(Debug)]
pub(super) struct Usual {
    assets: Vec<Option<Box<Known>>>,
    shared: Recent<Box<str>, ArrayVec<AssetId, COMMON>>,
    forgotten: u64,
}

/// What is usual for one asset.
#[derive(Debug, Default)]
struct Known {
    subjects: BTreeSet<Box<str>>,
    /// How many of them channels that learn have, up to [`HABIT`]; each by its place in [`CHANNELS`].
    counts: Vec<(u8, u8)>,
}

impl Usual {
    pub(super) fn new() -> Self {
        Self { assets: Vec::new(), shared: Recent::new(LATELY, SHARED), forgotten: 0 }
    }

    /// Learns that an asset does this.
    pub(super) fn learn(&mut self, asset: AssetId, of: &Detector, subject: &str) {
        let known = self.known(asset);
        if known.count(of) >= HABIT {
            return;
        }
        let key = key(of.name, subject);
        if known.subjects.len() >= PER_ASSET {
            self.forgotten += u64::from(!known.subjects.contains(&key));
        } else if known.subjects.insert(key) {
            known.note(of, 1);
        }
    }

    /// An asset is told of for this, which is no news from then on. It is no habit, either: who goes on to
    /// others is told of.
    pub(super) fn tell(&mut self, asset: AssetId, channel: &str, subject: &str) {
        let known = self.known(asset);
        if known.subjects.len() < PER_ASSET {
            known.subjects.insert(told(channel, subject));
        } else {
            self.forgotten += 1;
        }
    }

    /// Whether an asset was learned to do this, or told of for it.
    pub(super) fn knows(&self, asset: AssetId, channel: &str, subject: &str) -> bool {
        let known = self.of(asset);
        known.is_some_and(|known| {
            known.subjects.contains(&key(channel, subject))
                || known.subjects.contains(&told(channel, subject))
        })
    }

    /// Whether an asset was learned to do this with so many that with one more it does the same.
    #[inline]
    pub(super) fn is_habit(&self, asset: AssetId, of: &Detector) -> bool {
        self.of(asset).is_some_and(|known| known.count(of) >= HABIT)
    }

    /// Whether so many other assets do this by now that it is how the estate is.
    pub(super) fn is_common(
        &mut self,
        asset: AssetId,
        channel: &str,
        subject: &str,
        now: Timestamp,
    ) -> bool {
        let key = key(channel, subject);
        let mut who = self.shared.get(&key).cloned().unwrap_or_default();
        if who.contains(&asset) {
            return false;
        }
        let is_common = who.try_push(asset).is_err();
        if !is_common {
            self.shared.insert(now, key, who);
        }
        is_common
    }

    pub(super) fn forget(&mut self, asset: AssetId) {
        if let Some(known) = self.assets.get_mut(asset.index()) {
            *known = None;
        }
    }

    pub(super) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        let subjects = self.of(asset).into_iter().flat_map(|known| &known.subjects);
        baseline.channels = subjects.map(ToString::to_string).collect();
    }

    pub(super) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        if baseline.channels.is_empty() {
            return;
        }
        let known = self.known(asset);
        let subjects = baseline.channels.iter().take(PER_ASSET);
        known.subjects.extend(subjects.map(|key| Box::from(key.as_str())));
        for of in CHANNELS {
            let prefix = key(of.name, "");
            let more = known.subjects.range(prefix.clone()..);
            let its = more.take_while(|known| known.starts_with(&*prefix)).count();
            known.note(of, u8::try_from(its).unwrap_or(HABIT));
        }
    }

    fn of(&self, asset: AssetId) -> Option<&Known> {
        self.assets.get(asset.index())?.as_deref()
    }

    #[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
    fn known(&mut self, asset: AssetId) -> &mut Known {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, || None);
        }
        self.assets[asset.index()].get_or_insert_default()
    }

    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

impl Known {
    fn count(&self, of: &Detector) -> u8 {
        let is_of =
            |place: u8| CHANNELS.get(usize::from(place)).is_some_and(|at| at.name == of.name);
        self.counts.iter().find(|(place, _)| is_of(*place)).map_or(0, |(_, count)| *count)
    }

    /// A channel has so many subjects more.
    fn note(&mut self, of: &Detector, more: u8) {
        let place = CHANNELS.iter().position(|at| at.name == of.name);
        let Some(place) = place.and_then(|place| u8::try_from(place).ok()) else { return };
        if of.learns == Learns::Nothing || more == 0 {
            return;
        }
        match self.counts.iter_mut().find(|(known, _)| *known == place) {
            Some((_, count)) => *count = count.saturating_add(more),
            None => self.counts.push((place, more)),
        }
    }
}

/// The same for what was told, which stands apart from what is usual.
fn told(channel: &str, subject: &str) -> Box<str> {
    ["+", &*key(channel, subject)].concat().into()
}

fn key(channel: &str, subject: &str) -> Box<str> {
    let subject = subject.get(..subject.floor_char_boundary(LONGEST)).unwrap_or(subject);
    [channel, " ", subject].concat().into()
}

#[cfg(test)]
mod tests {
    use super::super::{beacons, names, services};
    use super::*;
    use crate::detect::tests::any_asset;

    const BEACON: &Detector = &beacons::BEACON;
    const NET: &str = "203.0.113.0/24";

    #[test]
    fn what_an_asset_was_learned_to_do_lasts_and_nothing_else_does() {
        let (mut usual, asset) = (Usual::new(), any_asset());
        usual.learn(asset, BEACON, NET);
        assert!(usual.knows(asset, "beacon", NET) && !usual.knows(asset, "ssh", NET));
        (0..2).for_each(|n| usual.learn(asset, BEACON, &n.to_string()));
        assert!(!usual.is_habit(asset, BEACON));
        usual.learn(asset, BEACON, "2");
        (0..3).for_each(|n| usual.learn(asset, &services::SSH, &n.to_string()));
        let mut kept = AssetBaseline::default();
        usual.save(asset, &mut kept);
        let mut next = Usual::new();
        next.restore(asset, &kept);
        for usual in [&usual, &next] {
            assert!(usual.knows(asset, "beacon", NET) && usual.knows(asset, "ssh", "2"));
            assert!(usual.is_habit(asset, BEACON) && !usual.is_habit(asset, &services::SSH));
        }
        next.tell(asset, "ssh", "3");
        assert!(next.knows(asset, "ssh", "3") && !next.is_habit(asset, &services::SSH));
        next.forget(asset);
        assert!(!next.knows(asset, "beacon", NET) && !next.is_habit(asset, BEACON));
    }

    #[test]
    fn subjects_of_an_asset_have_a_bound_and_those_of_a_habit_need_no_more() {
        let (mut usual, asset) = (Usual::new(), any_asset());
        let long = "é".repeat(400);
        usual.learn(asset, BEACON, &long);
        assert!(usual.knows(asset, "beacon", &long));
        (0..1000).for_each(|n| usual.learn(asset, BEACON, &n.to_string()));
        assert_eq!((usual.of(asset).unwrap().subjects.len(), usual.forgotten()), (HABIT.into(), 0));
        assert_eq!(names::HIDDEN_SERVICE.learns, Learns::Nothing);
        (0..1000).for_each(|n| usual.learn(asset, &names::HIDDEN_SERVICE, &n.to_string()));
        assert_eq!(usual.of(asset).unwrap().subjects.len(), PER_ASSET);
        assert_eq!(usual.forgotten(), 1000 + u64::from(HABIT) - PER_ASSET as u64);
        assert!(!usual.is_habit(asset, &names::HIDDEN_SERVICE));
    }
}
