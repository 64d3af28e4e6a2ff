//! VXLAN (RFC 7348), GENEVE (RFC 8926), GRE (RFC 2784, 2890; ERSPAN in it) and IP in IP, as far as an IP
//! packet is in them. What else user space may find a packet in goes up: it alone knows whose that is.

use crate::cursor::Cursor;
use crate::ip::{GRE, UDP};
use crate::link;
use crate::packet::Packet;

const VXLAN: u16 = 4789;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;

/// IP protocol numbers.
const IPV4: u8 = 4;
const IPV6: u8 = 41;

const UDP_HEADER: u32 = 8;

/// Whether this is a packet of a tunnel.
#[inline(always)]
pub(crate) fn is_one(packet: &Packet) -> bool {
    let [_, to] = packet.ports;
    match packet.protocol {
        UDP => matches!(to, VXLAN | VXLAN_GPE | GENEVE | GTP_U),
        GRE | IPV4 | IPV6 => true,
        _ => false,
    }
}

/// Goes into a tunnel, from where its own header begins; the version of IP that is in it, or `None`
/// when that is anything else, or of a kind that user space reads.
#[inline(always)]
pub(crate) fn enter(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    match (packet.protocol, packet.ports) {
        (GRE, _) => gre(packet, cursor),
        (UDP, [_, VXLAN]) => vxlan(packet, cursor),
        (UDP, [_, GENEVE]) => geneve(packet, cursor),
        (IPV4 | IPV6, _) => ip_in_ip(packet, cursor),
        _ => None,
    }
}

#[inline(always)]
fn vxlan(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    const HEADER: u32 = 8;
    /// Of the flags that a network id is there, and that it says what is inside (VXLAN-GPE).
    const HAS_VNI: u8 = 0x08;
    const HAS_KIND: u8 = 0x04;
    packet.end = cursor.offset + UDP_HEADER + packet.payload;
    cursor.skip(UDP_HEADER)?;
    if cursor.peek::<u8>(0)? & (HAS_VNI | HAS_KIND) != HAS_VNI {
        return None;
    }
    cursor.skip(HEADER)?;
    packet.begin = cursor.offset;
    link::skip(cursor)
}

#[inline(always)]
fn geneve(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    const HEADER: u32 = 8;
    /// Of the first two bytes: the version, and how many words of options there are.
    const VERSION: u16 = 0xc000;
    const WORDS: u16 = 0x3f00;
    packet.end = cursor.offset + UDP_HEADER + packet.payload;
    cursor.skip(UDP_HEADER)?;
    let first = cursor.short(0)?;
    if first & VERSION != 0 {
        return None;
    }
    let kind = cursor.short(2)?;
    cursor.skip(HEADER + u32::from(first & WORDS) / 64)?;
    packet.begin = cursor.offset;
    match kind {
        0x0800 => Some(4),
        0x86dd => Some(6),
        0x6558 => link::skip(cursor),
        _ => None,
    }
}

/// The packet inside says itself which version it is of.
#[inline(always)]
fn ip_in_ip(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    packet.end = cursor.offset + packet.payload;
    packet.begin = cursor.offset;
    match cursor.short(0)? >> 12 {
        4 => Some(4),
        6 => Some(6),
        _ => None,
    }
}

#[inline(always)]
fn gre(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    const CHECKSUM: u32 = 0x80;
    const KEY: u32 = 0x20;
    const SEQUENCE: u16 = 0x1000;
    /// Routing (RFC 1701), recursion control and version.
    const UNUSUAL: u16 = 0x4f07;
    /// The header of ERSPAN type II; type I has none, and no sequence number by which it is told.
    const ERSPAN_II: u32 = 8;
    let flags = cursor.short(0)?;
    if flags & UNUSUAL != 0 {
        return None;
    }
    let kind = cursor.short(2)?;
    packet.end = cursor.offset + packet.payload;
    // Added up without a branch, of which the verifier would follow each; of a byte, as verifiers before
    // Linux 6.13 know no bounds of a number whose order was changed.
    let first = u32::from(cursor.peek::<u8>(0)?);
    let options = first / CHECKSUM + first / KEY % 2 + first / (u32::from(SEQUENCE) >> 8) % 2;
    cursor.skip(4 + 4 * options)?;
    if kind == 0x88be && flags & SEQUENCE != 0 {
        if cursor.peek::<u8>(0)? >> 4 != 1 {
            return None;
        }
        cursor.skip(ERSPAN_II)?;
    }
    packet.begin = cursor.offset;
    match kind {
        0x0800 => Some(4),
        0x86dd => Some(6),
        0x6558 | 0x88be => link::skip(cursor),
        _ => None,
    }
}
