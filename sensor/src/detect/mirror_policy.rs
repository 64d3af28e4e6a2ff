//! AN1131: mirrors that send traffic where it should not go (T1020.001).

use crate::alert::Alert;
use crate::config;
use crate::event::{MirrorChange, Mirrored, Report, Service};
use crate::time::Timestamp;

use super::estate::Estate;

/// The detector.
#[derive(Debug)]
pub(super) struct MirrorPolicy {
    _policy: config::MirrorPolicy,
}

impl MirrorPolicy {
    pub(super) fn new(config: &config::MirrorPolicy) -> Self {
        Self { _policy: config.clone() }
    }

    /// Takes a change that a log tells of; it may have happened long before now.
    pub(super) fn changed(
        &mut self,
        _estate: &Estate,
        _report: &Report,
        _change: &MirrorChange,
        _alerts: &mut Vec<Alert>,
    ) {
    }

    /// Takes mirrored traffic, as packets or a log show it.
    pub(super) fn mirrored(
        &mut self,
        _estate: &Estate,
        _mirrored: &Mirrored,
        _by: Option<Service>,
        _alerts: &mut Vec<Alert>,
    ) {
    }

    /// Takes what only the passing of time changes.
    pub(super) fn tick(&mut self, _estate: &Estate, _now: Timestamp, _alerts: &mut Vec<Alert>) {}
}
