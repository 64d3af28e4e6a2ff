//! Firewalls of Linux and the BSDs, by syslog: packets that a rule logs, and connections that ended with
//! what they moved.
//!
//! Understood are the kernel's `LOG` lines of iptables and nftables ([`netfilter`]), connection tracking as
//! `ulogd` and `conntrack -E` write it ([`conntrack`]), and PF: `filterlog` of pfSense and OPNsense
//! ([`filterlog`]), and what tcpdump makes of pflog ([`pflog`]). Whether something was blocked is what the
//! log says, and of a `LOG` rule only its prefix can: that is the administrator's own text.
//!
//! No line but that of a connection's end says how long what it tells of took. Readers leave the times at
//! zero, or how far they are apart; whoever knows when the line was written puts them there.

#![deny(clippy::arithmetic_side_effects)]

use std::net::IpAddr;

use super::esxi::Told;
use super::syslog::Message;
use crate::decode::protocol::{ICMP, ICMPV6, SCTP, TCP, UDP};
use crate::event::{FlowRecord, Said, Service, Traffic};
use crate::time::Timestamp;

mod conntrack;
mod filterlog;
mod netfilter;
mod pflog;
#[cfg(test)]
mod tests;

/// Words that are looked at in a line.
const MAX_WORDS: usize = 96;

/// IP protocol numbers that have no name elsewhere here.
const IGMP: u8 = 2;
const GRE: u8 = 47;
const ESP: u8 = 50;
const AH: u8 = 51;
const UDPLITE: u8 = 136;

/// Reads a message's text.
type Read = fn(&str) -> Option<FlowRecord>;

/// Programs by the names they log under, in any case.
const PROGRAMS: [(&str, Service, Read); 8] = [
    ("kernel", Service::Netfilter, netfilter::read),
    ("ulogd", Service::Netfilter, either),
    ("nft", Service::Netfilter, netfilter::read),
    ("conntrack", Service::Netfilter, conntrack::read),
    ("filterlog", Service::Pf, filterlog::read),
    ("pf", Service::Pf, pflog::read),
    ("pflogd", Service::Pf, pflog::read),
    ("tcpdump", Service::Pf, pflog::read),
];

/// What a message says, if it is of a firewall.
pub(super) fn read(message: &Message<'_>) -> Option<Told> {
    let mut known = PROGRAMS.iter();
    let (_, service, read) = known.find(|(name, ..)| name.eq_ignore_ascii_case(message.program))?;
    let record = read(message.body.trim_start_matches(' '))?;
    Some(Told { service: *service, stated: None, said: Said::Exported(Box::new(record)) })
}

fn either(body: &str) -> Option<FlowRecord> {
    conntrack::read(body).or_else(|| netfilter::read(body))
}

/// One packet, of a protocol that is asked for.
fn packet(from: (IpAddr, u16), to: (IpAddr, u16), protocol: u8, bytes: u64) -> FlowRecord {
    FlowRecord {
        from,
        to,
        protocol,
        first: Timestamp::ZERO,
        last: Timestamp::ZERO,
        sent: Traffic { packets: 1, bytes },
        received: None,
        tcp_flags: None,
        one_in: None,
        is_forward: None,
        is_blocked: false,
    }
}

/// A protocol by its name or its number.
fn protocol(name: &str) -> Option<u8> {
    const NAMES: [(&str, u8); 11] = [
        ("tcp", TCP),
        ("udp", UDP),
        ("icmp", ICMP),
        ("icmpv6", ICMPV6),
        ("ipv6-icmp", ICMPV6),
        ("sctp", SCTP),
        ("igmp", IGMP),
        ("gre", GRE),
        ("esp", ESP),
        ("ah", AH),
        ("udplite", UDPLITE),
    ];
    let named = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    named.map(|(_, number)| *number).or_else(|| name.parse().ok())
}
