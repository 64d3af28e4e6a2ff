//! Clients and ports of TLS sessions, and the networks they lead to: what is new for an asset, and
//! how many others have it.
//!
//! An asset knows them by seeded hashes of 64 bits, as fingerprints are text: that two of a million are
//! taken for one has a chance of 3e-8. Bounds: [`PER_ASSET`] clients and ports an asset, 16 bytes each;
//! [`SHARED`] in all, 65 bytes each; networks as [`Seen`] has them.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;

use super::weigh::Rare;
use crate::baseline::AssetBaseline;
use crate::detect::seen::{Mark, Seen};
use crate::event::Ja4;
use crate::inventory::AssetId;
use crate::prefetch;
use crate::time::Timestamp;

/// Clients and ports known of one asset.
const PER_ASSET: usize = 32;
/// Clients and ports whose users are counted, and that outlast a run.
const SHARED: usize = 1 << 14;
/// What is new for an asset is new for so many hours.
const NEW: u32 = 24;
/// Who did not use it for so long does not have it any more.
const KEPT: u32 = 30 * 24;
/// A network to which nobody went for so long is new.
const NETWORKS: Duration = Duration::from_secs(30 * 86_400);
/// No network is new until networks were seen for so long.
const SETTLED: Duration = Duration::from_secs(3 * 86_400);

/// A client's fingerprint or a server's port.
#[derive(Debug, Clone, Copy)]
enum Trait {
    Client(Ja4),
    Port(u16),
}

/// One asset's use of it, in hours since the epoch.
#[derive(Debug, Clone, Copy)]
struct Use {
    /// The hash of what it is.
    what: u64,
    /// 0 where it was learned.
    first: u32,
    last: u32,
}

/// What is rare.
#[derive(Debug)]
pub(super) struct Rarity {
    assets: Vec<Vec<Use>>,
    /// What is used, by its hash, and how many assets do.
    used: HashMap<u64, (Trait, u32), foldhash::fast::RandomState>,
    networks: Seen,
    hasher: foldhash::fast::RandomState,
    begun: Option<Timestamp>,
}

impl Rarity {
    pub(super) fn new() -> Self {
        Self {
            assets: Vec::new(),
            used: HashMap::default(),
            networks: Seen::new(NETWORKS),
            hasher: foldhash::fast::RandomState::default(),
            begun: None,
        }
    }

    /// Asks for the memory of what a session of `asset` with `server` leads to.
    pub(super) fn expect(&self, asset: AssetId, server: IpAddr) {
        self.networks.prefetch(self.network(server));
        self.assets.get(asset.index()).into_iter().for_each(prefetch::line);
    }

    /// Asks for the memory of what that leads to.
    pub(super) fn prefetch(&self, asset: AssetId) {
        if let Some(first) = self.assets.get(asset.index()).and_then(|uses| uses.first()) {
            prefetch::line(first);
        }
    }

    /// A session of `asset`; whether its client and its port are new for it. `learning`: nothing is.
    pub(super) fn note(
        &mut self,
        asset: AssetId,
        time: Timestamp,
        client: Option<Ja4>,
        port: u16,
        learning: bool,
    ) -> [bool; 2] {
        let hour = u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX);
        let client = client.is_some_and(|ja4| self.one(asset, hour, Trait::Client(ja4), learning));
        // That one everybody uses.
        let port = port != 443 && self.one(asset, hour, Trait::Port(port), learning);
        [client, port]
    }

    /// How many others have what was new for `asset`.
    pub(super) fn rare(&self, new: [bool; 2], client: Option<Ja4>, port: u16) -> Rare {
        let others = |what: Trait| {
            let used = self.used.get(&what.hash(&self.hasher));
            used.map_or(u32::MAX, |(_, users)| users.saturating_sub(1))
        };
        let [is_client, is_port] = new;
        Rare {
            client: client.filter(|_| is_client).map(|ja4| others(Trait::Client(ja4))),
            port: is_port.then(|| others(Trait::Port(port))),
        }
    }

    /// A session leads to a network; whether nobody went there lately.
    pub(super) fn is_new_network(&mut self, server: IpAddr, time: Timestamp) -> bool {
        let begun = *self.begun.get_or_insert(time);
        let network = self.network(server);
        self.networks.is_new(time, network) && time.since(begun) >= SETTLED
    }

    /// The network that `domain::network` makes of an address.
    fn network(&self, server: IpAddr) -> Mark {
        let network = match server {
            IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
            IpAddr::V6(v6) => 1 << 63 | (v6.to_bits() >> 80) as u64,
        };
        Mark::alone(self.hasher.hash_one(network))
    }

    /// Drops what was not used for long.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let hour = u32::try_from(now.as_secs() / 3600).unwrap_or(u32::MAX);
        let Self { assets, used, .. } = self;
        for uses in assets {
            uses.retain(|known| {
                let stays = hour.saturating_sub(known.last) <= KEPT;
                if !stays {
                    leave(used, known.what);
                }
                stays
            });
        }
    }

    /// Forgets what `asset` has.
    pub(super) fn forget(&mut self, asset: AssetId) {
        let Self { assets, used, .. } = self;
        let uses = assets.get_mut(asset.index()).map(std::mem::take);
        uses.into_iter().flatten().for_each(|known| leave(used, known.what));
    }

    /// Fills in what lasts of one asset.
    pub(super) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        baseline.clients.clear();
        baseline.ports.clear();
        for Use { what, first, last } in self.assets.get(asset.index()).into_iter().flatten() {
            match self.used.get(what) {
                Some((Trait::Client(ja4), _)) => {
                    baseline.clients.insert(ja4.to_string(), [*first, *last]);
                }
                Some((Trait::Port(port), _)) => {
                    baseline.ports.insert(*port, [*first, *last]);
                }
                None => {}
            }
        }
    }

    /// Takes over what lasted of one asset.
    pub(super) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let client = |text: &String| Some(Trait::Client(Ja4::from(text).ok()?));
        let clients = baseline.clients.iter().filter_map(|(ja4, used)| Some((client(ja4)?, used)));
        let ports = baseline.ports.iter().map(|(port, used)| (Trait::Port(*port), used));
        for (known, [first, last]) in clients.chain(ports) {
            let what = known.hash(&self.hasher);
            self.enter(asset, known, Use { what, first: *first, last: *last });
        }
    }

    /// Goes on from what is known of one asset by now, here and elsewhere.
    pub(super) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.forget(asset);
        self.restore(asset, baseline);
    }

    /// Whether a client and a port are new for `asset` by what is known now.
    pub(super) fn is_new(
        &self,
        asset: AssetId,
        client: Option<Ja4>,
        port: u16,
        now: Timestamp,
    ) -> [bool; 2] {
        let hour = u32::try_from(now.as_secs() / 3600).unwrap_or(u32::MAX);
        let is_new = |what: Trait| {
            let what = what.hash(&self.hasher);
            let uses = self.assets.get(asset.index());
            let known = uses.and_then(|uses| uses.iter().find(|known| known.what == what));
            known.is_some_and(|known| hour.saturating_sub(known.first) < NEW)
        };
        [
            client.is_some_and(|ja4| is_new(Trait::Client(ja4))),
            port != 443 && is_new(Trait::Port(port)),
        ]
    }

    /// Notes one use; whether it is new.
    fn one(&mut self, asset: AssetId, hour: u32, noted: Trait, learning: bool) -> bool {
        let what = noted.hash(&self.hasher);
        let uses = self.assets.get_mut(asset.index());
        let known = uses.and_then(|uses| uses.iter_mut().find(|known| known.what == what));
        if let Some(known) = known {
            known.last = hour;
            return hour.saturating_sub(known.first) < NEW;
        }
        self.enter(asset, noted, Use { what, first: if learning { 0 } else { hour }, last: hour });
        !learning
    }

    fn enter(&mut self, asset: AssetId, noted: Trait, new: Use) {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Vec::new);
        }
        let Some(uses) = self.assets.get_mut(asset.index()) else { return };
        if uses.len() >= PER_ASSET
            && let Some(oldest) = (0..uses.len()).min_by_key(|at| uses.get(*at).map(|of| of.last))
        {
            leave(&mut self.used, uses.swap_remove(oldest).what);
        }
        if uses.capacity() == 0 {
            // Most have a few: room for more would be most of what is kept.
            uses.reserve_exact(3);
        }
        uses.push(new);
        // Where there is no room they are taken for common.
        let has_room = self.used.len() < SHARED;
        match self.used.get_mut(&new.what) {
            Some((_, users)) => *users += 1,
            None if has_room => _ = self.used.insert(new.what, (noted, 1)),
            None => {}
        }
    }
}

impl Trait {
    fn hash(&self, seed: &impl BuildHasher) -> u64 {
        let mut hasher = seed.build_hasher();
        match self {
            Self::Client(ja4) => hasher.write(ja4.as_bytes()),
            Self::Port(port) => hasher.write_u16(*port),
        }
        hasher.finish()
    }
}

/// One asset does not have it any more.
fn leave(used: &mut HashMap<u64, (Trait, u32), foldhash::fast::RandomState>, what: u64) {
    if let Some((_, users)) = used.get_mut(&what) {
        *users = users.saturating_sub(1);
        if *users == 0 {
            used.remove(&what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::tests::{DAY, HOUR, JA4, any_asset, time};

    #[test]
    fn what_is_new_is_new_for_a_day_unless_learned_and_rare_while_nobody_else_has_it() {
        let mut rarity = Rarity::new();
        let (asset, ja4) = (any_asset(), Ja4::from(JA4).ok());
        assert_eq!(rarity.note(asset, time(0), ja4, 443, true), [false, false]);
        assert_eq!(rarity.note(asset, time(HOUR), ja4, 8443, false), [false, true]);
        assert_eq!(rarity.note(asset, time(2 * HOUR), ja4, 8443, false), [false, true]);
        let rare = rarity.rare([false, true], ja4, 8443);
        assert_eq!(rare, Rare { client: None, port: Some(0) });
        assert_eq!(rarity.note(asset, time(26 * HOUR), ja4, 8443, false), [false, false]);

        let mut baseline = AssetBaseline::default();
        rarity.save(asset, &mut baseline);
        let mut restored = Rarity::new();
        restored.restore(asset, &baseline);
        assert_eq!(restored.note(asset, time(27 * HOUR), ja4, 8443, false), [false, false]);

        rarity.expire(time(40 * DAY));
        assert!(rarity.used.is_empty());
        assert_eq!(rarity.note(asset, time(40 * DAY), ja4, 443, false), [true, false]);
    }

    #[test]
    fn a_flood_of_clients_is_bounded() {
        let mut rarity = Rarity::new();
        for port in 1..=u16::MAX {
            rarity.note(any_asset(), time(u64::from(port)), None, port, false);
        }
        assert_eq!(rarity.assets.iter().map(Vec::len).sum::<usize>(), PER_ASSET);
        assert_eq!(rarity.used.len(), PER_ASSET);
    }
}
