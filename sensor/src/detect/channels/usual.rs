//! What is usual for an asset: what a channel would have told of it while it was learned.
//!
//! Bounds: [`PER_ASSET`] subjects an asset of at most [`LONGEST`] bytes; of subjects that several
//! assets share [`SHARED`] in each of two generations of a week, with [`COMMON`] assets each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arrayvec::ArrayVec;

use crate::baseline::AssetBaseline;
use crate::detect::recent::Recent;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Subjects that are known of one asset.
const PER_ASSET: usize = 128;
const LONGEST: usize = 120;
/// Who was learned to do something with so many does it with any.
const HABIT: usize = 4;
/// What so many assets did lately is how this estate is: the first of them are told of.
pub(super) const COMMON: usize = 4;
const SHARED: usize = 8192;
const LATELY: Duration = Duration::from_secs(7 * 86_400);

/// The memory.
#[derive(Debug)]
pub(super) struct Usual {
    assets: BTreeMap<AssetId, BTreeSet<Box<str>>>,
    shared: Recent<Box<str>, ArrayVec<AssetId, COMMON>>,
    forgotten: u64,
}

impl Usual {
    pub(super) fn new() -> Self {
        Self { assets: BTreeMap::new(), shared: Recent::new(LATELY, SHARED), forgotten: 0 }
    }

    /// Learns that an asset does this.
    pub(super) fn learn(&mut self, asset: AssetId, channel: &str, subject: &str) {
        let known = self.assets.entry(asset).or_default();
        let key = key(channel, subject);
        if known.len() < PER_ASSET {
            known.insert(key);
        } else if !known.contains(&key) {
            self.forgotten += 1;
        }
    }

    /// Whether an asset was learned to do this.
    pub(super) fn knows(&self, asset: AssetId, channel: &str, subject: &str) -> bool {
        let known = self.assets.get(&asset);
        known.is_some_and(|known| known.contains(&key(channel, subject)))
    }

    /// Whether an asset was learned to do this with so many that with one more it does the same.
    pub(super) fn is_habit(&self, asset: AssetId, channel: &str) -> bool {
        let Some(known) = self.assets.get(&asset) else { return false };
        let prefix = key(channel, "");
        let of_it = known.range(prefix.clone()..).take_while(|known| known.starts_with(&*prefix));
        of_it.take(HABIT).count() == HABIT
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
        self.assets.remove(&asset);
    }

    pub(super) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        let known = self.assets.get(&asset);
        baseline.channels = known.into_iter().flatten().map(ToString::to_string).collect();
    }

    pub(super) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let known = baseline.channels.iter().take(PER_ASSET);
        let known: BTreeSet<Box<str>> = known.map(|key| key.as_str().into()).collect();
        if !known.is_empty() {
            self.assets.entry(asset).or_default().extend(known);
        }
    }

    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

fn key(channel: &str, subject: &str) -> Box<str> {
    let subject = subject.get(..subject.floor_char_boundary(LONGEST)).unwrap_or(subject);
    format!("{channel} {subject}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::tests::any_asset;

    #[test]
    fn what_an_asset_was_learned_to_do_lasts_and_nothing_else_does() {
        let (mut usual, asset) = (Usual::new(), any_asset());
        usual.learn(asset, "beacon", "203.0.113.0/24");
        assert!(usual.knows(asset, "beacon", "203.0.113.0/24"));
        assert!(!usual.knows(asset, "ssh", "203.0.113.0/24"));
        let mut kept = AssetBaseline::default();
        usual.save(asset, &mut kept);
        let mut next = Usual::new();
        next.restore(asset, &kept);
        assert!(next.knows(asset, "beacon", "203.0.113.0/24"));
        assert!(!next.is_habit(asset, "beacon"));
        (0..3).for_each(|n| next.learn(asset, "beacon", &n.to_string()));
        (0..9).for_each(|n| next.learn(asset, "beaconing", &n.to_string()));
        assert!(next.is_habit(asset, "beacon") && !next.is_habit(asset, "beac"));
        next.forget(asset);
        assert!(!next.knows(asset, "beacon", "203.0.113.0/24"));
    }

    #[test]
    fn subjects_of_an_asset_have_a_bound() {
        let (mut usual, asset) = (Usual::new(), any_asset());
        let long = "é".repeat(400);
        usual.learn(asset, "beacon", &long);
        assert!(usual.knows(asset, "beacon", &long));
        (0..1000).for_each(|n| usual.learn(asset, "beacon", &n.to_string()));
        assert_eq!(usual.assets[&asset].len(), PER_ASSET);
        assert_eq!(usual.forgotten(), 1001 - PER_ASSET as u64);
    }
}
