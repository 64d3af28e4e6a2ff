//! Tests that need a machine's processors to themselves, and some programs on it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::{net, services, skip};

/// Tests are run one at a time, whatever the number of test threads.
static ALONE: Mutex<()> = Mutex::new(());

/// A test's turn. Its end says how long that took.
#[derive(Debug)]
pub struct Turn {
    start: Instant,
    _alone: MutexGuard<'static, ()>,
}

/// Waits for its turn; `None`, and a reason on stderr, where the machine cannot make networks or lacks
/// one of these programs.
///
/// # Panics
/// Instead of `None`, where [`skip`] does.
pub fn turn(programs: &[&str]) -> Option<Turn> {
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
