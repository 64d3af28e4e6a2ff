//! Another config for assets that are known already: ids stay, because tables everywhere are
//! indexed by them, and with them everything that was learned.
//!
//! - An asset whose name is known keeps its id, also when it was away for some reloads.
//! - One with a new name, at an address or MAC address that is an asset's already, is that asset
//!   under another name: a discovered guest that the config now names, or one that was renamed.
//! - One that is gone is nobody's address any more, but its id and what was learned of it stay for
//!   its return. A guest at its address may be discovered as a new one.
//! - A new one takes the id of one that is gone and of which nothing was learned, else a new id; from
//!   [`MAX_ASSETS`](super::MAX_ASSETS) on that of the one that is gone for the longest time, whose
//!   state is dropped and counted. So reloads do not add up.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::labels::Labels;
use super::ranges::Ranges;
use super::{Asset, AssetId, FastMap, Inventory, Speaker, key};
use crate::config::{self, Config, Role};

/// What another config changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Assets with another name, and the one before.
    pub(crate) renamed: Vec<(AssetId, Arc<str>)>,
    /// Ids that stand for another asset than before, and the name of that one.
    pub(crate) reused: Vec<(AssetId, Arc<str>)>,
}

/// Whom a config knows by what.
struct Owners {
    addresses: FastMap<IpAddr, AssetId>,
    /// The longest prefix first.
    prefixes: Vec<(IpNet, AssetId)>,
    macs: FastMap<u64, AssetId>,
}

impl Inventory {
    /// Takes another config; one that says the same changes nothing.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Changes {
        let mut changes = Changes::default();
        let inside = self.network != config.network.internal;
        if !inside && self.named == config.assets {
            return changes;
        }
        self.reloads += 1;
        self.router = None;
        let before = Owners::new(&self.named, &self.ids);
        let (ids, gone) = self.identify(&config.assets, &mut changes);
        let now = Owners::new(&config.assets, &ids);
        if inside {
            self.internal = Ranges::new(&config.network.internal);
            // Who forwards for others was judged by what was inside.
            self.by_mac.clear();
            self.by_address.retain(|address, _| self.internal.contain(*address));
        }
        self.by_address
            .retain(|address, id| !before.addresses.contains_key(address) && !gone.contains(id));
        self.forget_speakers(&before, &now, &gone);
        for (mac, id) in &now.macs {
            if inside || before.macs.get(mac) != Some(id) {
                self.by_mac.insert(*mac, Speaker::of(*id));
            }
        }
        self.by_address.extend(now.addresses);
        self.holders.retain(|address, _| self.by_address.contains_key(address));
        self.by_prefix = now.prefixes;
        self.named.clone_from(&config.assets);
        self.network.clone_from(&config.network.internal);
        self.ids = ids;
        let named = self.named.iter().zip(&self.ids);
        self.by_label = Labels::new(named.map(|(asset, id)| (&*asset.name, *id)));
        for (named, id) in self.named.iter().zip(&self.ids) {
            if let (Some(asset), Some(host)) = (self.assets.get_mut(id.index()), &named.host) {
                asset.host = Some(host.as_str().into());
            }
        }
        self.owns_outside = config
            .assets
            .iter()
            .flat_map(|asset| &asset.addresses)
            .any(|net| !(self.is_internal(net.network()) && self.is_internal(net.broadcast())));
        self.remove_unreachable();
        changes
    }

    /// The ids of the config's assets, in its order, and of those that are gone.
    fn identify(
        &mut self,
        assets: &[config::Asset],
        changes: &mut Changes,
    ) -> (Vec<AssetId>, BTreeSet<AssetId>) {
        let mut ids: Vec<Option<AssetId>> =
            assets.iter().map(|asset| self.named(&asset.name)).collect();
        let mut taken: BTreeSet<AssetId> = ids.iter().flatten().copied().collect();
        for (asset, id) in assets.iter().zip(&mut ids).filter(|(_, id)| id.is_none()) {
            *id = self.known_as(asset, &taken);
            taken.extend(*id);
            if let Some(id) = *id
                && let Some(renamed) = self.assets.get_mut(id.index())
            {
                let before = std::mem::replace(&mut renamed.name, Arc::clone(&asset.name));
                self.by_name.remove(&before);
                self.by_name.insert(Arc::clone(&asset.name), id);
                self.identities.rename(&before, &asset.name);
                changes.renamed.push((id, before));
            }
        }
        let gone: BTreeSet<AssetId> =
            self.ids.iter().copied().filter(|id| !taken.contains(id)).collect();
        gone.iter().for_each(|id| self.remove(*id));
        let ids = assets.iter().zip(ids).map(|(asset, id)| {
            let id = id.unwrap_or_else(|| self.place(&asset.name, changes));
            self.removed.remove(&id);
            if let Some(known) = self.assets.get_mut(id.index()) {
                (known.role, known.configured) = (asset.role, true);
            }
            id
        });
        (ids.collect(), gone)
    }

    /// Whose address, prefix or MAC address an asset of a config has, of those not yet taken.
    fn known_as(&self, asset: &config::Asset, taken: &BTreeSet<AssetId>) -> Option<AssetId> {
        let is_free = |id: &AssetId| !taken.contains(id);
        let by_mac = |mac| {
            let speaker: &Speaker = self.by_mac.get(&key(mac))?;
            speaker.asset.filter(|id| !speaker.is_router() && is_free(id))
        };
        let by_net = |net: &IpNet| {
            let id = match net.prefix_len() == net.max_prefix_len() {
                true => self.by_address.get(&net.addr()).copied(),
                false => self.by_prefix.iter().find(|(known, _)| known == net).map(|(_, id)| *id),
            };
            id.filter(is_free)
        };
        let by_mac = asset.macs.iter().copied().find_map(by_mac);
        by_mac.or_else(|| asset.addresses.iter().find_map(by_net))
    }

    /// An asset is gone: its id is kept for its return.
    fn remove(&mut self, id: AssetId) {
        let Some(asset) = self.assets.get_mut(id.index()) else { return };
        asset.configured = false;
        self.removed.insert(id, self.reloads);
    }

    /// An id for a new asset.
    fn place(&mut self, name: &Arc<str>, changes: &mut Changes) -> AssetId {
        let learned = |id: &AssetId| {
            self.assets.get(id.index()).is_some_and(|asset| asset.first_seen.is_some())
        };
        let oldest = self.removed.iter().map(|(id, reload)| (learned(id), *reload, *id)).min();
        let full = self.assets.len() >= self.limit;
        let Some((learned, _, id)) = oldest.filter(|(learned, ..)| full || !learned) else {
            return self.add(Arc::clone(name), Role::Other, true);
        };
        self.overwritten += u64::from(learned);
        let asset = Asset {
            name: Arc::clone(name),
            role: Role::Other,
            configured: true,
            first_seen: None,
            host: None,
        };
        let Some(place) = self.assets.get_mut(id.index()) else { return id };
        let before = std::mem::replace(place, asset).name;
        self.by_name.remove(&before);
        self.by_name.insert(Arc::clone(name), id);
        changes.reused.push((id, before));
        id
    }

    /// Forgets whose MAC addresses are, where the config has another say now in whose addresses they
    /// speak for. Routers stay routers.
    fn forget_speakers(&mut self, before: &Owners, now: &Owners, gone: &BTreeSet<AssetId>) {
        let by_address = &mut self.by_address;
        self.by_mac.retain(|mac, speaker| {
            if let Some(id) = before.macs.get(mac) {
                return now.macs.get(mac) == Some(id);
            }
            let same = |address: IpAddr| {
                let owner = now.of(address);
                owner == before.of(address) || (owner.is_some() && owner == speaker.asset)
            };
            let stays = speaker.is_router()
                || (speaker.addresses().all(same)
                    && speaker.asset.is_none_or(|id| !gone.contains(&id)));
            for address in speaker.addresses().filter(|_| !stays) {
                if by_address.get(&address).copied() == speaker.asset {
                    by_address.remove(&address);
                }
            }
            stays
        });
    }

    /// Discovered assets whose every address is another's now are gone.
    fn remove_unreachable(&mut self) {
        let mut reachable = vec![false; self.assets.len()];
        let by_mac = self.by_mac.values().filter_map(|speaker| speaker.asset);
        for id in self.by_address.values().copied().chain(by_mac) {
            if let Some(reachable) = reachable.get_mut(id.index()) {
                *reachable = true;
            }
        }
        let lost = self
            .assets()
            .filter(|(id, asset)| !asset.configured && reachable.get(id.index()) == Some(&false));
        let lost: Vec<AssetId> = lost.map(|(id, _)| id).collect();
        lost.into_iter().for_each(|id| self.remove(id));
    }
}

impl Owners {
    fn new(assets: &[config::Asset], ids: &[AssetId]) -> Self {
        let (mut addresses, mut macs) = (FastMap::default(), FastMap::default());
        let mut prefixes = Vec::new();
        for (asset, id) in assets.iter().zip(ids) {
            for net in &asset.addresses {
                if net.prefix_len() == net.max_prefix_len() {
                    addresses.insert(net.addr(), *id);
                } else {
                    prefixes.push((*net, *id));
                }
            }
            macs.extend(asset.macs.iter().map(|mac| (key(*mac), *id)));
        }
        prefixes.sort_by_key(|(net, id)| (u8::MAX - net.prefix_len(), *id));
        Self { addresses, prefixes, macs }
    }

    fn of(&self, address: IpAddr) -> Option<AssetId> {
        self.addresses.get(&address).copied().or_else(|| {
            self.prefixes.iter().find(|(net, _)| net.contains(&address)).map(|(_, id)| *id)
        })
    }
}

#[cfg(test)]
mod tests;
