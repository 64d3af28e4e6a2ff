//! Mirrors as pieces of evidence: what was configured, and what went over the wire.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Text;

/// A change of what is mirrored where, as an audit log has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// What about it is told: `change` (all of it), `own_mirror_deleted`, `unapproved_destination`,
    /// `unapproved_principal`, `unknown_destination`, `retargeted`, `opened_wide`, `foreign_account`,
    /// `console`, or `failed`.
    pub finding: Text,
    /// What was called, as the record has it.
    pub call: String,
    /// `create`, `modify` or `delete`.
    pub action: Text,
    /// `session`, `target`, `filter` or `filter_rule`.
    pub object: Text,
    /// The log it was in: `cloudtrail`, `gcp_audit`, `azure_activity`, `vcenter`, `vpxd`, `nsx`, `device`.
    pub source: Text,
    /// Its id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Account, subscription, project or switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is mirrored; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Where to, by provider ids and addresses; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The network identifier or session id that it has on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire_id: Option<u32>,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The provider's id of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// How long after the event its record came here, in seconds, where that was late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_seconds: Option<u64>,
}

/// Mirrored packets between two ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MirroredTraffic {
    /// Who wraps them.
    pub source: IpAddr,
    /// Who gets them.
    pub destination: IpAddr,
    /// The UDP port, where it is UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How they are wrapped, by the tunnel's name in events, or `unknown`.
    pub wrapping: Text,
    /// The network identifier or session id on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire_id: Option<u32>,
    /// Packets seen so far.
    pub packets: u64,
    /// Their bytes, with their wrapping.
    pub bytes: u64,
    /// Bytes a second between the first and the last of them.
    pub bytes_per_second: u64,
    /// How many of the packets were seen bare, too.
    pub copies: u64,
    /// One conversation inside, as `client -> server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<String>,
    /// `packets`, or the log that told of it: `flow_log`.
    pub witness: Text,
}

/// Whether a destination has no port, as where packets are wrapped in GRE.
pub(super) const fn has_no_port(port: &u16) -> bool {
    *port == 0
}
