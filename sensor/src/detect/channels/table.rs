//! The table of the channel detectors: what each detects, reads and is told from.

use super::{
    attempts, beacons, domains, floods, hosts, idle, llmnr, mining, names, neighbours, odd_tls,
    relay, segments, services, spoken, transfers, unresolved, whereabouts,
};
use crate::alert::Severity;

/// What a detector reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// What conversations move, as packets or flow records show it.
    Flows,
    /// DNS responses.
    Dns,
    /// ClientHellos.
    Hellos,
    /// How streams begin.
    Streams,
    /// ARP and DHCP.
    Links,
    /// What ESXi logs.
    Logs,
}

impl Reads {
    /// Its name in the docs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flows => "flows",
            Self::Dns => "DNS",
            Self::Hellos => "TLS hellos",
            Self::Streams => "streams' beginnings",
            Self::Links => "ARP and DHCP",
            Self::Logs => "logs of ESXi",
        }
    }
}

/// What an asset may do without being told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learns {
    /// Nothing: it is worth telling whatever was before.
    Nothing,
    /// What it did while it was learned.
    Usual,
    /// That, and what was told of it once: the second time is not the first.
    Told,
}

/// One detector.
#[derive(Debug, PartialEq)]
pub struct Detector {
    /// Its name in the config, in alerts and in the docs.
    pub name: &'static str,
    /// The title of its alerts.
    pub title: &'static str,
    /// What it detects, in one sentence.
    pub detects: &'static str,
    /// ATT&CK techniques that look like this.
    pub techniques: &'static [&'static str],
    /// The highest severity that it can reach.
    pub most: Severity,
    /// What harmless things look like this, and how often: nats that are taken from its evidence.
    pub prior: (f64, &'static str),
    /// What it reads.
    pub reads: &'static [Reads],
    /// From when on it tells.
    pub bound: &'static str,
    /// What is not told of.
    pub(super) learns: Learns,
}

/// All of them, in the order of the docs.
pub const CHANNELS: [&Detector; 56] = [
    &attempts::PORT_SCAN,
    &attempts::HOST_SWEEP,
    &attempts::SCANNED,
    &attempts::PORT_KNOCK,
    &floods::HALF_OPEN_FLOOD,
    &floods::SINGLE_PACKET_FLOOD,
    &floods::SYN_ACK_FLOOD,
    &floods::UDP_REFLECTION,
    &floods::WEB_SPIKE,
    &transfers::OUT_IN_RATIO,
    &transfers::LARGE_UPLOAD,
    &transfers::LONG_CONVERSATION,
    &transfers::INTERNAL_VOLUME,
    &beacons::BEACON,
    &services::VNC,
    &services::WINRM,
    &services::RDP,
    &services::SSH,
    &services::TELNET,
    &services::SMB,
    &services::SMB_FANOUT,
    &services::SMB_FALLBACK,
    &domains::REGISTRY,
    &domains::PASTE_SITE,
    &domains::WEBHOOK,
    &domains::REMOTE_ACCESS,
    &domains::TUNNEL,
    &mining::MINING_POOL,
    &mining::MINING_PORT,
    &names::NXDOMAIN_BURST,
    &names::LONG_NAMES,
    &names::HIDDEN_SERVICE,
    &names::ROTATING_ANSWERS,
    &llmnr::LLMNR_POISONING,
    &unresolved::NEVER_RESOLVED,
    &unresolved::WEB_SERVER_EGRESS,
    &whereabouts::NEW_COUNTRY,
    &whereabouts::NEW_NETWORK,
    &odd_tls::TLS_ODD_PORT,
    &odd_tls::RSA_KEY_EXCHANGE,
    &odd_tls::TOR_LIKE,
    &relay::RELAY,
    &idle::IDLE_SSH,
    &segments::SEGMENT,
    &spoken::ALTERNATE_PORT,
    &spoken::SMB_HIGH_PORT,
    &spoken::STRATUM,
    &spoken::SOCKS,
    &spoken::OPAQUE,
    &neighbours::ADDRESS_CONFLICT,
    &neighbours::ADDRESS_MOVED,
    &neighbours::DHCP_SERVER,
    &neighbours::DHCP_CLIENT,
    &hosts::HOST_FIREWALL,
    &hosts::HOST_RESOLVERS,
    &hosts::HOST_SWITCH,
];
