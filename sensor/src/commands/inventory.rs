//! `egret inventory`.

use crate::cli::{self, Exit, Failure};
use crate::config::Config;

pub mod import;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {}

impl Failure for InventoryError {}

/// Does it.
///
/// # Errors
/// None yet.
pub fn inventory(_arguments: &cli::Inventory, _config: &Config) -> Result<Exit, InventoryError> {
    Ok(Exit::Done)
}
