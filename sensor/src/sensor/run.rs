//! `egret run`: the live sensor.

use crate::cli::{self, Exit, Failure};
use crate::config::file::Loaded;

/// Why the sensor could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {}

impl Failure for RunError {}

/// Runs the sensor until it is told to stop.
///
/// # Errors
/// When it cannot start: no interface, no capability, no data directory, a port taken.
pub fn run(
    _arguments: &cli::Run,
    _global: &cli::Global,
    _loaded: Loaded,
) -> Result<Exit, RunError> {
    Ok(Exit::Done)
}
