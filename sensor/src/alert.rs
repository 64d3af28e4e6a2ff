//! What the SOC is told: an [`Alert`], its evidence in numbers, and its form as JSON.
//!
//! Field names and meaning are fixed by the alert schema `egret.alert/1`.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::event::Flow;
use crate::mirror::MirrorFacts;
use crate::time::Timestamp;

pub use channel::Channel;
pub use mirroring::{AuditEvent, MirroredTraffic};
pub(crate) use operations::UNNAMED;
pub use operations::{Compared, Operations};
pub use status::{Status, Verdict};

pub(crate) mod attack;
mod channel;
pub mod format;
mod mirroring;
mod operations;
#[cfg(test)]
pub(crate) mod sample;
mod status;

/// One alert. Serialises to exactly one line of the schema `egret.alert/1`, and read back gives
/// that line again; times keep their microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alert {
    /// `egret.alert/1`.
    pub schema: Text,
    /// UUID version 5 of what makes it the same alert; the same over readings and restarts.
    pub id: uuid::Uuid,
    /// When this state of the alert was reached.
    pub time: Timestamp,
    /// Name of the sensor.
    pub sensor: String,
    /// MITRE ATT&CK analytic.
    pub analytic: Analytic,
    /// MITRE ATT&CK techniques.
    pub techniques: Vec<Text>,
    /// A few words.
    pub title: String,
    /// One sentence: who, what, where, how much, compared with what.
    pub summary: String,
    /// How bad.
    pub severity: Severity,
    /// How sure, 0 to 1: the chance that this is what the title says, from the evidence's sum.
    pub confidence: f64,
    /// Whom it is about.
    pub asset: Asset,
    /// Where it went, when one place can be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// Why, in numbers, oldest first.
    pub evidence: Vec<Evidence>,
    /// Time of the first evidence.
    pub first_seen: Timestamp,
    /// Time of the last evidence.
    pub last_seen: Timestamp,
    /// How many times it was raised or updated.
    pub count: u64,
    /// `open` until a person says otherwise.
    pub status: Status,
    /// The conversation that shows it, for events; no part of the schema, and not kept.
    #[serde(skip)]
    pub flow: Option<Box<Flow>>,
}

impl Alert {
    /// Whose account it is about, where one is known.
    pub(crate) fn account(&self) -> Option<&str> {
        let named = self.operations().find_map(|group| group.account.as_deref());
        named.or_else(|| self.changes().find_map(|event| event.principal.as_deref()))
    }

    /// Where whoever did it came from, where that is known.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        let named = self.operations().find_map(|group| group.client);
        named.or_else(|| self.changes().find_map(|event| event.from.as_deref()?.parse().ok()))
    }

    fn changes(&self) -> impl Iterator<Item = &AuditEvent> {
        let is_own = self.analytic == Analytic::AN1131;
        self.evidence.iter().filter(move |_| is_own).filter_map(|piece| match &piece.fact {
            Fact::AuditEvent(event) => Some(&**event),
            _ => None,
        })
    }

    fn operations(&self) -> impl Iterator<Item = &Operations> {
        let is_own = self.analytic == Analytic::AN0646;
        self.evidence.iter().filter(move |_| is_own).filter_map(|piece| match &piece.fact {
            Fact::GuestOperation(group) => Some(&**group),
            _ => None,
        })
    }
}

/// A word of ours: borrowed where it is written, owned where it was read.
pub type Text = Cow<'static, str>;

/// The value of [`Alert::schema`].
pub const SCHEMA: &str = "egret.alert/1";

/// The analytics that Egret implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Analytic {
    /// Unexpected TLS egress (T1048.002).
    AN1416,
    /// Ports calculated from DNS answers (T1568.003).
    AN0731,
    /// Anomalous use of the Guest Operations API (T1675).
    AN0646,
    /// Mirrors that send traffic where it should not go (T1020.001).
    AN1131,
    /// One of the channels of Network Traffic Flow, ATT&CK's data component: which, the evidence and the
    /// techniques say.
    DC0078,
}

impl Analytic {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AN1416, Self::AN0731, Self::AN0646, Self::AN1131, Self::DC0078];

    /// Its name in alerts and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AN1416 => "AN1416",
            Self::AN0731 => "AN0731",
            Self::AN0646 => "AN0646",
            Self::AN1131 => "AN1131",
            Self::DC0078 => "DC0078",
        }
    }
}

/// How bad an alert is, least first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Worth a look when there is time.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
    /// Worth waking someone.
    Critical,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 5] =
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name in alerts, the config and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Whom an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Name from the config, else the address it was discovered by.
    pub name: String,
    /// `esxi`, `vcenter`, `guest` or `other`.
    pub role: Text,
    /// The address it used; of what only logs name it may not be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Its MAC address where one was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// Where a conversation went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Address.
    pub address: IpAddr,
    /// Port; of what has none, such as GRE, 0, which is not written.
    #[serde(default, skip_serializing_if = "mirroring::has_no_port")]
    pub port: u16,
    /// Server name the client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// JA4 fingerprint of the client, where computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
}

/// One piece of evidence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// When it was seen.
    pub time: Timestamp,
    /// What it adds to the alert's log-odds, in nats; the sum decides the severity.
    pub weight: f64,
    /// What was seen.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What a piece of evidence says; serialises with its name as `kind`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// More data moved than usual.
    VolumeSpike {
        /// Which way, seen from the asset: `in` or `out`.
        direction: Text,
        /// The other side: `internal` or `external`.
        scope: Text,
        /// Length of the window that stood out, in seconds.
        window_seconds: u64,
        /// Bytes seen in it.
        observed_bytes: u64,
        /// Bytes usual for it.
        expected_bytes: u64,
        /// How far outside the usual spread, in robust standard deviations of the logarithm.
        score: f64,
        /// When the last of it moved that is known by now; the evidence's time is the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// Hours of the last four weeks that say what is usual; few while little is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_hours: Option<u64>,
    },
    /// What leaves hour after hour beyond what habits explain.
    SlowEgress {
        /// Bytes that left since the evidence's time.
        observed_bytes: u64,
        /// Bytes that would have been usual.
        expected_bytes: u64,
        /// The cumulative sum over the hours since, in robust standard deviations of the logarithm.
        score: f64,
        /// The sum from which it is told.
        bound: f64,
    },
    /// What the asset never used before, besides the place.
    FirstSeen {
        /// What it is: `ja4` or `port`.
        what: Text,
        /// Which.
        value: String,
        /// Other assets that use it.
        other_assets: u64,
    },
    /// A TLS session.
    TlsSession {
        /// Community ID of the conversation.
        community_id: String,
        /// Bytes out to this destination, all sessions together.
        bytes_out: u64,
        /// Bytes out that would have been usual.
        usual_bytes_out: u64,
        /// Over so many days, where that is not today and the day before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u64>,
        /// Sessions to this destination.
        sessions: u64,
        /// What stands out besides the bytes: `no_sni`, `sni_not_in_dns`, `never_resolved`, `odd_port`, `odd_hour`,
        /// `new_network`, `ech`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        notes: Vec<Text>,
        /// Whose flow records say so, where no packets do: then it is a TLS session by its port.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Text>,
        /// One packet in so many was counted by them, and bytes are estimated from that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        one_in: Option<f64>,
    },
    /// A place the asset never went to before.
    FirstSeenDestination {
        /// Registrable domain, else address prefix.
        destination: String,
        /// Other assets that went there.
        other_assets: u64,
        /// Distinct hours in which this asset was seen to go there.
        hours_known: u64,
    },
    /// A DNS answer that a port was calculated from.
    DnsAnswer {
        /// The name asked for.
        query: String,
        /// What was answered.
        answer: String,
    },
    /// A port that a formula explains.
    PortMatch {
        /// The port.
        port: u16,
        /// The formula.
        formula: String,
        /// The chance of that match by accident.
        probability: f64,
    },
    /// A formula found.
    Formula {
        /// The formula, over the octets `a.b.c.d` of the answer.
        expression: String,
        /// Distinct (answer, port) pairs it explains.
        pairs: u64,
        /// Trials of the same name it failed to explain.
        misses: u64,
        /// The port that the last answer predicts next, where one is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_port: Option<u16>,
    },
    /// A connection.
    Connection {
        /// Community ID of the conversation.
        community_id: String,
        /// Destination address.
        address: IpAddr,
        /// Destination port.
        port: u16,
        /// Protocol name, lower case.
        protocol: Text,
        /// The program whose log said so; packets have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Text>,
    },
    /// Guest operations, as a group.
    GuestOperation(Box<Operations>),
    /// A change of what is mirrored where.
    AuditEvent(Box<AuditEvent>),
    /// Mirrored packets on the wire.
    MirroredTraffic(Box<MirroredTraffic>),
    /// What a channel of Network Traffic Flow showed, against its bound.
    Channel(Box<Channel>),
    /// What the mirror port did to the traffic in the last minutes, while that was worth knowing.
    Mirror(MirrorFacts),
    /// What was known before.
    Baseline {
        /// In words: role policy, learning still going on, and the like.
        statement: String,
    },
}

#[cfg(test)]
mod tests;
