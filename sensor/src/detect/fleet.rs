//! What goes to and fro between the sensors of a fleet, as far as the detectors are concerned: whom other
//! sensors are asked about, what they answer, and what is told them.
//!
//! Bounds: [`MOST_UNKNOWN`] assets that nobody has been asked about yet, and what [`tell`] keeps.

use std::collections::VecDeque;
use std::time::Duration;

use super::Engine;
use crate::alert::Alert;
use crate::inventory::{AssetId, Identity, MAX_ASSETS};
use crate::time::Timestamp;
use tell::Told;

mod adopt;
mod elsewhere;
mod forget;
mod tell;

/// Assets that others are to be asked about; who comes beyond is asked about when it comes again.
const MOST_UNKNOWN: usize = MAX_ASSETS;
/// Assets that are asked about in one call.
const AT_ONCE: usize = 256;

/// What is on its way.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// What this sensor is called; empty: there is no fleet.
    own: String,
    unknown: VecDeque<Unknown>,
    told: Told,
}

impl Fleet {
    /// An alert is raised: what its asset does teaches nothing now, and others should know.
    pub(super) fn note_alert(&mut self, alert: &Alert) {
        if !self.own.is_empty() && alert.count == 1 {
            self.told.tell_soon(&alert.asset.name);
        }
    }
}

/// An asset that came here, of which other sensors may know more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What it is called here.
    pub name: String,
    /// What it may be known by elsewhere.
    pub identities: Vec<Identity>,
    /// Whether something is known of it here: it was away, and may have been elsewhere.
    pub is_known: bool,
}

impl Engine {
    /// There is a fleet, in which this sensor is called `own`; what is judged of an asset that is new here
    /// waits so long for its answer.
    pub fn join_fleet(&mut self, own: &str, wait: Duration) {
        own.clone_into(&mut self.fleet.own);
        self.estate.awaited.expect(wait);
        self.estate.inventory.want_arrivals();
    }

    /// Assets that came since the last call, for the first time or after hours away: other sensors are to
    /// be asked what they know of them. A few hundred at most; the next call has the rest.
    pub fn unknown(&mut self) -> Vec<Unknown> {
        let all = &mut self.fleet.unknown;
        all.drain(..all.len().min(AT_ONCE)).collect()
    }

    /// All that others know of the asset of this name was adopted, or they do not answer: what waited is
    /// judged now.
    pub fn answered(&mut self, now: Timestamp, name: &str) {
        self.advance(now);
        let Some(id) = self.estate.inventory.named(name) else { return };
        if self.estate.awaited.end(id) {
            self.judge_again(id);
        }
        self.settle();
    }

    /// The fleet has lost what it was told: all of it is told again.
    pub fn tell_again(&mut self) {
        self.fleet.told.forget();
    }

    /// Assets came: who is new is waited for.
    #[cold]
    pub(super) fn meet(&mut self) {
        for arrival in self.estate.inventory.take_arrivals() {
            let id = arrival.asset;
            let Some(asset) = self.estate.inventory.asset(id) else { continue };
            let kept = self.baseline.assets.get(&*asset.name);
            let is_known = arrival.is_known || kept.is_some_and(|kept| kept.first_seen > 0);
            if self.fleet.unknown.len() >= MOST_UNKNOWN {
                continue;
            }
            let mut identities: Vec<Identity> =
                self.estate.inventory.own_mac(&arrival).map(Identity::Mac).into_iter().collect();
            identities.extend(self.estate.inventory.given_identities(id));
            identities.sort_unstable();
            identities.dedup();
            let unknown = Unknown { name: asset.name.to_string(), identities, is_known };
            self.fleet.unknown.push_back(unknown);
            if !is_known {
                self.estate.awaited.begin(id, self.now);
            }
        }
    }

    /// Nobody answered in time.
    #[cold]
    pub(super) fn wait_no_longer(&mut self, now: Timestamp) {
        self.estate.awaited.take_due(now).into_iter().for_each(|id| self.judge_again(id));
    }

    /// Looks at what one asset does in the light of what is known of it now.
    fn judge_again(&mut self, id: AssetId) {
        if let Some(egress) = &mut self.tls_egress {
            egress.judge_again(&self.estate, id, &mut self.alerts);
        }
    }
}

#[cfg(test)]
mod tests;
