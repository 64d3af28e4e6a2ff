//! `filterlog` of pfSense and OPNsense: one packet in values with commas between them (pfSense, *Raw Filter
//! Log Format*). Nine tell of the rule; those of the IP header differ by its version, and protocols add
//! theirs.

use super::{packet, protocol};
use crate::decode::tcp_flags;
use crate::event::FlowRecord;

/// Values that are looked at.
const MAX_VALUES: usize = 40;
/// The places of what all lines have.
const ACTION: usize = 6;
const VERSION: usize = 8;
/// Bytes of an IPv6 header, which its length does not count.
const IPV6_HEADER: u64 = 40;

/// What a line says.
pub(super) fn read(body: &str) -> Option<FlowRecord> {
    let values: Vec<&str> = body.split(',').take(MAX_VALUES).collect();
    let at = |place: usize| values.get(place).copied();
    let is_blocked = match at(ACTION)? {
        "pass" => false,
        "block" | "reject" => true,
        // Translations are no packets that went on or not.
        _ => return None,
    };
    let (number, length, header) = match at(VERSION)? {
        "4" => (at(15)?, at(17)?, 0),
        "6" => {
            (at(13).filter(|value| value.parse::<u8>().is_ok()).or(at(12))?, at(14)?, IPV6_HEADER)
        }
        _ => return None,
    };
    let first = if header == 0 { 18 } else { 15 };
    let ends = values.get(first..)?;
    let (protocol, length) = (protocol(number)?, length.parse::<u64>().ok()?);
    let has_ports = matches!(protocol, crate::decode::protocol::TCP | crate::decode::protocol::UDP);
    let port = |place: usize| match has_ports {
        true => ends.get(place)?.parse().ok(),
        false => Some(0),
    };
    let from = (ends.first()?.parse().ok()?, port(2)?);
    let to = (ends.get(1)?.parse().ok()?, port(3)?);
    let mut record = packet(from, to, protocol, length.saturating_add(header));
    if protocol == crate::decode::protocol::TCP {
        record.tcp_flags = ends.get(5).map(|letters| flags(letters));
    }
    record.is_blocked = is_blocked;
    Some(record)
}

/// Flags as PF and tcpdump write them: `S`, `SA`, `S.`.
pub(super) fn flags(letters: &str) -> u8 {
    letters.chars().fold(0, |all, letter| {
        all | match letter {
            'S' => tcp_flags::SYN,
            'A' | '.' => tcp_flags::ACK,
            'F' => tcp_flags::FIN,
            'R' => tcp_flags::RST,
            'P' => tcp_flags::PSH,
            _ => 0,
        }
    })
}
