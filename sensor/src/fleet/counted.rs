//! Messages of others that are refused.

use crate::exchange::Refused;
use crate::metrics;

/// Counts what is refused.
#[derive(Debug)]
pub(super) struct Counted {
    metrics: metrics::Fleet,
}

impl Counted {
    pub(super) const fn new(metrics: metrics::Fleet) -> Self {
        Self { metrics }
    }

    pub(super) fn refused(&self, sender: &str, why: &Refused) {
        let count = self.metrics.refused(why.reason());
        // At the first, the second, the fourth, and so on.
        if count.is_power_of_two() {
            let sender = crate::text::printable_within(sender, 200);
            tracing::warn!("fleet: a message at {sender} is refused: it {why} ({count})");
        }
    }
}
