//! AN0646: anomalous use of the Guest Operations API (T1675).

use super::estate::Estate;
use crate::alert::Alert;
use crate::config;
use crate::event::{GuestOperation, Report};

/// The detector.
#[derive(Debug)]
pub(super) struct GuestOperations {
    config: config::GuestOperations,
}

impl GuestOperations {
    pub(super) fn new(config: &config::GuestOperations) -> Self {
        Self { config: config.clone() }
    }

    /// Takes an operation.
    pub(super) fn operation(
        &mut self,
        _estate: &Estate,
        _report: &Report,
        _operation: &GuestOperation,
        _alerts: &mut Vec<Alert>,
    ) {
        let _ = &self.config;
    }
}
