//! `egret run` from outside: the real binary on a real mirror port, with the real programs beside
//! it. Needs root and those programs; without, every test says that it was skipped.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use std::time::Duration;

use egret_tests::sensor::{Installation, Samples};
use egret_tests::turn;

mod accounting;
mod audit;
mod budget;
mod delivery;
mod disk;
mod end_to_end;
mod evidence;
mod exporters;
mod fleet;
mod hello;
mod killed;
mod links;
mod logs;
mod mirrors;
mod process;
mod receiver;
mod reload;
mod syslog;
mod tls;

/// What happens within moments may take so long on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);

/// A sensor's config and data on disk.
fn installation(config: &str) -> Installation {
    Installation::new(env!("CARGO_BIN_EXE_egret"), config)
}

/// Frames that the sensor has received.
fn packets(samples: &Samples) -> u64 {
    samples.count("egret_capture_packets_total", &[])
}

/// Frames that were lost on the way to it.
fn dropped(samples: &Samples) -> u64 {
    samples.count("egret_capture_dropped_packets_total", &[])
}
