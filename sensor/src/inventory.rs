//! Assets: the ones the config names, and guests discovered by VMware's MAC prefixes.
//!
//! An asset is found by MAC address first, because a guest has several addresses and changes
//! them, then by address. A MAC address that speaks for many (a virtual router, an NSX edge, a
//! firewall) says nothing about who sent a packet: from then on only the address counts.
//!
//! What is discovered is known by its MAC address for good, over runs as well: under whatever address,
//! on whatever host or VLAN it is seen, it keeps its name and what was learned of it, and whoever else
//! is seen at an address it had is somebody new.
//!
//! Bounds: [`MAX_ASSETS`] assets, [`MAX_SPEAKERS`] MAC addresses with up to 8 recent addresses
//! each (about 200 bytes); what does not fit is not discovered, and counted. The config's assets
//! are taken in any case.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use ipnet::IpNet;

use crate::config::{self, Config, Role};
use crate::decode::Mac;
use crate::event::Endpoint;
use crate::time::Timestamp;
use arrivals::Arrivals;
use identity::Identities;
use labels::Labels;
use ranges::Ranges;
use speaker::Speaker;

mod arrivals;
mod discovery;
mod identity;
mod labels;
mod ranges;
mod reconfigure;
mod speaker;

pub(crate) use arrivals::Arrival;
pub use identity::Identity;
pub(crate) use reconfigure::Changes;

/// Assets beyond this number are not discovered.
pub const MAX_ASSETS: usize = 32_768;
/// MAC addresses beyond this number are not remembered.
pub const MAX_SPEAKERS: usize = 65_536;

type FastMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// An asset's number, dense from 0, for as long as the [`Inventory`] lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetId(u32);

impl AssetId {
    /// Where the asset stands in a table by asset.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One thing that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Name from the config, else the address it was discovered by, with its MAC address where that name
    /// is another's: `10.20.0.5@00:50:56:80:00:01`.
    pub name: Arc<str>,
    /// What it is for.
    pub role: Role,
    /// Whether the config names it.
    pub configured: bool,
    /// When it was first seen; `None` before that.
    pub first_seen: Option<Timestamp>,
    /// The ESXi host a guest runs on, where the config or a log says so.
    pub host: Option<Arc<str>>,
}

/// All assets, and how to tell them from a packet's addresses.
#[derive(Debug)]
pub struct Inventory {
    internal: Ranges,
    assets: Vec<Asset>,
    by_address: FastMap<IpAddr, AssetId>,
    /// Configured prefixes, the longest first.
    by_prefix: Vec<(IpNet, AssetId)>,
    /// Whether the config knows assets by addresses outside the estate.
    owns_outside: bool,
    /// By MAC address, as the number [`key`] makes of it.
    by_mac: FastMap<u64, Speaker>,
    /// The router that spoke last: half of all ends are behind one, mostly behind the same.
    router: Option<u64>,
    /// Which MAC address took an address of a discovered asset into `by_address`.
    holders: FastMap<IpAddr, u64>,
    identities: Identities,
    arrivals: Arrivals,
    /// The config's assets, with the ids they have, and its networks inside.
    named: Vec<config::Asset>,
    ids: Vec<AssetId>,
    network: Vec<IpNet>,
    /// All assets by name, which no two share.
    by_name: FastMap<Arc<str>, AssetId>,
    by_label: Labels,
    /// Assets that are gone, with the number of the config they went with; their ids are kept.
    removed: BTreeMap<AssetId, u64>,
    /// Configs taken.
    reloads: u64,
    /// [`MAX_ASSETS`]
    limit: usize,
    undiscovered: u64,
    overwritten: u64,
}

impl Inventory {
    /// The assets of the config; others are discovered by [`Inventory::resolve`].
    pub fn new(config: &Config) -> Self {
        let mut inventory = Self {
            internal: Ranges::new(&[]),
            assets: Vec::new(),
            by_address: FastMap::default(),
            by_prefix: Vec::new(),
            owns_outside: false,
            by_mac: FastMap::default(),
            router: None,
            holders: FastMap::default(),
            identities: Identities::default(),
            arrivals: Arrivals::default(),
            named: Vec::new(),
            ids: Vec::new(),
            network: Vec::new(),
            by_name: FastMap::default(),
            by_label: Labels::default(),
            removed: BTreeMap::new(),
            reloads: 0,
            limit: MAX_ASSETS,
            undiscovered: 0,
            overwritten: 0,
        };
        inventory.reconfigure(config);
        inventory
    }

    /// Whether an address is inside the estate.
    pub fn is_internal(&self, address: IpAddr) -> bool {
        self.internal.contain(address)
    }

    /// Whose end of a conversation this is; discovers, and learns MAC addresses, on the way.
    ///
    /// Costs one hash look-up where the MAC address is an asset's own; none behind the router that
    /// spoke last, but for an address inside.
    pub fn resolve(&mut self, end: &Endpoint, time: Timestamp) -> Option<AssetId> {
        if !is_host(end.address) {
            return None;
        }
        let mac = end.mac.map(key).filter(|mac| is_station(*mac) && self.router != Some(*mac));
        let Some(mac) = mac else { return self.seen_at(end.address, time) };
        let Some(speaker) = self.by_mac.get_mut(&mac) else { return self.look_at(end, time) };
        if speaker.is_router() {
            self.router = Some(mac);
            return self.seen_at(end.address, time);
        }
        if speaker.knows_latest(end.address, time) {
            // It was resolved before: the asset has its first time already.
            return speaker.asset;
        }
        self.look_at(end, time)
    }

    /// The same where only the address says whose it is.
    fn seen_at(&mut self, address: IpAddr, time: Timestamp) -> Option<AssetId> {
        let found = self.owner(address)?;
        self.see(found, None, time)
    }

    /// The same for what is not found at once.
    #[cold]
    fn look_at(&mut self, end: &Endpoint, time: Timestamp) -> Option<AssetId> {
        let mac = end.mac?;
        let (found, is_back) = match self.by_mac.get_mut(&key(mac)) {
            Some(speaker) => {
                let is_back = speaker.was_away(time);
                if !speaker.knows(end.address, time) {
                    (self.hear(mac, end.address, time)?, is_back)
                } else if is_back {
                    (speaker.asset?, true)
                } else {
                    return speaker.asset;
                }
            }
            None => (self.meet(mac, end.address, time)?, true),
        };
        self.see(found, Some(mac).filter(|_| is_back), time)
    }

    /// An asset is seen; `mac`: by one that was not heard yet, or for long.
    fn see(&mut self, found: AssetId, mac: Option<Mac>, time: Timestamp) -> Option<AssetId> {
        let asset = self.assets.get_mut(found.index())?;
        let is_known = asset.first_seen.is_some();
        asset.first_seen.get_or_insert(time);
        if !is_known || mac.is_some() {
            self.arrive(Arrival { asset: found, mac, is_known });
        }
        Some(found)
    }

    /// An asset by its number.
    pub fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.get(id.index())
    }

    /// All that is watched: the configured assets in the config's order, then those discovered as
    /// they came; with other configs taken since, in the order in which they became known.
    pub fn assets(&self) -> impl Iterator<Item = (AssetId, &Asset)> {
        self.all().filter(|(id, _)| !self.removed.contains_key(id))
    }

    /// The same with those that are gone, but for which their ids are kept: dense from 0.
    pub(crate) fn all(&self) -> impl Iterator<Item = (AssetId, &Asset)> {
        (0..).map(AssetId).zip(&self.assets)
    }

    /// The ids that are in use, from the one of that number on.
    pub(crate) fn ids_from(&self, first: usize) -> impl Iterator<Item = AssetId> + use<> {
        (first..self.assets.len()).filter_map(|id| u32::try_from(id).ok().map(AssetId))
    }

    /// The id of that number, where it is in use.
    pub(crate) fn id_at(&self, number: usize) -> Option<AssetId> {
        self.ids_from(number).next()
    }

    /// How many ids are in use.
    pub(crate) fn len(&self) -> usize {
        self.assets.len()
    }

    /// How many of the assets that are there were seen.
    pub(crate) fn seen(&self) -> usize {
        self.assets().filter(|(_, asset)| asset.first_seen.is_some()).count()
    }

    /// Whose name this is, also when it is gone.
    pub(crate) fn named(&self, name: &str) -> Option<AssetId> {
        self.by_name.get(name).copied()
    }

    /// Whom a log means by a name of its own: the config's name, in any case, with or without a domain.
    pub(crate) fn called(&self, name: &str) -> Option<AssetId> {
        let is_known = |id: &AssetId| !self.removed.contains_key(id);
        self.named(name).filter(is_known).or_else(|| self.by_label.find(name))
    }

    /// Whose address this is, as far as addresses alone say.
    pub(crate) fn at(&self, address: IpAddr) -> Option<AssetId> {
        self.owner(address)
    }

    /// Whose MAC address this is, as far as it was seen.
    pub(crate) fn with_mac(&self, mac: Mac) -> Option<AssetId> {
        self.by_mac.get(&key(mac))?.asset
    }

    /// An address of an asset, the same one every time.
    pub(crate) fn address_of(&self, asset: AssetId) -> Option<IpAddr> {
        let own = self.by_address.iter().filter(|(_, id)| **id == asset);
        own.map(|(address, _)| *address).min()
    }

    /// A log says on which ESXi host a guest runs; where the config says so too, that counts.
    pub(crate) fn placed(&mut self, vm: &str, host: &Arc<str>) {
        let Some(id) = self.called(vm) else { return };
        let is_configured =
            |(named, own): (&config::Asset, &AssetId)| *own == id && named.host.is_some();
        if self.named.iter().zip(&self.ids).any(is_configured) {
            return;
        }
        if let Some(asset) = self.assets.get_mut(id.index())
            && asset.role == Role::Guest
        {
            asset.host = Some(Arc::clone(host));
        }
    }

    /// How many ends of conversations looked like new assets when no more could be remembered.
    pub const fn undiscovered(&self) -> u64 {
        self.undiscovered
    }

    /// How many assets that were gone had to give what was learned of them up, to make room.
    pub(crate) const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// As if the asset had not been seen yet.
    pub(crate) fn forget(&mut self, id: AssetId) {
        if let Some(asset) = self.assets.get_mut(id.index()) {
            asset.first_seen = None;
        }
        // It is met anew, so that it has a first time again.
        let speakers = self.by_mac.values_mut();
        speakers.filter(|speaker| speaker.asset == Some(id)).for_each(Speaker::meet_anew);
    }

    /// Carries over from an earlier run when an asset was first seen.
    pub(crate) fn seen_since(&mut self, id: AssetId, time: Timestamp) {
        if let Some(asset) = self.assets.get_mut(id.index()) {
            asset.first_seen = Some(time);
        }
    }

    /// Whom the config, or discovery, knows by this address alone.
    fn owner(&self, address: IpAddr) -> Option<AssetId> {
        if !self.owns_outside && !self.is_internal(address) {
            return None;
        }
        self.by_address.get(&address).copied().or_else(|| {
            self.by_prefix.iter().find(|(net, _)| net.contains(&address)).map(|(_, id)| *id)
        })
    }

    fn add(&mut self, name: Arc<str>, role: Role, configured: bool) -> AssetId {
        let id = AssetId(u32::try_from(self.assets.len()).unwrap_or(u32::MAX));
        self.by_name.insert(Arc::clone(&name), id);
        self.assets.push(Asset { name, role, configured, first_seen: None, host: None });
        id
    }
}

/// Whether one host can have this address: broadcast, multicast and the like are nobody.
fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified()),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unspecified()),
    }
}

/// A MAC address as a number, which is hashed in one step.
const fn key(mac: Mac) -> u64 {
    let [a, b, c, d, e, f] = mac.0;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Whether one station can have the MAC address of this [`key`]: neither a group's (IEEE 802) nor all
/// zeros.
const fn is_station(key: u64) -> bool {
    /// In the first octet.
    const GROUP: u64 = 1 << 40;
    key != 0 && key & GROUP == 0
}

#[cfg(test)]
mod tests;
