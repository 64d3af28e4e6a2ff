//! The kernel fast path from outside: what it counts without reading is what a sensor that reads
//! everything counts, and nothing is lost on the way.
//!
//! Needs root, and some tests real programs; without, each says that it was skipped.

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

mod captures;
mod counted;
mod endings;
mod host;
mod live;
mod neighbours;
mod nothing_lost;
mod overlays;
mod pair;
mod said;

/// What happens within moments may take so long on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);

/// A sensor's config and data on disk.
fn installation(config: &str) -> Installation {
    Installation::new(env!("CARGO_BIN_EXE_egret"), config)
}

/// Packets that came, wherever they were counted.
fn packets(samples: &Samples) -> u64 {
    samples.count("egret_capture_packets_total", &[])
}

/// Frames for which a ring had no room, so that they were not read. (The interface may call frames
/// dropped that nobody but the sensor wanted.)
fn lost(samples: &Samples) -> u64 {
    samples.count("egret_capture_dropped_packets_total", &[("reason", "ring")])
        + samples.count("egret_capture_kernel_ring_full_packets_total", &[])
}
