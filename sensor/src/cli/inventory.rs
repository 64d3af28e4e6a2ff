//! The arguments of `egret inventory`.

use clap::Args;

/// The arguments of `egret inventory`.
#[derive(Debug, Args)]
pub struct Inventory {}
