//! What was learned here, for the other sensors.
//!
//! In rounds: every asset has its moment in each, so that the work and what is sent are even; only what
//! changed is told. Who was adopted or forgotten, and who an alert is about, is told at once.
//!
//! Bounds: [`AT_ONCE`] assets a call; 8 bytes an asset, and 40 for what others know it by.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::time::Duration;

use super::super::Engine;
use crate::baseline::AssetBaseline;
use crate::exchange::Learned;
use crate::inventory::{AssetId, Identity, MAX_ASSETS};
use crate::time::Timestamp;

/// Assets that are looked at in one call.
const AT_ONCE: usize = 16;

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// By asset: a hash of what was told last; 0: nothing.
    last: Vec<u64>,
    /// Names of those that are told next.
    soon: BTreeSet<String>,
    /// When this round began, and which asset comes next.
    begun: Timestamp,
    next: usize,
    /// What others know assets by, at the beginning of the round.
    identities: BTreeMap<AssetId, Identity>,
    hasher: foldhash::fast::FixedState,
}

impl Told {
    /// An asset is told at the next call.
    pub(super) fn tell_soon(&mut self, name: &str) {
        if self.soon.len() < MAX_ASSETS {
            self.soon.insert(name.to_owned());
        }
    }

    /// As if nothing had been told.
    pub(super) fn forget(&mut self) {
        self.last.clear();
    }

    /// Whether what is known is other than what was told; from now on it is told.
    fn is_news(&mut self, id: AssetId, learned: &AssetBaseline) -> bool {
        let mut hash = Hash(self.hasher.build_hasher());
        if serde_json::to_writer(&mut hash, learned).is_err() {
            return false;
        }
        if self.last.len() <= id.index() {
            self.last.resize(id.index() + 1, 0);
        }
        let hash = hash.0.finish().max(1);
        self.last.get_mut(id.index()).is_some_and(|last| std::mem::replace(last, hash) != hash)
    }
}

impl Engine {
    /// What was learned of assets and has changed since it was told: of each at most once in `every`, but
    /// at once of who was adopted or forgotten. To be called often, because each call does little.
    pub fn learned(&mut self, now: Timestamp, every: Duration) -> Vec<Learned> {
        let mut told = std::mem::take(&mut self.fleet.told);
        let mut all = Vec::new();
        for _ in 0..AT_ONCE {
            let Some(name) = told.soon.pop_first() else { break };
            all.extend(self.learned_soon(&mut told, now, &name));
        }
        let count = self.estate.inventory.len();
        if told.begun == Timestamp::ZERO || now < told.begun {
            told.begin(self, now);
        }
        let passed = now.since(told.begun).as_secs_f64() / every.as_secs_f64().max(1e-3);
        let due = (count as f64 * passed.min(1.0)) as usize;
        for _ in all.len()..AT_ONCE {
            if told.next >= due {
                break;
            }
            let Some(id) = self.estate.inventory.id_at(told.next) else { break };
            told.next += 1;
            let Some(learned) = self.learned_of(id).filter(|learned| told.is_news(id, learned))
            else {
                continue;
            };
            all.extend(self.message(&told, id, now, learned));
        }
        if told.next >= count && passed >= 1.0 {
            told.begin(self, now);
        }
        self.fleet.told = told;
        all
    }

    /// Of an asset that is told at once, whether it is here or was forgotten.
    fn learned_soon(&self, told: &mut Told, now: Timestamp, name: &str) -> Option<Learned> {
        let id = self.estate.inventory.named(name);
        if let Some((id, learned)) = id.and_then(|id| Some((id, self.learned_of(id)?))) {
            told.is_news(id, &learned);
            return self.message(told, id, now, learned);
        }
        let kept = self.baseline.assets.get(name)?.clone();
        let mac = kept.macs.iter().filter_map(|mac| crate::config::file::mac(mac)).min();
        let identity = mac.map_or_else(|| Identity::Name(name.to_owned()), Identity::Mac);
        Some(Learned::new(&self.fleet.own, (identity, name), now, kept))
    }

    fn message(
        &self,
        told: &Told,
        id: AssetId,
        now: Timestamp,
        learned: AssetBaseline,
    ) -> Option<Learned> {
        let asset = self.estate.inventory.asset(id)?;
        // Who came in this round is known by the next.
        let known = told.identities.get(&id).cloned();
        let identity = known.or_else(|| self.estate.inventory.given_identities(id).min())?;
        Some(Learned::new(&self.fleet.own, (identity, &asset.name), now, learned))
    }
}

impl Told {
    fn begin(&mut self, engine: &Engine, now: Timestamp) {
        (self.begun, self.next) = (now, 0);
        self.identities = engine.estate.inventory.all_identities();
    }
}

/// Hashes what is written to it.
struct Hash<H: Hasher>(H);

impl<H: Hasher> io::Write for Hash<H> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
