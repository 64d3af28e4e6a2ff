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

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use egret_tests::sensor::{Installation, Samples};
use egret_tests::{net, services, skip};

mod captures;
mod counted;
mod endings;
mod host;
mod live;
mod neighbours;
mod nothing_lost;
mod pair;
mod said;

/// What happens within moments may take so long on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);

/// Tests are run one at a time, whatever the number of test threads: they need the processors.
static ALONE: Mutex<()> = Mutex::new(());

/// A test's turn. Its end says how long that took.
struct Turn {
    start: Instant,
    _alone: MutexGuard<'static, ()>,
}

/// Waits for its turn; `None`, and a reason on stderr, where the machine lacks something.
fn turn(programs: &[&str]) -> Option<Turn> {
    let test = thread::current();
    let name = test.name().unwrap_or("a test");
    if let Some(reason) = net::missing().or_else(|| services::missing(programs)) {
        skip(format!("{name}: {reason}"));
        return None;
    }
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Turn { start: Instant::now(), _alone: alone })
}

impl Drop for Turn {
    fn drop(&mut self) {
        eprintln!("{} took {:.1?}", thread::current().name().unwrap_or("?"), self.start.elapsed());
    }
}

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
