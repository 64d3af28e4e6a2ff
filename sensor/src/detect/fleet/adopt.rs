//! What other sensors learned of an asset becomes known here.

use super::super::Engine;
use crate::baseline::{AssetBaseline, earliest};
use crate::exchange::Learned;
use crate::inventory::{AssetId, Identity, MAX_ASSETS};
use crate::time::Timestamp;

impl Engine {
    /// Takes over what another sensor learned of an asset; whether that was anything new. In whatever
    /// order sensors are heard, and however often, what is known comes out the same.
    ///
    /// Of an asset that is seen here, cases under way are judged again: what was taken for new and is
    /// usual elsewhere is taken back. Of another it is kept until the asset comes.
    pub fn adopt(&mut self, now: Timestamp, part: &Learned) -> bool {
        self.advance(now);
        self.restore();
        let is_news = match self.estate.inventory.identified(&part.identity) {
            Some(id) => self.adopt_here(id, &part.learned),
            None => self.adopt_aside(part),
        };
        self.settle();
        is_news
    }

    /// Of an asset that has a number here: it is seen here, or was, or the config names it.
    fn adopt_here(&mut self, id: AssetId, learned: &AssetBaseline) -> bool {
        let Some(name) = self.estate.inventory.asset(id).map(|asset| asset.name.to_string()) else {
            return false;
        };
        let kept = || self.baseline.assets.get(&name).cloned();
        let known = self.learned_of(id).or_else(kept).unwrap_or_default();
        let joined = self.joined(known.clone(), learned);
        if joined == known {
            return false;
        }
        if joined.forgotten > known.forgotten {
            self.drop_state(id, &name);
            self.estate.inventory.forget(id);
        }
        self.install(id, &joined);
        self.keep_aside(&name, joined);
        self.fleet.told.tell_soon(&name);
        true
    }

    /// Of an asset that did not come yet: it takes that over when it does.
    fn adopt_aside(&mut self, part: &Learned) -> bool {
        if self.baseline.assets.len() >= MAX_ASSETS {
            return false;
        }
        let name = self.estate.inventory.name_for(&part.identity, &part.name);
        let known = self.baseline.assets.get(&*name).cloned().unwrap_or_default();
        let mut joined = self.joined(known.clone(), &part.learned);
        // By which it is known when it comes, also after a restart.
        if let Identity::Mac(mac) = part.identity {
            joined.note_mac(&mac.to_string());
        }
        let is_news = joined != known;
        self.baseline.assets.insert(name.to_string(), joined);
        is_news
    }

    fn joined(&self, mut known: AssetBaseline, other: &AssetBaseline) -> AssetBaseline {
        let mut other = other.clone();
        other.drop_old(self.now);
        let (first_seen, learning) =
            (earliest(known.first_seen, other.first_seen), self.estate.learning());
        // What was forgotten is no reason to call the other's learning time a mistake.
        if known.forgotten == other.forgotten {
            known.known_since(first_seen, learning);
            other.known_since(first_seen, learning);
        }
        known.join(&other);
        known
    }

    /// Lets the detectors go on from what is known of an asset by now.
    fn install(&mut self, id: AssetId, learned: &AssetBaseline) {
        if learned.first_seen > 0 {
            let first_seen = Timestamp::from_parts(learned.first_seen, 0);
            self.estate.inventory.seen_since(id, first_seen);
        }
        self.estate.volumes.adopt(id, learned);
        let (estate, alerts) = (&self.estate, &mut self.alerts);
        if let Some(egress) = &mut self.tls_egress {
            egress.adopt(estate, id, learned, self.now, alerts);
        }
        if let Some(ports) = &mut self.dns_port {
            ports.adopt(id, learned);
        }
        if let Some(channels) = &mut self.channels {
            channels.adopt(id, learned);
        }
    }

    /// Keeps what no detector has: that it was forgotten once, and what belongs to one that is off.
    fn keep_aside(&mut self, name: &str, mut joined: AssetBaseline) {
        if self.tls_egress.is_some() {
            joined.volumes.clear();
            joined.destinations.clear();
        }
        self.baseline.assets.insert(name.to_owned(), joined);
    }
}
