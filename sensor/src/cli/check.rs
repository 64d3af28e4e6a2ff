//! The arguments of `egret check`.

use clap::Args;

/// The arguments of `egret check`.
#[derive(Debug, Args)]
pub struct Check {}
