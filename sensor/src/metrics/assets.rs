//! `egret_asset_bytes_total`: a series an asset and direction, for so many assets and no more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntCounter, IntCounterVec};

use crate::config::Role;

/// Assets that have series of their own; those beyond share `asset="other"`, by role.
pub const MAX_ASSETS: usize = 200;

/// The counters of one asset, or of all that share them.
#[derive(Debug, Clone)]
pub struct AssetBytes {
    /// Bytes it sent.
    pub sent: IntCounter,
    /// Bytes it received.
    pub received: IntCounter,
}

/// The family, and who has series in it. A name keeps its series when the config no longer has
/// it, and so its place: reloads cannot add series without end.
#[derive(Debug, Clone)]
pub(super) struct Assets {
    family: IntCounterVec,
    named: Arc<Mutex<BTreeSet<String>>>,
}

impl Assets {
    pub(super) fn new(family: IntCounterVec) -> Self {
        Self { family, named: Arc::default() }
    }

    pub(super) fn of(&self, name: &str, role: Role) -> AssetBytes {
        let name = if self.has_place(name) { name } else { "other" };
        let counter = |direction| self.family.with_label_values(&[name, role.name(), direction]);
        AssetBytes { sent: counter("out"), received: counter("in") }
    }

    fn has_place(&self, name: &str) -> bool {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains(name) {
            return true;
        }
        named.len() < MAX_ASSETS && named.insert(name.to_owned())
    }
}
