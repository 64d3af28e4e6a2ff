//! `egret alerts`.

use crate::cli::{self, Exit, Failure};
use crate::config::Config;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {}

impl Failure for AlertsError {}

/// Does it.
///
/// # Errors
/// None yet.
pub fn alerts(_arguments: &cli::Alerts, _config: &Config) -> Result<Exit, AlertsError> {
    Ok(Exit::Done)
}
