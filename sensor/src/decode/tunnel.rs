//! Through tunnels to the packet inside: VXLAN, and GRE with IP, Ethernet or ERSPAN in it.
//!
//! What a tunnel carries is a frame of its own and is read as one, by the same code; a tunnel in it is
//! followed likewise, [`MAX_NESTED`] deep in all. Where the inside cannot be read, be it cut off, not
//! IP, or of a kind not known here, the packet around it stays what it is: a datagram to VXLAN's port,
//! a packet of GRE. Nor are fragments of outer packets looked into.

use super::ip::{self, Rest};
use super::{Packet, link, protocol};
use crate::capture::{Frame, LinkType};
use crate::event::{Tunnel, TunnelKind};
use crate::time::Timestamp;

/// How many tunnels, one in another, are gone through.
pub const MAX_NESTED: usize = 2;

/// The UDP port that VXLAN is sent to (RFC 7348).
pub const VXLAN_PORT: u16 = 4789;

/// The outermost IP packet of one that came through a tunnel. Only the first packet of a flow is asked
/// which tunnel that was, so it is read no sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer<'a>(&'a [u8]);

impl<'a> Outer<'a> {
    /// What was captured of it, padding of its link included.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The tunnel that it belongs to.
    pub fn read(self) -> Option<Tunnel> {
        let outer = packet(
            &Frame {
                time: Timestamp::ZERO,
                wire_len: self.0.len() as u32,
                link: LinkType::RAW,
                vlan: None,
                mark: None,
                bytes: self.0,
            },
            MAX_NESTED,
        )?;
        let Header { kind, id, .. } = header(outer.protocol, outer.payload)?;
        Some(Tunnel { kind, id, source: outer.source, destination: outer.destination })
    }
}

/// The packet in a frame that is `nested` tunnels deep.
#[inline(never)]
fn packet<'a>(frame: &Frame<'a>, nested: usize) -> Option<Packet<'a>> {
    ip::read(frame, link::read(frame).ok()?, nested).ok()
}

/// Whether a packet may be a tunnel's: all that any other packet pays.
#[inline]
pub(super) const fn is_entrance(protocol: u8, ports: [u16; 2]) -> bool {
    match protocol {
        protocol::UDP => matches!(ports, [_, VXLAN_PORT]),
        protocol::GRE => true,
        _ => false,
    }
}

/// The packet inside the IP packet `outer`, which is itself `nested` tunnels deep in `frame` and
/// carries `above`, over UDP what is above that; `None` when there is none that can be read.
#[cold]
#[inline(never)]
pub(super) fn inside<'a>(
    frame: &Frame<'a>,
    outer: &'a [u8],
    protocol: u8,
    above: &Rest<'a>,
    nested: usize,
) -> Option<Packet<'a>> {
    if nested >= MAX_NESTED {
        return None;
    }
    let header = header(protocol, above.bytes)?;
    let frame = Frame {
        wire_len: above.wire_len.checked_sub(header.length as u32)?,
        link: header.carries,
        vlan: None,
        bytes: above.bytes.get(header.length..)?,
        ..*frame
    };
    let inside = packet(&frame, nested + 1)?;
    Some(Packet { tunnel: Some(Outer(outer)), ..inside })
}

/// What a tunnel's header says.
struct Header {
    kind: TunnelKind,
    id: Option<u32>,
    /// Its length in bytes, all headers between the outer packet's and the inner frame together.
    length: usize,
    /// How what follows it is to be read.
    carries: LinkType,
}

/// The header of a tunnel over an IP protocol; `bytes` are above IP, or above UDP.
fn header(protocol: u8, bytes: &[u8]) -> Option<Header> {
    if protocol == protocol::GRE { gre(bytes) } else { vxlan(bytes) }
}

/// VXLAN (RFC 7348 section 5): flags, reserved bits, network identifier. Reserved bits are ignored, as
/// the RFC has it, but for the one by which VXLAN-GPE says that the byte before the identifier tells
/// what follows (draft-ietf-nvo3-vxlan-gpe-13, section 3): that must be Ethernet, too.
fn vxlan(bytes: &[u8]) -> Option<Header> {
    const HAS_ID: u8 = 0x08;
    const HAS_PROTOCOL: u8 = 0x04;
    const ETHERNET: u8 = 3;
    let &[flags, _, _, protocol, a, b, c, _] = bytes.first_chunk::<8>()?;
    let is_ethernet = flags & HAS_PROTOCOL == 0 || protocol == ETHERNET;
    (flags & HAS_ID != 0 && is_ethernet).then_some(Header {
        kind: TunnelKind::Vxlan,
        id: Some(u32::from_be_bytes([0, a, b, c])),
        length: 8,
        carries: LinkType::ETHERNET,
    })
}

/// GRE (RFC 2784, RFC 2890): flags and version, what it carries, then checksum, key and sequence
/// number, each if its flag says so.
fn gre(bytes: &[u8]) -> Option<Header> {
    const CHECKSUM: u16 = 0x8000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    /// Routes in the header (RFC 1701), what was never assigned, and another version (PPTP's).
    const UNKNOWN: u16 = 0x4c07;
    let &[f0, f1, c0, c1] = bytes.first_chunk::<4>()?;
    let flags = u16::from_be_bytes([f0, f1]);
    if flags & UNKNOWN != 0 {
        return None;
    }
    let [before_key, key, sequence] =
        [CHECKSUM, KEY, SEQUENCE].map(|flag| if flags & flag != 0 { 4 } else { 0 });
    let length = 4 + before_key + key + sequence;
    let id = if key > 0 { Some(number(bytes, 4 + before_key)?) } else { None };
    let plain = |carries| Some(Header { kind: TunnelKind::Gre, id, length, carries });
    match u16::from_be_bytes([c0, c1]) {
        0x0800 => plain(LinkType::IPV4),
        0x86dd => plain(LinkType::IPV6),
        0x6558 => plain(LinkType::ETHERNET),
        0x88be => erspan(bytes, length, sequence > 0),
        _ => None,
    }
}

/// ERSPAN in GRE, up to `length`: type II has a header and, unlike type I, a sequence number in GRE's
/// (draft-foschiano-erspan-03, section 4).
fn erspan(bytes: &[u8], length: usize, has_sequence: bool) -> Option<Header> {
    const TYPE_II: u32 = 1;
    const SESSION: u32 = 0x3ff;
    let carries = LinkType::ETHERNET;
    if !has_sequence {
        return Some(Header { kind: TunnelKind::Erspan, id: None, length, carries });
    }
    let word = number(bytes, length)?;
    let id = Some(word & SESSION);
    (word >> 28 == TYPE_II).then_some(Header {
        kind: TunnelKind::Erspan,
        id,
        length: length + 8,
        carries,
    })
}

/// The four bytes at `at`.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests;
