//! The families of what is exchanged with other sensors.

use prometheus::{IntCounterVec, IntGauge};

use super::Register;
use crate::exchange::Refused;

/// What messages are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// How a sensor is.
    Health,
    /// An alert.
    Alert,
    /// That an alert was delivered.
    Delivered,
    /// What was learned of an asset.
    Learned,
    /// Where assets of a sensor go.
    Places,
    /// What a person approved or took back.
    Approval,
    /// What a person said of an alert.
    Verdict,
    /// What assets moved in a minute.
    Flows,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Health,
        Self::Alert,
        Self::Delivered,
        Self::Learned,
        Self::Places,
        Self::Approval,
        Self::Verdict,
        Self::Flows,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Alert => "alert",
            Self::Delivered => "delivered",
            Self::Learned => "learned",
            Self::Places => "places",
            Self::Approval => "approval",
            Self::Verdict => "verdict",
            Self::Flows => "flows",
        }
    }
}

/// Families of the fleet.
#[derive(Debug, Clone)]
pub struct Fleet {
    connected: IntGauge,
    sent: IntCounterVec,
    received: IntCounterVec,
    refused: IntCounterVec,
}

impl Fleet {
    pub(super) fn new(register: &Register<'_>) -> Result<Self, prometheus::Error> {
        let kinds = Kind::ALL.map(Kind::name);
        Ok(Self {
            connected: register.gauge(
                "egret_fleet_connected",
                "1 while there is a connection to a NATS server.",
            )?,
            sent: register.counters(
                "egret_fleet_sent_messages_total",
                "Messages to other sensors that a NATS server has taken.",
                "kind",
                &kinds,
            )?,
            received: register.counters(
                "egret_fleet_received_messages_total",
                "Messages of sensors that were read and are as they should be.",
                "kind",
                &kinds,
            )?,
            refused: register.counters(
                "egret_fleet_refused_messages_total",
                "Messages of sensors that were refused.",
                "reason",
                &Refused::REASONS,
            )?,
        })
    }

    /// Whether there is a connection.
    pub fn connected(&self, connected: bool) {
        self.connected.set(connected.into());
    }

    /// A server has taken a message.
    pub fn sent(&self, kind: Kind) {
        self.sent.with_label_values(&[kind.name()]).inc();
    }

    /// A message was read.
    pub fn received(&self, kind: Kind) {
        self.received.with_label_values(&[kind.name()]).inc();
    }

    /// A message was refused; how many were for this reason so far.
    pub fn refused(&self, reason: &str) -> u64 {
        let counter = self.refused.with_label_values(&[reason]);
        counter.inc();
        counter.get()
    }
}
