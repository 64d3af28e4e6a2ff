//! `egret run` from outside: the real binary on a real mirror port, with the real programs beside
//! it. Needs root and those programs; without, every test says that it was skipped.

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

use egret_tests::net;
use egret_tests::sensor::{Installation, Samples};
use egret_tests::services;

mod accounting;
mod delivery;
mod disk;
mod end_to_end;
mod hello;
mod killed;
mod links;
mod mirrors;
mod process;
mod reload;

/// What happens within moments may take so long on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(20);

/// Reads what the tests need to have to themselves: they are run one at a time, whatever the
/// number of test threads, because most of them need the processors.
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
        eprintln!("SKIPPED: {name}: {reason}");
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

/// Frames that the sensor has received.
fn packets(samples: &Samples) -> u64 {
    samples.count("egret_capture_packets_total", &[])
}

/// Frames that were lost on the way to it.
fn dropped(samples: &Samples) -> u64 {
    samples.count("egret_capture_dropped_packets_total", &[])
}
