//! Which processor a worker stays on.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A processor for each worker, where there are enough: its flow table then stays in that processor's
/// cache. A single worker goes where there is room.
pub(super) fn processors(workers: usize) -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(None) else { return Vec::new() };
    let of: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number)).collect();
    if of.len() < workers { Vec::new() } else { of }
}

/// Keeps the calling thread on a processor.
pub(super) fn pin(processor: Option<usize>) {
    let Some(processor) = processor else { return };
    let mut only = CpuSet::new();
    only.set(processor);
    if let Err(error) = sched_setaffinity(None, &only) {
        tracing::debug!("a worker is not pinned to processor {processor}: {error}");
    }
}
