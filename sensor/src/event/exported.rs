//! A conversation as somebody else counted it: an exporter of flow records, or a firewall's log.

use std::net::IpAddr;

use super::Traffic;
use crate::time::Timestamp;

/// Packets and bytes between two ends, as an exporter counted them between two times.
///
/// Exporters tell of a long conversation in parts, and most of them of each direction by itself:
/// who opened it is for who reads it to say.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowRecord {
    /// The side that sent what is counted in `sent`: address and port, 0 where there is none.
    pub from: (IpAddr, u16),
    /// The other side.
    pub to: (IpAddr, u16),
    /// IP protocol number.
    pub protocol: u8,
    /// When the first packet was counted, by this sensor's clock as far as that is known.
    pub first: Timestamp,
    /// When the last one was.
    pub last: Timestamp,
    /// What `from` sent, as exported: of a sampled flow only what was picked. Bytes are those of IP
    /// packets, without the link's header.
    pub sent: Traffic,
    /// What `to` sent, where one record tells of both directions.
    pub received: Option<Traffic>,
    /// All TCP flags that `from` sent, where the exporter says so.
    pub tcp_flags: Option<u8>,
    /// One packet in so many was picked, where not all were counted.
    pub one_in: Option<f64>,
    /// Whether the exporter says that `from` opened the conversation; most do not know.
    pub is_forward: Option<bool>,
    /// Whether a firewall let nothing of it through.
    pub is_blocked: bool,
}
