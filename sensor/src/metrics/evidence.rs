//! The families of the packets that are kept of alerts.

use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::Register;

/// What looking for an alert's packets came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceResult {
    /// They are on disk.
    Kept,
    /// They were there before.
    Known,
    /// Memory has none, any more or at all.
    None,
    /// There was no room to ask for them.
    Lost,
    /// They could not be written.
    Failed,
}

impl EvidenceResult {
    const ALL: [Self; 5] = [Self::Kept, Self::Known, Self::None, Self::Lost, Self::Failed];

    const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Known => "known",
            Self::None => "none",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }
}

/// Families of evidence.
#[derive(Debug, Clone)]
pub struct Evidence {
    looked: IntCounterVec,
    gave_way: IntCounter,
    alerts: IntGauge,
    bytes: IntGauge,
    reach: IntGauge,
    failing: IntGauge,
}

impl Evidence {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            looked: register.counters(
                "egret_evidence_lookups_total",
                "How often the packets of an alert were looked for, by what came of it.",
                "result",
                &EvidenceResult::ALL.map(EvidenceResult::name),
            )?,
            gave_way: register.counter(
                "egret_evidence_gave_way_total",
                "Alerts whose packets were removed to make room for those of later ones.",
            )?,
            alerts: register.gauge("egret_evidence_alerts", "Alerts whose packets are on disk.")?,
            bytes: register
                .gauge("egret_evidence_bytes", "Bytes that packets of alerts take on disk.")?,
            reach: register.gauge(
                "egret_evidence_memory_reach_seconds",
                "How far memory of the first packets of conversations reaches back.",
            )?,
            failing: register
                .gauge("egret_evidence_failing", "1 while packets of alerts cannot be kept.")?,
        })
    }

    /// An alert's packets were looked for.
    pub fn looked(&self, result: EvidenceResult) {
        self.looked.with_label_values(&[result.name()]).inc();
    }

    /// So many alerts' packets gave way.
    pub fn gave_way(&self, alerts: usize) {
        self.gave_way.inc_by(alerts as u64);
    }

    /// Says how far memory reaches back, and what is on disk: so many alerts' packets, and their bytes.
    pub fn tell(&self, reach: Option<Duration>, disk: Option<(usize, u64)>) {
        let clamped = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.reach.set(clamped(reach.map_or(0, |reach| reach.as_secs())));
        if let Some((alerts, bytes)) = disk {
            self.alerts.set(clamped(alerts as u64));
            self.bytes.set(clamped(bytes));
        }
    }

    /// Says whether packets cannot be kept.
    pub fn failing(&self, is_failing: bool) {
        self.failing.set(i64::from(is_failing));
    }
}
