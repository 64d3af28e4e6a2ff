//! `egret baseline`.

use crate::cli::{self, Exit, Failure};
use crate::config::Config;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {}

impl Failure for BaselineError {}

/// Does it.
///
/// # Errors
/// None yet.
pub fn baseline(_arguments: &cli::Baseline, _config: &Config) -> Result<Exit, BaselineError> {
    Ok(Exit::Done)
}
