//! Mirrors as evidence, in words.

use crate::alert::{AuditEvent, MirroredTraffic};
use crate::text::{counted, printable};
use crate::time::ByteSize;

/// What a change says, in one line.
pub(super) fn change(event: &AuditEvent) -> String {
    let principal = event.principal.as_deref().unwrap_or("somebody whom the record does not name");
    format!("{}: {} by {}", event.source, printable(&event.call), printable(principal))
}

/// What mirrored traffic says, in one line.
pub(super) fn traffic(traffic: &MirroredTraffic) -> String {
    format!(
        "{} went from {} to {} in {} ({})",
        ByteSize(traffic.bytes),
        traffic.source,
        traffic.destination,
        printable(&traffic.wrapping),
        counted(traffic.packets, "packet"),
    )
}
