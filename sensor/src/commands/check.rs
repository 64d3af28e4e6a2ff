//! `egret check`.

use crate::cli::{self, Exit, Failure};
use crate::config::Config;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {}

impl Failure for CheckError {}

/// Does it.
///
/// # Errors
/// None yet.
pub fn check(_arguments: &cli::Check, _config: &Config) -> Result<Exit, CheckError> {
    Ok(Exit::Done)
}
