//! Whole IP packets in what datagrams carry, whatever is in front of them: copies of packets that are
//! sent in a wrapping nobody has a port for.
//!
//! Nothing says what the payload of a UDP port is. So an IP header is looked for in the first bytes, where
//! wrappings have it: behind 8 bytes and Ethernet's header in VXLAN, 8 and options in GENEVE, 5 in TZSP, 8 to
//! 36 in ERSPAN over GRE. What is found fits: first byte, lengths, IPv4's header checksum (RFC 791), and the
//! EtherType before it or, without one, a place where a header of whole words ends. Of random bytes one
//! payload in a million does, so that it is a hint, and no proof. IPv4 with options and IPv6 with a traffic
//! class are not looked for.

#![deny(clippy::arithmetic_side_effects)]

use memchr::memchr2_iter;

use super::protocol;

/// A header begins within so many bytes: 64 of a wrapping, and Ethernet's with a VLAN tag.
const FARTHEST: usize = 64 + 18;
/// An Ethernet header without a tag, and what the lengths of headers of wrappings are multiples of.
const ETHERNET: usize = 14;
const WORD: usize = 4;

/// The first byte of IPv4 without options, and of IPv6 without a traffic class.
const V4: u8 = 0x45;
const V6: u8 = 0x60;

/// No shorter packet says anything: IPv4 with UDP's header.
const SHORTEST: usize = 28;

/// What Ethernet carries at least, a tag included: behind a shorter packet follows padding.
const LEAST_CARRIED: usize = 46;

/// An IP packet in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inside<'a> {
    /// What was captured of it, and of what follows it in the payload.
    pub ip: &'a [u8],
    /// How long that is on the wire.
    pub wire_len: u32,
}

/// The IP packet in a payload that was `wire_len` bytes long on the wire, where one is there.
pub fn find(payload: &[u8], wire_len: u32) -> Option<Inside<'_>> {
    // Most datagrams that are looked into are too short for any.
    let last = payload.len().checked_sub(SHORTEST)?.min(FARTHEST);
    memchr2_iter(V4, V6, payload.get(..=last)?).find_map(|before| {
        let ip = payload.get(before..)?;
        let left = (wire_len as usize).checked_sub(before)?;
        let is_v4 = *ip.first()? == V4;
        let kind: [u8; 2] = if is_v4 { [0x08, 0x00] } else { [0x86, 0xdd] };
        let is_framed = before >= ETHERNET && payload.get(..before)?.ends_with(&kind);
        if !is_framed && !before.is_multiple_of(WORD) {
            return None;
        }
        let stated = if is_v4 { v4(ip)? } else { v6(ip)? };
        let is_padded = is_framed && stated < left && left <= LEAST_CARRIED;
        // A mirror may cut what it sends; what IPv6 says has no checksum, and must fit.
        let is_cut = is_v4 && stated > left;
        (stated == left || is_padded || is_cut).then_some(Inside { ip, wire_len: left as u32 })
    })
}

/// The length that a header of IPv4 states, if the header is one.
fn v4(ip: &[u8]) -> Option<usize> {
    let header = ip.first_chunk::<20>()?;
    let words = header.as_chunks::<2>().0.iter();
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    let is_right = (sum & 0xffff).wrapping_add(sum >> 16) == 0xffff;
    let stated = usize::from(u16::from_be_bytes([header[2], header[3]]));
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
