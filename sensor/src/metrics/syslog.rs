//! The families of syslog: what came, how, and what became of it.

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::{Register, labels};
use crate::intake::{Counts, join};

/// Families of syslog, from listeners and from the mirror.
#[derive(Debug, Clone)]
pub struct Syslog {
    /// Messages, by `result`: what reading them came to, `refused` (a sender that is not allowed),
    /// `dropped` (no room, here or in the kernel).
    pub messages: IntCounterVec,
    /// The same messages, by `transport`: `udp`, `tcp`, `tls`, `mirror`.
    pub received: IntCounterVec,
    /// Messages of which only a part came; they are among the others.
    pub truncated: IntCounter,
    /// Events of hosts that never came, by their numbers.
    pub missing: IntCounter,
    /// Guest operations and logins that did not go on as they came, by `result`: `merged`, `repeated`,
    /// `hurried`.
    pub joined: IntCounterVec,
    /// Connections, by `result`: `accepted`, `refused`, `limited`, `failed`.
    pub connections: IntCounterVec,
    /// Connections that are open.
    pub open_connections: IntGauge,
    /// Seconds by which the sender's clock is off that is off the most.
    pub clock_skew: IntGauge,
}

impl Syslog {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            messages: register.counters(
                "egret_syslog_messages_total",
                "Syslog messages, by what became of them.",
                "result",
                &labels::syslog_results(),
            )?,
            received: register.counters(
                "egret_syslog_received_messages_total",
                "Syslog messages, by how they came.",
                "transport",
                &labels::SYSLOG_TRANSPORTS,
            )?,
            truncated: register.counter(
                "egret_syslog_truncated_messages_total",
                "Syslog messages of which only a part came.",
            )?,
            missing: register.counter(
                "egret_syslog_missing_events_total",
                "Events of ESXi hosts that never came, by the numbers of those that did.",
            )?,
            joined: register.counters(
                "egret_syslog_joined_reports_total",
                "Guest operations and logins in logs that did not go on as they came.",
                "result",
                &join::Counts::default().by_result().map(|(result, _)| result),
            )?,
            connections: register.counters(
                "egret_syslog_connections_total",
                "Connections of syslog senders.",
                "result",
                &labels::SYSLOG_CONNECTIONS,
            )?,
            open_connections: register
                .gauge("egret_syslog_connections_open", "Connections of syslog senders now.")?,
            clock_skew: register.gauge(
                "egret_syslog_clock_skew_seconds",
                "How far the clock of a syslog sender is off that is off the most.",
            )?,
        })
    }

    /// Counts what has been read since `known`.
    pub fn read(&self, known: &mut Counts, now: Counts) {
        for ((result, now), (_, known)) in now.by_result().into_iter().zip(known.by_result()) {
            self.messages.with_label_values(&[result]).inc_by(now.saturating_sub(known));
        }
        self.truncated.inc_by(now.cut.saturating_sub(known.cut));
        self.missing.inc_by(now.missing.saturating_sub(known.missing));
        *known = now;
    }

    /// Counts what the join, of which there is one, has come to.
    pub fn join(&self, counts: join::Counts) {
        for (result, count) in counts.by_result() {
            let counter = self.joined.with_label_values(&[result]);
            counter.inc_by(count.saturating_sub(counter.get()));
        }
    }
}
