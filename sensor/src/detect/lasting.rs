//! What was learned, as it lasts from one run to the next.

use std::collections::BTreeMap;

use super::Engine;
use crate::baseline::{AssetBaseline, Baseline};
use crate::inventory::AssetId;
use crate::time::Timestamp;

impl Engine {
    /// What was learned, to be kept for the next run.
    pub fn baseline(&self) -> Baseline {
        let mut baseline = self.baseline.clone();
        let mut macs: BTreeMap<AssetId, Vec<String>> = BTreeMap::new();
        for (id, mac) in self.estate.inventory.macs() {
            macs.entry(id).or_default().push(mac.to_string());
        }
        for (id, asset) in self.estate.inventory.all() {
            let Some(mut learned) = self.learned_of(id) else { continue };
            if let Some(macs) = macs.remove(&id) {
                learned.macs = macs;
            }
            baseline.assets.insert(asset.name.to_string(), learned);
        }
        if let Some(operations) = &self.guest_operations {
            baseline.operators = operations.save();
        }
        if let Some(policy) = &self.mirror_policy {
            baseline.mirrors = policy.save();
        }
        baseline.told.clone_from(self.estate.budget.save());
        baseline
    }

    /// What was learned of one asset that was seen.
    pub(super) fn learned_of(&self, id: AssetId) -> Option<AssetBaseline> {
        let asset = self.estate.inventory.asset(id)?;
        let first_seen = asset.first_seen?.as_secs();
        // What a detector learned before it was switched off is kept for when it is on again.
        let kept = self.baseline.assets.get(&*asset.name).cloned().unwrap_or_default();
        let mut learned = AssetBaseline { first_seen, ..kept };
        self.estate.volumes.save(id, &mut learned);
        self.tls_egress.iter().for_each(|egress| egress.save(id, &mut learned));
        self.dns_port.iter().for_each(|ports| ports.save(id, &mut learned));
        self.channels.iter().for_each(|channels| channels.save(id, &mut learned));
        Some(learned)
    }

    /// Lets assets that were discovered since take over what an earlier run learned of them.
    pub(super) fn restore(&mut self) {
        let known = self.estate.inventory.len();
        if self.restored != known {
            let new = self.estate.inventory.ids_from(self.restored);
            new.for_each(|id| self.restore_one(id));
            self.restored = known;
        }
        if self.estate.inventory.has_arrivals() {
            self.meet();
        }
    }

    pub(super) fn restore_one(&mut self, id: AssetId) {
        let Some(asset) = self.estate.inventory.asset(id) else { return };
        let Some(learned) = self.baseline.assets.get_mut(&*asset.name) else { return };
        // What was forgotten has none.
        if learned.first_seen > 0 {
            let first_seen = Timestamp::from_parts(learned.first_seen, 0);
            self.estate.inventory.seen_since(id, first_seen);
        }
        self.estate.volumes.restore(id, learned);
        self.tls_egress.iter_mut().for_each(|egress| egress.restore(id, learned));
        self.dns_port.iter_mut().for_each(|ports| ports.restore(id, learned));
        self.channels.iter_mut().for_each(|channels| channels.restore(id, learned));
        // It would be kept twice; a detector that is off takes it over later.
        if self.tls_egress.is_some() {
            learned.volumes.clear();
            learned.destinations.clear();
        }
    }
}
