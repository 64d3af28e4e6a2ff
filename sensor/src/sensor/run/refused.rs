//! Frames that all workers refused, by reason: metrics have the layers, the event file the reasons.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::decode::Refusal;
use crate::eve;

/// Counters that the workers raise, one for each reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Refused(Arc<[AtomicU64; Refusal::ALL.len()]>);

impl Refused {
    pub(super) fn add(&self, refusal: Refusal, more: u64) {
        if let Some(count) = self.0.get(refusal as usize) {
            count.fetch_add(more, Relaxed);
        }
    }

    /// The reasons that occurred and how often.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> {
        let counts = self.0.iter().map(|count| count.load(Relaxed));
        Refusal::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }

    /// Those that were malformed.
    pub(super) fn malformed(&self) -> u64 {
        self.iter().filter(|(refusal, _)| refusal.is_malformed()).map(|(_, count)| count).sum()
    }

    /// As a `stats` event has them.
    pub(super) fn by_layer(&self) -> eve::Refused {
        let mut layers = eve::Refused::new();
        for (refusal, count) in self.iter() {
            layers.entry(refusal.layer()).or_default().insert(refusal.reason(), count);
        }
        layers
    }
}
