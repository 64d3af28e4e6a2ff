//! The arguments of `egret baseline`.

use clap::Args;

/// The arguments of `egret baseline`.
#[derive(Debug, Args)]
pub struct Baseline {}
