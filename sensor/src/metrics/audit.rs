//! The families of audit records: what came, and what became of it.

use prometheus::IntCounterVec;

use super::{Register, labels};
use crate::intake::audit::Counts;

/// Families of audit records, from files and posted.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Records, by `result`: `understood`, `irrelevant`, `repeated`, or why they were refused.
    pub events: IntCounterVec,
    /// Requests with records, by `result`: `accepted`, `refused`, `unauthorized`, `busy`.
    pub requests: IntCounterVec,
}

impl Audit {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            events: register.counters(
                "egret_audit_events_total",
                "Audit records, by what became of them.",
                "result",
                &Counts::default().by_result().map(|(result, _)| result),
            )?,
            requests: register.counters(
                "egret_audit_requests_total",
                "Requests with audit records, by what became of them.",
                "result",
                &labels::AUDIT_REQUESTS,
            )?,
        })
    }

    /// Counts what has been read since `known`.
    pub fn read(&self, known: &mut Counts, now: Counts) {
        for (result, count) in now.since(known).by_result() {
            self.events.with_label_values(&[result]).inc_by(count);
        }
        *known = now;
    }
}
