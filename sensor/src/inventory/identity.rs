//! Which MAC address is called what: names of discovered assets, which stay theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{AssetId, FastMap, Inventory, MAX_ASSETS, key};
use crate::baseline::Baseline;
use crate::config::file;
use crate::decode::Mac;

/// What makes an asset the same for all sensors of a fleet, whatever each calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Its MAC address, the smallest that the config gives it, else that is known of it.
    #[serde(with = "as_text")]
    Mac(Mac),
    /// Its name, where it has no MAC address of its own: behind a router, or known by networks.
    Name(String),
}

impl Identity {
    /// As a token of a key: `005056800001`, or `name-` and a hash of the name in 32 digits.
    pub fn key(&self) -> String {
        match self {
            Self::Mac(Mac([a, b, c, d, e, f])) => {
                format!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}")
            }
            Self::Name(name) => {
                let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes());
                format!("name-{}", hash.simple())
            }
        }
    }

    /// Whether its text has at most so many bytes.
    pub(crate) const fn is_within(&self, longest: usize) -> bool {
        match self {
            Self::Mac(_) => true,
            Self::Name(name) => name.len() <= longest,
        }
    }
}

mod as_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Mac, file};

    pub(super) fn serialize<S: Serializer>(mac: &Mac, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(mac)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Mac, D::Error> {
        let text = String::deserialize(from)?;
        file::mac(&text).ok_or_else(|| D::Error::custom("that is no MAC address"))
    }
}

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

    /// What one asset may be known by elsewhere: its MAC addresses and its name as the config has them, and
    /// the MAC address by which it was discovered.
    pub(crate) fn given_identities(&self, id: AssetId) -> impl Iterator<Item = Identity> {
        let asset = self.asset(id);
        let place = self.ids.iter().position(|known| *known == id);
        let named = place.and_then(|place| self.named.get(place));
        let macs = named.into_iter().flat_map(|named| named.macs.iter().copied());
        let called = asset.and_then(|asset| self.identities.macs.get(&asset.name)).copied();
        let name = asset.filter(|asset| asset.configured || called.is_none());
        let name = name.map(|asset| Identity::Name(asset.name.to_string()));
        macs.chain(called).map(Identity::Mac).chain(name)
    }

    /// By what other sensors know each asset that was seen.
    pub(crate) fn all_identities(&self) -> BTreeMap<AssetId, Identity> {
        let mut all = BTreeMap::new();
        let named = self.named.iter().zip(&self.ids);
        let given = named.filter_map(|(asset, id)| Some((*id, *asset.macs.iter().min()?)));
        // In order, so that the smallest comes first.
        for (id, mac) in given.chain(self.macs()) {
            all.entry(id).or_insert(Identity::Mac(mac));
        }
        for (id, asset) in self.assets().filter(|(_, asset)| asset.first_seen.is_some()) {
            all.entry(id).or_insert_with(|| Identity::Name(asset.name.to_string()));
        }
        all
    }

    /// The asset of an identity, where there is one.
    pub(crate) fn identified(&self, identity: &Identity) -> Option<AssetId> {
        match identity {
            Identity::Mac(mac) => {
                let speaker = self.by_mac.get(&key(*mac)).filter(|speaker| speaker.is_own());
                let own = speaker.and_then(|speaker| speaker.asset);
                own.filter(|id| !self.is_several(*id)).or_else(|| {
                    let named = self.named.iter().zip(&self.ids);
                    named.into_iter().find(|(named, _)| named.macs.contains(mac)).map(|(_, id)| *id)
                })
            }
            Identity::Name(name) => self.named(name),
        }
    }

    /// Whether the config knows it by networks: it is many hosts.
    pub(super) fn is_several(&self, id: AssetId) -> bool {
        let is_host = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
        let is_configured = self.asset(id).is_some_and(|asset| asset.configured);
        let place = is_configured.then(|| self.ids.iter().position(|known| *known == id)).flatten();
        let named = place.and_then(|place| self.named.get(place));
        named.is_some_and(|named| !named.addresses.iter().all(is_host))
    }

    /// What a guest that was not seen here yet will be called: as ever, else as another sensor calls it,
    /// where that is nobody's name.
    pub(crate) fn name_for(&mut self, identity: &Identity, called: &str) -> Arc<str> {
        let mac = match identity {
            Identity::Name(name) => return name.as_str().into(),
            Identity::Mac(mac) => *mac,
        };
        if let Some(name) = self.identities.names.get(&key(mac)) {
            return Arc::clone(name);
        }
        let is_taken = self.named(called).is_some() || self.identities.macs.contains_key(called);
        let name = if is_taken { format!("{called}@{mac}") } else { called.to_owned() };
        self.identities.note(mac, name.into())
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
