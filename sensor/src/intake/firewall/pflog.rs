//! What tcpdump makes of pflog, one line a packet, as `tcpdump -n -e -l -i pflog0 | logger -t pf` sends it:
//! `rule 0/0(match): block in on em0: 10.0.0.1.22 > 10.0.0.2.1234: Flags [S], seq 1, length 0`, with a time
//! or how long after the one before in front. OpenBSD's has its flags alone: `S 1:1(0) win 16384`.
//!
//! The length is that of the payload: headers of the smallest size are added, which every such packet has.

use std::net::IpAddr;

use super::filterlog::flags;
use super::packet;
use crate::decode::protocol::{ICMP, ICMPV6, TCP, UDP};
use crate::event::FlowRecord;

/// The smallest headers of IPv4, IPv6, TCP and UDP.
const IPV4_HEADER: u64 = 20;
const IPV6_HEADER: u64 = 40;
const TCP_HEADER: u64 = 20;
const UDP_HEADER: u64 = 8;
/// A time in front is no longer.
const MAX_TIME: usize = 32;

/// What a line says.
pub(super) fn read(body: &str) -> Option<FlowRecord> {
    let at = body.find("rule ").filter(|at| *at <= MAX_TIME)?;
    let (_, rest) = body.get(at..)?.split_once("(match)")?;
    let (rule, rest) = rest.split_once(" on ")?;
    let is_blocked = match rule.split_ascii_whitespace().rev().nth(1)? {
        "pass" => false,
        "block" => true,
        _ => return None,
    };
    let (_interface, rest) = rest.split_once(": ")?;
    let (from, rest) = rest.split_once(" > ")?;
    let (to, rest) = rest.split_once(": ")?;
    let from = from.rsplit_once(' ').map_or(from, |(_, from)| from);
    let (from, to) = (end(from)?, end(to)?);
    let letters = letters(rest);
    let has_ports = from.1 != 0 && to.1 != 0;
    let number = match rest {
        _ if letters.is_some() => TCP,
        _ if rest.starts_with("ICMP6") || rest.starts_with("icmp6") => ICMPV6,
        _ if rest.starts_with("ICMP") || rest.starts_with("icmp") => ICMP,
        // What it takes apart is named by its protocol above.
        _ if has_ports => UDP,
        _ => return None,
    };
    let bytes = least(from.0, number).saturating_add(payload(rest).unwrap_or(0));
    let record = packet(from, to, number, bytes);
    Some(FlowRecord { tcp_flags: letters.map(flags), is_blocked, ..record })
}

/// `10.0.0.1.22`, `2001:db8::1.22`; of what has no ports the address alone.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    if let Ok(address) = text.parse() {
        return Some((address, 0));
    }
    let (address, port) = text.rsplit_once('.')?;
    Some((address.parse().ok()?, port.parse().ok()?))
}

/// The flags of a TCP segment.
fn letters(rest: &str) -> Option<&str> {
    if let Some(rest) = rest.strip_prefix("Flags [") {
        return rest.split_once(']').map(|(letters, _)| letters);
    }
    let (first, _) = rest.split_once(' ')?;
    let is_flags = !first.is_empty() && first.chars().all(|letter| "SFRPUEW.".contains(letter));
    is_flags.then_some(first)
}

/// Bytes above the headers: `length 300`, `1:301(300)`, `udp 300`; of what is taken apart `(300)` at the end.
fn payload(rest: &str) -> Option<u64> {
    let behind = |key: &str| rest.rsplit_once(key).map(|(_, rest)| rest);
    let text = behind("length ").or_else(|| rest.strip_prefix("udp ")).or_else(|| behind("("))?;
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn least(address: IpAddr, number: u8) -> u64 {
    let ip = if address.is_ipv4() { IPV4_HEADER } else { IPV6_HEADER };
    let above = match number {
        TCP => TCP_HEADER,
        UDP => UDP_HEADER,
        _ => 0,
    };
    ip.saturating_add(above)
}
