//! The families of flow records: what exporters sent, and what became of it.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts};

use super::{Register, labels};
use crate::intake::flows::{Counts, Early, Outcome, Protocol, Refusal};

/// Families of flow records.
#[derive(Debug, Clone)]
pub struct Flows {
    /// Datagrams, by `result`: `read`, `refused` (a sender that is not allowed), `dropped` (no room,
    /// here or in the kernel).
    pub datagrams: IntCounterVec,
    records: IntCounterVec,
    refused: IntCounterVec,
    lost: IntCounterVec,
    early: IntCounterVec,
    restarts: IntCounter,
    /// Exporters that are known.
    pub exporters: IntGauge,
    /// Templates that they have.
    pub templates: IntGauge,
    /// Seconds by which the exporter's clock is off that is off the most.
    pub clock_skew: IntGauge,
}

impl Flows {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        let protocols = Protocol::ALL.map(Protocol::name);
        let records = IntCounterVec::new(
            Opts::new("egret_flow_records_total", "Flow records, by what became of them."),
            &["protocol", "result"],
        )?;
        for protocol in protocols {
            for outcome in Outcome::ALL {
                records.with_label_values(&[protocol, outcome.name()]);
            }
        }
        Ok(Self {
            datagrams: register.counters(
                "egret_flow_datagrams_total",
                "Datagrams of exporters of flow records, by what became of them.",
                "result",
                &labels::FLOW_DATAGRAMS,
            )?,
            records: register.add(records)?,
            refused: register.counters(
                "egret_flow_refused_total",
                "Datagrams of exporters, and parts of them, that were not read.",
                "reason",
                &Refusal::ALL.map(Refusal::name),
            )?,
            lost: register.counters(
                "egret_flow_lost_total",
                "What exporters sent and never came: records of NetFlow 5 and IPFIX, datagrams of the others.",
                "protocol",
                &protocols,
            )?,
            early: register.counters(
                "egret_flow_missing_templates_total",
                "Sets of flow records that came before their template.",
                "result",
                &Early::ALL.map(Early::name),
            )?,
            restarts: register
                .counter("egret_flow_restarts_total", "Exporters that started anew.")?,
            exporters: register.gauge("egret_flow_exporters", "Exporters of flow records.")?,
            templates: register.gauge("egret_flow_templates", "Templates of exporters.")?,
            clock_skew: register.gauge(
                "egret_flow_clock_skew_seconds",
                "How far the clock of an exporter is off that is off the most.",
            )?,
        })
    }

    /// Counts what has been read since `known`.
    pub fn read(&self, known: &mut Counts, now: Counts) {
        for protocol in Protocol::ALL {
            for outcome in Outcome::ALL {
                let more = |counts: &Counts| counts.records(protocol, outcome);
                let counter = self.records.with_label_values(&[protocol.name(), outcome.name()]);
                counter.inc_by(more(&now).saturating_sub(more(known)));
            }
            let lost = self.lost.with_label_values(&[protocol.name()]);
            lost.inc_by(now.lost(protocol).saturating_sub(known.lost(protocol)));
        }
        for reason in Refusal::ALL {
            let refused = self.refused.with_label_values(&[reason.name()]);
            refused.inc_by(now.refused(reason).saturating_sub(known.refused(reason)));
        }
        for early in Early::ALL {
            let sets = self.early.with_label_values(&[early.name()]);
            sets.inc_by(now.early(early).saturating_sub(known.early(early)));
        }
        self.restarts.inc_by(now.restarts.saturating_sub(known.restarts));
        *known = now;
    }
}
