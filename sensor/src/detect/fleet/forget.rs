//! Forgetting, which other sensors must hear of: what they still have of it does not come back.
//!
//! Bounds: [`DESTINATIONS`] forgotten destinations an asset; kept for [`KEPT`].

use std::time::Duration;

use super::super::Engine;
use crate::baseline::AssetBaseline;
use crate::time::Timestamp;

/// Destinations of an asset that were forgotten, the latest.
const DESTINATIONS: usize = 256;
/// After so long, what nobody did since is over at every sensor.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

impl Engine {
    /// An asset, or one of its destinations, is forgotten now; `before` is what was kept aside of it.
    pub(in super::super) fn note_forgotten(
        &mut self,
        asset: &str,
        destination: Option<&str>,
        before: Option<AssetBaseline>,
    ) {
        let is_asset = before.is_some() || self.estate.inventory.named(asset).is_some();
        if self.fleet.own.is_empty() || !is_asset {
            return;
        }
        let (now, before) = (self.now.as_secs(), before.unwrap_or_default());
        let kept = self.baseline.assets.entry(asset.to_owned()).or_default();
        match destination {
            None => {
                // Two within a second are told apart.
                kept.forgotten = now.max(before.forgotten + 1);
                kept.macs = before.macs;
            }
            Some(place) => {
                let forgotten = &mut kept.forgotten_destinations;
                let at = forgotten.entry(place.to_owned()).or_default();
                *at = now.max(*at + 1);
                drop_oldest(kept);
            }
        }
        self.fleet.told.tell_soon(asset);
    }

    /// Drops what was forgotten so long ago that it cannot come back.
    pub(in super::super) fn drop_forgotten(&mut self, now: Timestamp) {
        let is_old = |at: u64| now.as_secs().saturating_sub(at) > KEPT.as_secs();
        self.baseline.assets.retain(|_, kept| {
            kept.forgotten_destinations.retain(|_, at| !is_old(*at));
            kept.forgotten == 0 || kept.first_seen > 0 || !is_old(kept.forgotten)
        });
    }
}

fn drop_oldest(kept: &mut AssetBaseline) {
    let forgotten = &mut kept.forgotten_destinations;
    while forgotten.len() > DESTINATIONS {
        let oldest = forgotten.iter().min_by_key(|(_, at)| **at).map(|(name, _)| name.clone());
        oldest.iter().for_each(|name| _ = forgotten.remove(name));
    }
}
