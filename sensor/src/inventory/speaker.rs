//! What is known of a MAC address: whose it is, and for whom it speaks.

use std::net::IpAddr;

use arrayvec::ArrayVec;

use super::AssetId;
use crate::time::Timestamp;

/// Addresses one host may use within [`STALE_MINUTES`]; more make a router.
const MAX_ADDRESSES: usize = 8;
/// External IPv6 networks (/64) one host may be in; more make a router.
const MAX_NETWORKS: usize = 2;
/// After two days without use an address no longer counts: leases move, and IPv6 hosts take a new
/// address every day (RFC 8981).
const STALE_MINUTES: u32 = 2 * 24 * 60;

/// Who says nothing for so long may have been elsewhere.
const AWAY_MINUTES: u32 = 6 * 60;

/// A MAC address that sent packets.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    /// Whose it is.
    pub(super) asset: Option<AssetId>,
    router: bool,
    /// Its asset is another's, for whose address it speaks: who it is itself is not known.
    borrowed: bool,
    /// Whether it speaks for an address that another spoke for a moment ago.
    is_contested: bool,
    /// How often it spoke for an address that another discovered asset has.
    contradictions: u8,
    /// The address it spoke for last, and when; the next one finds it here.
    latest: Option<Spoken>,
    heard: Box<Heard>,
}

/// For whom it spoke before: apart, so that the table that is looked up stays small.
#[derive(Debug, Default)]
struct Heard {
    addresses: ArrayVec<Spoken, MAX_ADDRESSES>,
    networks: ArrayVec<u64, MAX_NETWORKS>,
    /// The address that another spoke for a moment ago, and in which minute that is looked at again.
    contested: Option<(IpAddr, u32)>,
}

/// An address it spoke for.
#[derive(Debug, Clone, Copy)]
struct Spoken {
    address: IpAddr,
    /// The minute of the last time, counted from the epoch.
    minute: u32,
}

impl Speaker {
    /// A MAC address that the config gives to an asset.
    pub(super) fn of(asset: AssetId) -> Self {
        Self { asset: Some(asset), ..Self::default() }
    }

    /// Whether it forwards for others, so that it is nobody's identity.
    pub(super) const fn is_router(&self) -> bool {
        self.router
    }

    /// Whether its asset is what it is itself.
    pub(super) const fn is_own(&self) -> bool {
        !self.router && !self.borrowed
    }

    /// Whether it speaks for several IPv4 addresses and is not known as somebody of its own: one guest
    /// rarely has more than one.
    pub(super) fn may_forward(&self) -> bool {
        let is_unknown = self.asset.is_none() || self.borrowed;
        is_unknown && self.addresses().filter(IpAddr::is_ipv4).count() > 1
    }

    /// For how many minutes it has not spoken for an address; all there are where it never did.
    pub(super) fn quiet_minutes(&self, address: IpAddr, time: Timestamp) -> u32 {
        let heard = self.heard.addresses.iter().chain(&self.latest);
        let last = heard.filter(|spoken| spoken.address == address).map(|spoken| spoken.minute);
        last.max().map_or(u32::MAX, |last| minute(time).saturating_sub(last))
    }

    /// For whom it was heard to speak.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.heard.addresses.iter().map(|spoken| spoken.address)
    }

    /// As if it had not spoken for anybody yet; what is known of itself stays.
    pub(super) fn meet_anew(&mut self) {
        self.latest = None;
        self.heard.addresses.clear();
    }

    /// Whether `address` is the one it spoke for last, and there is nothing to look at again.
    pub(super) fn knows_latest(&mut self, address: IpAddr, time: Timestamp) -> bool {
        let now = minute(time);
        match &mut self.latest {
            Some(latest)
                if latest.address == address
                    && !self.is_contested
                    && now < latest.minute.saturating_add(AWAY_MINUTES) =>
            {
                latest.minute = now;
                true
            }
            _ => false,
        }
    }

    /// Whether it said nothing for long.
    pub(super) fn was_away(&self, time: Timestamp) -> bool {
        let until = |latest: Spoken| latest.minute.saturating_add(AWAY_MINUTES);
        self.latest.is_some_and(|latest| minute(time) >= until(latest))
    }

    /// Whether it is known to speak for `address`, and there is nothing to look at again.
    pub(super) fn knows(&mut self, address: IpAddr, time: Timestamp) -> bool {
        if self.is_contested {
            self.look_again(time);
        }
        if let Some(latest) = self.latest.as_mut().filter(|latest| latest.address == address) {
            latest.minute = minute(time);
            return true;
        }
        self.settle();
        let spoken = self.heard.addresses.iter().find(|spoken| spoken.address == address);
        if spoken.is_some() {
            self.latest = Some(Spoken { address, minute: minute(time) });
        }
        spoken.is_some()
    }

    /// Writes the latest address's time back.
    fn settle(&mut self) {
        let Some(latest) = self.latest.take() else { return };
        let mut known = self.heard.addresses.iter_mut();
        if let Some(spoken) = known.find(|spoken| spoken.address == latest.address) {
            spoken.minute = latest.minute;
        }
    }

    /// It speaks for one more address. An external IPv4 address proves a router at once; external
    /// IPv6 ones do when they lie in several networks, because a guest has global ones of its own. Whether
    /// it did not do so before.
    pub(super) fn hear(&mut self, address: IpAddr, internal: bool, time: Timestamp) -> bool {
        match address {
            _ if internal => {}
            IpAddr::V4(_) => self.router = true,
            IpAddr::V6(v6) => {
                let network = (v6.to_bits() >> 64) as u64;
                if !self.heard.networks.contains(&network) {
                    self.router |= self.heard.networks.try_push(network).is_err();
                }
            }
        }
        self.settle();
        let now = minute(time);
        let addresses = &mut self.heard.addresses;
        addresses.retain(|spoken| spoken.minute.saturating_add(STALE_MINUTES) >= now);
        if let Some(spoken) = addresses.iter_mut().find(|spoken| spoken.address == address) {
            spoken.minute = now;
            return false;
        }
        self.router |= addresses.try_push(Spoken { address, minute: now }).is_err();
        true
    }

    /// It speaks for an address that another asset has. One such case is an address that moved to another
    /// guest; a second one, or one that can be nothing else, is a router.
    pub(super) const fn contradict(&mut self, must_forward: bool) {
        self.contradictions = self.contradictions.saturating_add(1);
        self.router |= must_forward || self.contradictions > 1;
    }

    /// Whether all that is known of it is that it speaks for addresses of `owner`.
    pub(super) fn is_unknown_but_for(&self, owner: AssetId) -> bool {
        self.asset.is_none() || (self.borrowed && self.asset == Some(owner))
    }

    /// Its packets are those of `owner` until more is known.
    pub(super) const fn borrow(&mut self, owner: AssetId) {
        (self.asset, self.borrowed) = (Some(owner), true);
    }

    /// Whose `address` is gets looked at again after `minutes`.
    pub(super) fn contest(&mut self, address: IpAddr, minutes: u32, time: Timestamp) {
        self.heard.contested = Some((address, minute(time).saturating_add(minutes)));
        self.is_contested = true;
    }

    #[cold]
    fn look_again(&mut self, time: Timestamp) {
        let Some((contested, from)) = self.heard.contested else { return };
        if minute(time) < from {
            return;
        }
        // What comes next of the address is heard anew, and it is contested again or taken over.
        self.is_contested = false;
        self.settle();
        self.heard.addresses.retain(|spoken| spoken.address != contested);
    }

    /// The one before has left `address` to it: it did not forward.
    pub(super) fn take_over(&mut self, address: IpAddr) {
        if std::mem::take(&mut self.borrowed) {
            self.asset = None;
        } else if self.heard.contested.is_some_and(|(contested, _)| contested == address) {
            self.contradictions = self.contradictions.saturating_sub(1);
        }
        self.heard.contested = None;
        self.is_contested = false;
    }
}

fn minute(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs() / 60).unwrap_or(u32::MAX)
}
