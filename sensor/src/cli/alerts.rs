//! The arguments of `egret alerts`.

use clap::Args;

/// The arguments of `egret alerts`.
#[derive(Debug, Args)]
pub struct Alerts {}
