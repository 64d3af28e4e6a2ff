//! Through tunnels to the packet inside: VXLAN and VXLAN-GPE, GENEVE, GRE with IP, PPP, Ethernet or
//! ERSPAN in it, NVGRE, IP in IP, and GTP-U.
//!
//! What a tunnel carries is a frame of its own and is read as one, by the same code; a tunnel in it is
//! followed likewise, [`MAX_NESTED`] deep in all and [`MAX_HEADERS`] bytes into the outermost packet:
//! so much work a packet may make, whoever built it. Where the inside cannot be read, be it cut off,
//! not IP, or of a kind not known here, the packet around it stays what it is: a datagram to VXLAN's
//! port, a packet of GRE. Nor are fragments of outer packets looked into.

#![deny(clippy::arithmetic_side_effects)]

use std::net::IpAddr;

use super::{Fragment, Packet, ip, link, protocol};
use crate::capture::{Frame, LinkType};
use crate::event::{Tunnel, TunnelKind};
use crate::time::Timestamp;

mod erspan;
mod geneve;
mod gre;
mod gtp;
mod nsh;
mod vxlan;

/// How many tunnels, one in another, are gone through.
pub const MAX_NESTED: u8 = 8;

/// How far into the outermost packet the innermost may begin, in bytes: the headers of eight tunnels
/// over IPv6 take less. Each header costs at least as much time as its bytes, options of GENEVE
/// excepted, which are stepped over.
pub const MAX_HEADERS: usize = 1024;

/// The UDP port that VXLAN is sent to (RFC 7348).
pub const VXLAN_PORT: u16 = 4789;

/// The UDP port of VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-13).
pub const VXLAN_GPE_PORT: u16 = 4790;

/// The UDP port of GENEVE (RFC 8926).
pub const GENEVE_PORT: u16 = 6081;

/// The UDP port of GTP-U (3GPP TS 29.281).
pub const GTP_U_PORT: u16 = 2152;

/// The outermost IP packet of one that came through a tunnel. Only the first packet of a flow is asked
/// which tunnel that was, so it is read no sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer<'a>(&'a [u8]);

impl<'a> Outer<'a> {
    /// What was captured of it, padding of its link included.
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The tunnel's own header, and whom it goes between: less work than [`Outer::read`], for who asks of
    /// each packet.
    pub fn wrapping(self) -> Option<Wrapping> {
        let packet = packet(&self.frame())?;
        let Header { kind, id, .. } = header(&packet)?;
        let port = match (packet.protocol, packet.ports) {
            (protocol::UDP, [_, port]) => Some(port),
            _ => None,
        };
        let (source, destination) = (packet.source, packet.destination);
        Some(Wrapping { kind, id, source, destination, port })
    }

    /// The tunnel that it belongs to.
    pub fn read(self) -> Option<Tunnel> {
        let frame = self.frame();
        let mut packet = packet(&frame)?;
        let Header { kind, id, .. } = header(&packet)?;
        let (source, destination) = (packet.source, packet.destination);
        let mut inward = Inward::new(&frame, self.0);
        while let Some(inside) = inward.next(&packet) {
            packet = inside;
        }
        Some(Tunnel { kind, id, depth: inward.depth, source, destination })
    }

    const fn frame(self) -> Frame<'a> {
        Frame {
            time: Timestamp::ZERO,
            wire_len: self.0.len() as u32,
            link: LinkType::RAW,
            vlan: None,
            mark: None,
            bytes: self.0,
        }
    }
}

/// The outermost tunnel of a packet, as its own header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrapping {
    /// What it is.
    pub kind: TunnelKind,
    /// See [`Tunnel::id`].
    pub id: Option<u32>,
    /// Who wraps.
    pub source: IpAddr,
    /// Who unwraps.
    pub destination: IpAddr,
    /// The UDP port it is sent to, where it is UDP.
    pub port: Option<u16>,
}

/// Whether a packet with such headers may be a tunnel's: all that any other packet pays.
#[inline]
pub(super) const fn is_entrance(protocol: u8, ports: [u16; 2], fragment: Option<Fragment>) -> bool {
    let is_kind = match protocol {
        protocol::UDP => {
            matches!(ports, [_, VXLAN_PORT | VXLAN_GPE_PORT | GENEVE_PORT | GTP_U_PORT])
        }
        protocol::GRE | protocol::IPV4 | protocol::IPV6 => true,
        _ => false,
    };
    is_kind && fragment.is_none()
}

/// The innermost packet of one that may be a tunnel's, whose IP packet is `bytes` of `frame`: itself,
/// when there is none in it that can be read.
#[cold]
#[inline(never)]
pub(super) fn innermost<'a>(
    frame: &Frame<'a>,
    bytes: &'a [u8],
    mut packet: Packet<'a>,
) -> Packet<'a> {
    let mut inward = Inward::new(frame, bytes);
    while let Some(inside) = inward.next(&packet) {
        packet = Packet { tunnel: Some(Outer(bytes)), ..inside };
    }
    packet
}

/// The way from a packet to those in it.
struct Inward<'a> {
    /// What the packet that it has come to lies in.
    frame: Frame<'a>,
    /// Tunnels that were gone through.
    depth: u8,
    /// Bytes of headers that may still be gone through.
    headers: usize,
}

impl<'a> Inward<'a> {
    /// From the IP packet `bytes` of a frame.
    const fn new(frame: &Frame<'a>, bytes: &'a [u8]) -> Self {
        Self { frame: Frame { bytes, ..*frame }, depth: 0, headers: MAX_HEADERS }
    }

    /// The packet in `packet`, which is the one that it has come to.
    fn next(&mut self, packet: &Packet<'a>) -> Option<Packet<'a>> {
        let depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_NESTED)?;
        let header = header(packet)?;
        let used = packet.payload.len().checked_sub(header.inner.len())?;
        let before = self.frame.bytes.len().checked_sub(header.inner.len())?;
        let headers = self.headers.checked_sub(before)?;
        let frame = Frame {
            wire_len: packet.payload_wire_len.checked_sub(used as u32)?,
            link: header.carries,
            vlan: None,
            bytes: header.inner,
            ..self.frame
        };
        let inside = self::packet(&frame)?;
        *self = Self { frame, depth, headers };
        Some(inside)
    }
}

/// The packet that a frame carries, whatever is in it.
#[inline(never)]
fn packet<'a>(frame: &Frame<'a>) -> Option<Packet<'a>> {
    ip::outermost(frame, link::read(frame).ok()?).ok()
}

/// What a tunnel's header says.
struct Header<'a> {
    kind: TunnelKind,
    id: Option<u32>,
    /// How what follows it is to be read.
    carries: LinkType,
    /// What was captured of that.
    inner: &'a [u8],
}

/// The header of the tunnel that a packet belongs to.
fn header<'a>(packet: &Packet<'a>) -> Option<Header<'a>> {
    if !is_entrance(packet.protocol, packet.ports, packet.fragment) {
        return None;
    }
    match (packet.protocol, packet.ports) {
        (protocol::GRE, _) => gre::read(packet.payload),
        (protocol::UDP, [_, VXLAN_PORT | VXLAN_GPE_PORT]) => vxlan::read(packet.payload),
        (protocol::UDP, [_, GENEVE_PORT]) => geneve::read(packet.payload),
        (protocol::UDP, [_, GTP_U_PORT]) => gtp::read(packet.payload),
        _ => Some(ip_in_ip(packet.payload)),
    }
}

/// IP in IP (RFC 2003, RFC 2473, RFC 4213) has no header of its own. Which version follows is told by
/// the packet itself, as everywhere in tunnels.
const fn ip_in_ip(bytes: &[u8]) -> Header<'_> {
    Header { kind: TunnelKind::IpInIp, id: None, carries: LinkType::RAW, inner: bytes }
}

/// How what an EtherType stands for (IANA "IEEE 802 Numbers") is to be read: IP, or Ethernet.
const fn by_ether_type(kind: u16) -> Option<LinkType> {
    match kind {
        0x0800 | 0x86dd => Some(LinkType::RAW),
        0x6558 => Some(LinkType::ETHERNET),
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own lengths")]
mod tests;
