//! Assets as they come before this sensor: for the first time, or after they were away.
//!
//! Kept only where somebody asks. Bounds: [`MAX_ASSETS`] that nobody has asked for yet, 16 bytes each; what
//! comes beyond is told when it comes the next time.

use super::{AssetId, Inventory, MAX_ASSETS, Speaker, key};
use crate::decode::Mac;

/// An asset that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) asset: AssetId,
    /// The MAC address by which it came.
    pub(super) mac: Option<Mac>,
    /// Whether it was here before.
    pub(crate) is_known: bool,
}

/// Those that nobody has asked for yet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    are_wanted: bool,
    all: Vec<Arrival>,
}

impl Inventory {
    /// Keeps arrivals from now on.
    pub(crate) const fn want_arrivals(&mut self) {
        self.arrivals.are_wanted = true;
    }

    /// Whether anything came since the last time.
    pub(crate) const fn has_arrivals(&self) -> bool {
        !self.arrivals.all.is_empty()
    }

    /// What came since the last time.
    pub(crate) fn take_arrivals(&mut self) -> Vec<Arrival> {
        std::mem::take(&mut self.arrivals.all)
    }

    pub(super) fn arrive(&mut self, arrival: Arrival) {
        if self.arrivals.are_wanted && self.arrivals.all.len() < MAX_ASSETS {
            self.arrivals.all.push(arrival);
        }
    }

    /// The MAC address by which an asset came, where it is its own.
    pub(crate) fn own_mac(&self, arrival: &Arrival) -> Option<Mac> {
        arrival.mac.filter(|mac| {
            let speaker = self.by_mac.get(&key(*mac));
            speaker.is_some_and(|of| of.asset == Some(arrival.asset) && Speaker::is_own(of))
                && !self.is_several(arrival.asset)
        })
    }
}
