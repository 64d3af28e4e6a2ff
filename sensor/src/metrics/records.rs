//! The family of flow records that came to detection.

use prometheus::IntCounterVec;

use super::Register;
use crate::detect::FlowRecords;

/// What became of flow records.
#[derive(Debug, Clone)]
pub struct Records {
    used: IntCounterVec,
}

impl Records {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        let used = register.counters(
            "egret_flow_records_used_total",
            "Flow records of exporters and logs that came to detection, by what became of them.",
            "result",
            &FlowRecords::default().by_result().map(|(result, _)| result),
        )?;
        Ok(Self { used })
    }

    /// Says what became of all so far.
    pub fn tell(&self, records: FlowRecords) {
        for (result, count) in records.by_result() {
            let family = self.used.with_label_values(&[result]);
            family.inc_by(count.saturating_sub(family.get()));
        }
    }
}
