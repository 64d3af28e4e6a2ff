//! MAC addresses as they are met, and whose they are taken for.
//!
//! An address may change hands: a lease that moves, a guest in another's place, two that swap. Whoever
//! speaks for it now has it once the one before has not spoken for it for [`QUIET_MINUTES`]. Until then
//! it may be a router that forwards for the other, and so long the packets of a MAC address of which
//! nothing else is known are the other's.

use std::net::IpAddr;
use std::sync::Arc;

use super::speaker::Speaker;
use super::{AssetId, Inventory, MAX_ASSETS, MAX_SPEAKERS, key};
use crate::config::Role;
use crate::decode::Mac;
use crate::time::Timestamp;

/// Who has not spoken for an address for so long has left it to whoever does.
const QUIET_MINUTES: u32 = 10;

impl Inventory {
    /// A MAC address is seen for the first time.
    pub(super) fn meet(&mut self, mac: Mac, address: IpAddr, time: Timestamp) -> Option<AssetId> {
        if self.by_mac.len() >= MAX_SPEAKERS {
            self.undiscovered += 1;
            return self.owner(address);
        }
        self.by_mac.insert(key(mac), Speaker::default());
        self.hear(mac, address, time)
    }

    /// A MAC address speaks for an address for the first time, or for one whose owner is looked at again.
    pub(super) fn hear(&mut self, mac: Mac, address: IpAddr, time: Timestamp) -> Option<AssetId> {
        let internal = self.is_internal(address);
        let owner = self.owner(address);
        let configured = owner.and_then(|id| self.asset(id)).is_some_and(|asset| asset.configured);
        let claim = match owner {
            Some(owner) if !configured => self.claim(owner, address, mac, time),
            _ => Claim::None,
        };
        let speaker = self.by_mac.get_mut(&key(mac))?;
        let is_new = speaker.hear(address, internal || configured, time);
        match (speaker.asset, owner, claim) {
            (_, _, Claim::Left) => speaker.take_over(address),
            (_, Some(owner), Claim::Fresh) if speaker.is_unknown_but_for(owner) => {
                speaker.borrow(owner);
                speaker.contest(address, QUIET_MINUTES, time);
            }
            (Some(own), Some(other), _) if own != other && is_new => {
                // Who has nothing of its own and speaks for two forwards for both.
                let must_forward = configured || !speaker.is_own();
                speaker.contradict(must_forward);
                if claim == Claim::Fresh {
                    speaker.contest(address, QUIET_MINUTES, time);
                }
            }
            (None, Some(owner), Claim::None) => speaker.asset = Some(owner),
            _ => {}
        }
        if speaker.is_router() {
            return owner;
        }
        let (known, is_own) = (speaker.asset, speaker.is_own());
        let asset = match known {
            Some(id) => Some(id),
            None if internal && mac.is_vmware() => self.discover(mac, address),
            None => None,
        };
        let is_free = owner.is_none() || claim == Claim::Left;
        if is_free && is_own && internal {
            match asset {
                Some(asset) if self.by_address.len() < 4 * MAX_ASSETS => {
                    self.by_address.insert(address, asset);
                    self.holders.insert(address, key(mac));
                }
                _ => {
                    self.by_address.remove(&address);
                    self.holders.remove(&address);
                }
            }
        }
        asset
    }

    /// What another MAC address has to say of an address that a discovered asset has.
    fn claim(&self, owner: AssetId, address: IpAddr, mac: Mac, time: Timestamp) -> Claim {
        let holder = self.holders.get(&address).filter(|holder| **holder != key(mac));
        let held = holder.and_then(|holder| self.by_mac.get(holder));
        match held.filter(|holder| holder.asset == Some(owner) && !holder.is_router()) {
            Some(holder) if holder.quiet_minutes(address, time) < QUIET_MINUTES => Claim::Fresh,
            // Who speaks for more than one may forward for all of them.
            Some(_) if self.by_mac.get(&key(mac)).is_some_and(Speaker::may_forward) => Claim::Fresh,
            Some(_) => Claim::Left,
            None => Claim::None,
        }
    }

    fn discover(&mut self, mac: Mac, address: IpAddr) -> Option<AssetId> {
        let name: Arc<str> = self.identities.name(mac, address);
        let id = match self.by_name.get(&name) {
            // It was discovered before, or the config calls it so.
            Some(id) => *id,
            None if self.assets.len() >= self.limit => {
                self.undiscovered += 1;
                return None;
            }
            None => self.add(name, Role::Guest, false),
        };
        if self.removed.remove(&id).is_some()
            && let Some(asset) = self.assets.get_mut(id.index())
        {
            asset.role = Role::Guest;
        }
        if let Some(speaker) = self.by_mac.get_mut(&key(mac)) {
            speaker.asset = Some(id);
        }
        Some(id)
    }
}

/// What is between a MAC address and an address of a discovered asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Nothing: it is its own, or nobody is known to speak for it.
    None,
    /// Another spoke for it a moment ago.
    Fresh,
    /// Another did, and has left it.
    Left,
}
