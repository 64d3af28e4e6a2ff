//! Label values that are known before anything happens.

use crate::decode::Refusal;
use crate::intake;
use crate::observe::Unread;

/// Where frames are lost: no room in the ring; the network card or its driver.
pub const DROPPED: [&str; 2] = ["ring", "interface"];
/// Why conversations give way.
pub const EVICTED: [&str; 3] = ["table_full", "stream_budget", "session_budget"];
/// Where events or alerts find no room.
pub const STAGES: [&str; 3] = ["detect", "events", "store"];
/// How many sides of a conversation were seen.
pub const SIDES: [&str; 2] = ["one", "both"];
/// The analytics that raise alerts.
pub const ANALYTICS: [&str; 5] = ["AN1416", "AN0731", "AN0646", "AN1131", "DC0078"];
/// Why alerts are held back.
pub const BUDGET: &str = "budget";
/// DNS response codes, from 0 on (IANA, "DNS RCODEs"), and one for all without a name.
pub const RCODES: [&str; 13] = [
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "DSOTYPENI",
    "unassigned",
];

/// How syslog messages come.
pub const SYSLOG_TRANSPORTS: [&str; 4] = ["udp", "tcp", "tls", "mirror"];
/// What becomes of connections of syslog senders.
pub const SYSLOG_CONNECTIONS: [&str; 4] = ["accepted", "refused", "limited", "failed"];
/// What becomes of datagrams of exporters.
pub const FLOW_DATAGRAMS: [&str; 3] = ["read", "refused", "dropped"];
/// What becomes of requests with audit records.
pub const AUDIT_REQUESTS: [&str; 4] = ["accepted", "refused", "unauthorized", "busy"];

/// Layers of what is read above TCP and UDP.
pub const TLS: &str = "tls";
/// See [`TLS`]; what is in TLS, and no fault of it.
pub const CERTIFICATE: &str = "certificate";
/// See [`TLS`].
pub const DNS: &str = "dns";

/// Why QUIC is not read.
pub(super) fn quic_unread() -> [&'static str; 6] {
    Unread::default().by_reason().map(|(reason, _)| reason)
}

/// What becomes of syslog messages.
pub(super) fn syslog_results() -> Vec<&'static str> {
    let read = intake::Counts::default().by_result().map(|(result, _)| result);
    read.into_iter().chain(["refused", "dropped"]).collect()
}

/// The layers that refuse frames, and what is in them.
pub(super) fn layers() -> Vec<&'static str> {
    let mut layers: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.layer()).collect();
    layers.extend([TLS, CERTIFICATE, DNS]);
    layers.dedup();
    layers
}
