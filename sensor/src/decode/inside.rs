//! Whole IP packets in what datagrams carry, whatever is in front of them: copies of packets that are
//! sent in a wrapping nobody has a port for.
//!
//! Nothing says what the payload of a UDP port is. So an IP header is looked for where wrappings have it:
//! behind a header of no, four, eight and so on up to 64 bytes (VXLAN's has 8, GENEVE's 8 and options,
//! ERSPAN's 8, 12 or 20 behind GRE's 4 to 16), alone or behind Ethernet's with a VLAN tag at most. What is
//! found fits: version, lengths, the EtherType before it, and IPv4's header checksum (RFC 791). Of random
//! bytes one payload in a million does, so that it is a hint, and no proof.

#![deny(clippy::arithmetic_side_effects)]

use super::protocol;

/// The longest header in front of a frame or packet, and what headers' lengths are multiples of.
const LONGEST: usize = 64;
const WORD: usize = 4;

/// An Ethernet header without a tag, and with one (IEEE 802.1Q).
const ETHERNET: usize = 14;
const TAGGED: usize = 18;

/// No shorter packet says anything: IPv4 with UDP's header.
const SHORTEST: usize = 28;

/// A frame is no shorter on the wire, without its checksum: behind a short packet follows padding.
const LEAST_FRAME: usize = 60;

/// An IP packet in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside<'a> {
    /// What was captured of it, and of what follows it in the payload.
    pub ip: &'a [u8],
    /// How long that is on the wire.
    pub wire_len: u32,
}

/// What is in front of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Header,
    Ethernet(u16),
}

/// The IP packet in a payload that was `wire_len` bytes long on the wire, where one is there.
pub fn find(payload: &[u8], wire_len: u32) -> Option<Inside<'_>> {
    (0..=LONGEST).step_by(WORD).find_map(|header| {
        let rest = payload.get(header..).filter(|rest| rest.len() >= SHORTEST)?;
        let wire_len = (wire_len as usize).checked_sub(header)?;
        let ethernet = |length: usize, kind: [u8; 2]| {
            let ip = rest.get(length..)?;
            let before = Before::Ethernet(u16::from_be_bytes(kind));
            at(ip, wire_len.checked_sub(length)?, before)
        };
        match rest {
            [_, _, _, _, _, _, _, _, _, _, _, _, 0x81, 0, _, _, a, b, ..] => {
                ethernet(TAGGED, [*a, *b])
            }
            [_, _, _, _, _, _, _, _, _, _, _, _, a @ (0x08 | 0x86), b, ..] => {
                ethernet(ETHERNET, [*a, *b])
            }
            _ => None,
        }
        .or_else(|| at(rest, wire_len, Before::Header))
    })
}

/// The packet at the start of these bytes, behind which so many are left on the wire with it.
fn at(ip: &[u8], left: usize, before: Before) -> Option<Inside<'_>> {
    let (version, kind) = match ip.first()? >> 4 {
        4 => (4, 0x0800),
        6 => (6, 0x86dd),
        _ => return None,
    };
    if before != Before::Header && before != Before::Ethernet(kind) {
        return None;
    }
    let stated = if version == 4 { v4(ip)? } else { v6(ip)? };
    let is_padded =
        before != Before::Header && stated < left && left <= LEAST_FRAME.saturating_sub(ETHERNET);
    // A mirror may cut what it sends; what IPv6 says has no checksum, and must fit.
    let is_cut = version == 4 && stated > left;
    (stated == left || is_padded || is_cut).then_some(Inside { ip, wire_len: left as u32 })
}

/// The length that a header of IPv4 states, if the header is one.
fn v4(ip: &[u8]) -> Option<usize> {
    const LEAST: usize = 20;
    let length = usize::from(ip.first()? & 0x0f).checked_mul(WORD)?;
    let header = ip.get(..length).filter(|_| length >= LEAST)?;
    let words = header.as_chunks::<2>().0.iter();
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let is_right = (sum & 0xffff).wrapping_add(sum >> 16) == 0xffff;
    let stated = usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]));
    (is_right && stated >= SHORTEST).then_some(stated)
}

/// The like of IPv6, which says what comes next and has nothing to check it by.
fn v6(ip: &[u8]) -> Option<usize> {
    const HEADER: usize = 40;
    /// Hop-by-hop options, routing and fragments.
    const EXTENSIONS: [u8; 3] = [0, 43, 44];
    let &[_, _, _, _, high, low, next, ..] = ip else { return None };
    let is_known = matches!(next, protocol::TCP | protocol::UDP | protocol::ICMPV6)
        || EXTENSIONS.contains(&next);
    is_known.then_some(HEADER.checked_add(usize::from(u16::from_be_bytes([high, low])))?)
}

#[cfg(test)]
mod tests;
