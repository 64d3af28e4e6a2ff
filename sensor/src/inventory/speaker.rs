//! What is known of a MAC address: whose it is, and for whom it speaks.

use std::net::IpAddr;

use arrayvec::ArrayVec;

use super::AssetId;
use crate::time::Timestamp;

/// Addresses one host may use within [`STALE_DAYS`]; more make a router.
const MAX_ADDRESSES: usize = 8;
/// External IPv6 networks (/64) one host may be in; more make a router.
const MAX_NETWORKS: usize = 2;
/// After so many days without use an address no longer counts: leases move, and IPv6 hosts take
/// a new address every day (RFC 8981).
const STALE_DAYS: u16 = 2;

/// A MAC address that sent packets.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    /// Whose it is.
    pub(super) asset: Option<AssetId>,
    router: bool,
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
}

/// An address it spoke for.
#[derive(Debug, Clone, Copy)]
struct Spoken {
    address: IpAddr,
    /// The day of the last time, counted from the epoch.
    day: u16,
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

    /// For whom it was heard to speak.
    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.heard.addresses.iter().map(|spoken| spoken.address)
    }

    /// As if it had not spoken for anybody yet; what is known of itself stays.
    pub(super) fn meet_anew(&mut self) {
        self.latest = None;
        self.heard.addresses.clear();
    }

    /// Whether it is known to speak for `address`.
    pub(super) fn knows(&mut self, address: IpAddr, time: Timestamp) -> bool {
        if let Some(latest) = self.latest.as_mut().filter(|latest| latest.address == address) {
            latest.day = day(time);
            return true;
        }
        self.settle();
        let spoken = self.heard.addresses.iter().find(|spoken| spoken.address == address);
        if spoken.is_some() {
            self.latest = Some(Spoken { address, day: day(time) });
        }
        spoken.is_some()
    }

    /// Writes the latest address's day back.
    fn settle(&mut self) {
        let Some(latest) = self.latest.take() else { return };
        let mut known = self.heard.addresses.iter_mut();
        if let Some(spoken) = known.find(|spoken| spoken.address == latest.address) {
            spoken.day = latest.day;
        }
    }

    /// It speaks for one more address. An external IPv4 address proves a router at once; external
    /// IPv6 ones do when they lie in several networks, because a guest has global ones of its own.
    pub(super) fn hear(&mut self, address: IpAddr, internal: bool, time: Timestamp) {
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
        let today = day(time);
        let addresses = &mut self.heard.addresses;
        addresses.retain(|spoken| spoken.day.saturating_add(STALE_DAYS) >= today);
        self.router |= addresses.try_push(Spoken { address, day: today }).is_err();
    }

    /// It speaks for an address that another asset has. One such case is an address that moved to
    /// another guest; a second one, or one against the config, is a router.
    pub(super) const fn contradict(&mut self, configured: bool) {
        self.contradictions = self.contradictions.saturating_add(1);
        self.router |= configured || self.contradictions > 1;
    }
}

fn day(time: Timestamp) -> u16 {
    u16::try_from(time.as_secs() / 86_400).unwrap_or(u16::MAX)
}
