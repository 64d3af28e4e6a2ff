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

/// What a message says, if it is of a firewall.
pub(super) fn read(message: &Message<'_>) -> Option<Told> {
    let body = message.body.trim_start_matches(' ');
    let is = |name: &&str| message.program.eq_ignore_ascii_case(name);
    let (service, record) = if ["kernel", "ulogd", "nft", "iptables"].iter().any(|name| is(name)) {
        (Service::Netfilter, conntrack::read(body).or_else(|| netfilter::read(body))?)
    } else if is(&"conntrack") {
        (Service::Netfilter, conntrack::read(body)?)
    } else if is(&"filterlog") {
        (Service::Pf, filterlog::read(body)?)
    } else if ["pf", "pflog", "pflogd", "tcpdump"].iter().any(|name| is(name)) {
        (Service::Pf, pflog::read(body)?)
    } else {
        return None;
    };
    let said = Said::Exported(Box::new(record));
    Some(Told { service, stated: None, said })
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
