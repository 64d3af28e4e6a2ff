//! Assets of which other sensors may know what this one does not, until they have answered.
//!
//! What such an asset does is noted and judged a moment later, and is neither learned nor told by
//! [`super::channels`] meanwhile. Bounds: [`MOST`] assets; who comes beyond is judged as it comes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::inventory::AssetId;
use crate::time::Timestamp;

/// Assets that are waited for at a time.
const MOST: usize = 4096;

/// Who is waited for.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    /// How long; none: there is no fleet.
    wait: Option<Duration>,
    until: BTreeMap<AssetId, Timestamp>,
    /// No wait is over before.
    next: Timestamp,
}

impl Awaited {
    /// From now on an answer is waited for so long.
    pub(super) const fn expect(&mut self, wait: Duration) {
        self.wait = Some(wait);
    }

    /// An asset came of which nothing is known.
    pub(super) fn begin(&mut self, asset: AssetId, now: Timestamp) {
        let Some(wait) = self.wait.filter(|_| self.until.len() < MOST) else { return };
        let until = now.plus(wait);
        if self.until.is_empty() {
            self.next = until;
        }
        self.until.insert(asset, until);
    }

    /// Whether an answer may still come.
    pub(crate) fn has(&self, asset: AssetId) -> bool {
        // Nearly always there is none.
        !self.until.is_empty() && self.until.contains_key(&asset)
    }

    /// There was an answer; whether it was waited for.
    pub(super) fn end(&mut self, asset: AssetId) -> bool {
        self.until.remove(&asset).is_some()
    }

    /// Whether a wait is over.
    #[inline]
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        !self.until.is_empty() && now >= self.next
    }

    /// Those whose wait is over.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<AssetId> {
        let due: Vec<AssetId> =
            self.until.iter().filter(|(_, until)| now >= **until).map(|(id, _)| *id).collect();
        due.iter().for_each(|id| _ = self.until.remove(id));
        self.next = self.until.values().min().copied().unwrap_or_default();
        due
    }
}
