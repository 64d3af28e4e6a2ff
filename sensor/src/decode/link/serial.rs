//! Serial lines: PPP, Cisco HDLC and Frame Relay, and what Juniper routers put in front of a frame.

use super::{Link, bare, behind, ethernet};
use crate::decode::Refusal;

/// PPP's protocol numbers of IP (IANA "PPP Numbers").
pub(super) const IPV4: u16 = 0x0021;
pub(super) const IPV6: u16 = 0x0057;

/// PPP (RFC 1661) in HDLC-like framing (RFC 1662) or without, else Cisco HDLC, which begins with
/// other addresses.
pub(super) fn hdlc(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    match bytes {
        [0x0f | 0x8f, _, k0, k1, payload @ ..] => {
            ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
        }
        [0xff, 0x03, frame @ ..] | frame => match ppp(frame)? {
            (IPV4 | IPV6, payload) => bare(payload),
            (0x0281 | 0x0283, payload) => ethernet::mpls_stack(payload),
            _ => Err(Refusal::NotIp),
        },
    }
}

/// PPP's protocol field, one byte where the two sides agreed to leave out its first, and the rest.
pub(super) fn ppp(frame: &[u8]) -> Result<(u16, &[u8]), Refusal> {
    match frame {
        [low, payload @ ..] if low & 1 == 1 => Ok((u16::from(*low), payload)),
        [high, low, payload @ ..] => Ok((u16::from_be_bytes([*high, *low]), payload)),
        _ => Err(Refusal::LinkTruncated),
    }
}

/// Frame Relay: a Q.922 address, then an NLPID (RFC 2427) or, as Cisco's routers do, an EtherType.
pub(super) fn frame_relay(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    // The lowest bit marks the address' last byte; there are two, three or four.
    let last = bytes.iter().take(4).position(|byte| byte & 1 == 1).ok_or(Refusal::LinkTruncated)?;
    match behind(bytes, last + 1)? {
        [0x03, 0xcc | 0x8e, payload @ ..] | [0x03, 0, 0xcc | 0x8e, payload @ ..] => bare(payload),
        [0x03, 0x80, snap @ ..] | [0x03, 0, 0x80, snap @ ..] => match snap {
            [0, 0, 0, k0, k1, payload @ ..] => {
                ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
            }
            _ => Err(Refusal::NotIp),
        },
        [k0 @ 0x06..=0xff, k1, payload @ ..] => {
            ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
        }
        _ => Err(Refusal::NotIp),
    }
}

/// The frame behind a Juniper router's header: a magic, flags, maybe attributes with their length.
pub(super) fn behind_juniper(bytes: &[u8]) -> Result<&[u8], Refusal> {
    const NO_LINK_HEADER: u8 = 0x02;
    const ATTRIBUTES: u8 = 0x80;
    match bytes {
        [b'M', b'G', b'C', flags, ..] if flags & NO_LINK_HEADER != 0 => Err(Refusal::NotIp),
        [b'M', b'G', b'C', flags, l0, l1, rest @ ..] if flags & ATTRIBUTES != 0 => {
            behind(rest, usize::from(u16::from_be_bytes([*l0, *l1])))
        }
        [b'M', b'G', b'C', _, rest @ ..] => Ok(rest),
        _ => Err(Refusal::LinkTruncated),
    }
}
