//! Which MAC address is called what: names of discovered assets, which stay theirs.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::{AssetId, FastMap, Inventory, MAX_ASSETS, key};
use crate::baseline::Baseline;
use crate::config::file;
use crate::decode::Mac;

/// Names by MAC address, and whose a name is.
#[derive(Debug, Default)]
pub(super) struct Identities {
    names: FastMap<u64, Arc<str>>,
    macs: FastMap<Arc<str>, Mac>,
}

impl Identities {
    /// What the guest of this MAC address is called: as ever, else by its address, and by both where that
    /// is another's name.
    pub(super) fn name(&mut self, mac: Mac, address: IpAddr) -> Arc<str> {
        if let Some(name) = self.names.get(&key(mac)) {
            return Arc::clone(name);
        }
        let name = match address.to_string() {
            taken if self.macs.get(&*taken).is_some_and(|other| *other != mac) => {
                format!("{address}@{mac}")
            }
            free => free,
        };
        self.note(mac, name.into())
    }

    fn note(&mut self, mac: Mac, name: Arc<str>) -> Arc<str> {
        self.macs.insert(Arc::clone(&name), mac);
        self.names.insert(key(mac), Arc::clone(&name));
        name
    }

    /// An asset is called otherwise from now on.
    pub(super) fn rename(&mut self, before: &str, after: &Arc<str>) {
        if let Some(mac) = self.macs.remove(before) {
            self.note(mac, Arc::clone(after));
        }
    }
}

impl Inventory {
    /// Takes over from an earlier run which MAC address is called what, but for those that the config
    /// names.
    pub(crate) fn remember(&mut self, baseline: &Baseline) {
        let assets = baseline.assets.iter().filter(|(name, _)| self.named(name).is_none());
        let macs = assets.flat_map(|(name, learned)| {
            learned.macs.iter().filter_map(|mac| Some((file::mac(mac)?, name.as_str())))
        });
        for (mac, name) in macs.take(MAX_ASSETS).collect::<Vec<_>>() {
            self.identities.note(mac, name.into());
        }
    }

    /// The MAC addresses of all assets, in the order of their ids; none of those that the config knows by
    /// networks, which are many.
    pub(crate) fn macs(&self) -> Vec<(AssetId, Mac)> {
        let named = self.named.iter().zip(&self.ids);
        let is_host = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
        let many = named.filter(|(asset, _)| !asset.addresses.iter().all(is_host));
        let many: BTreeSet<AssetId> = many.map(|(_, id)| *id).collect();
        let speakers = self.by_mac.iter().filter_map(|(mac, speaker)| {
            let id = speaker.asset.filter(|id| speaker.is_own() && !many.contains(id))?;
            let [_, _, mac @ ..] = mac.to_be_bytes();
            Some((id, Mac(mac)))
        });
        let called = self.identities.macs.iter();
        let called = called.filter_map(|(name, mac)| Some((self.named(name)?, *mac)));
        let mut all: Vec<_> = speakers.chain(called).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
