//! What was installed on an asset, or that it was built or restored: what follows is seen in that light.
//!
//! Bounds: the last such change of each asset, of [`MAX_ASSETS`] assets in each of two generations.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::recent::Recent;
use crate::event::{Change, HostChange, Report};
use crate::inventory::AssetId;
use crate::text::printable;
use crate::time::Timestamp;

/// What comes so soon after is what the change led to.
const LEADS: Duration = Duration::from_secs(3600);
const MAX_ASSETS: usize = 8192;

/// A change of an asset.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) time: Timestamp,
    change: Change,
    detail: Arc<str>,
}

impl Changed {
    /// As a statement of an alert.
    pub(crate) fn statement(&self) -> String {
        match self.change {
            Change::Built => format!("it was made, registered or restored on {}", self.shown()),
            _ => format!("software was installed on it: {}", self.shown()),
        }
    }

    fn shown(&self) -> String {
        printable(&self.detail).to_string()
    }
}

/// The memory.
#[derive(Debug)]
pub(crate) struct AssetChanges(Recent<AssetId, Changed>);

impl AssetChanges {
    pub(super) fn new() -> Self {
        Self(Recent::new(LEADS, MAX_ASSETS))
    }

    /// An asset was changed; what does not bring software is none of this.
    pub(super) fn note(
        &mut self,
        asset: AssetId,
        time: Timestamp,
        change: Change,
        detail: &Arc<str>,
    ) {
        if matches!(change, Change::Installed | Change::Built) {
            self.0.insert(time, asset, Changed { time, change, detail: Arc::clone(detail) });
        }
    }

    /// What led to what an asset does `now`.
    pub(crate) fn before(&self, asset: AssetId, now: Timestamp) -> Option<&Changed> {
        self.0.get(&asset).filter(|changed| now.since(changed.time) <= LEADS)
    }
}

impl Engine {
    /// A host was changed, as its log says.
    pub(super) fn host_changed(&mut self, report: &Report, changed: &HostChange) {
        let inventory = &self.estate.inventory;
        let named = report.reporter.host.as_ref().and_then(|host| inventory.called(host));
        let at = || report.reporter.peer.and_then(|peer| inventory.at(peer));
        let Some(asset) = named.or_else(at) else { return };
        self.estate.changes.note(asset, report.time, changed.change, &changed.detail);
        if let Some(channels) = &mut self.channels {
            channels.host_changed(&self.estate, asset, report.time, changed, &mut self.alerts);
        }
    }

    /// A log says where a virtual machine runs, or that it was made there.
    pub(super) fn placed(&mut self, time: Timestamp, (vm, host): (&str, &Arc<str>), is_new: bool) {
        self.estate.inventory.placed(vm, host);
        if let Some(asset) = self.estate.inventory.called(vm).filter(|_| is_new) {
            self.estate.changes.note(asset, time, Change::Built, host);
        }
    }
}
