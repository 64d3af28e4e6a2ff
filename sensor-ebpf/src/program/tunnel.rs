//! VXLAN (RFC 7348) and GRE (RFC 2784, 2890; ERSPAN in it), as far as an IP packet is in them. Packets
//! of other tunnels are to user space what they are outside, and so are counted.

use crate::cursor::Cursor;
use crate::ip::{GRE, UDP};
use crate::link;
use crate::packet::Packet;

const VXLAN: u16 = 4789;

/// Whether this is a packet of a tunnel.
#[inline(always)]
pub(crate) fn is_one(packet: &Packet) -> bool {
    let [_, to] = packet.ports;
    match packet.protocol {
        UDP => to == VXLAN,
        GRE => true,
        _ => false,
    }
}

/// Goes into a tunnel, from where its own header begins; the version of IP that is in it, or `None`
/// when that is anything else, or of a kind that user space reads.
#[inline(always)]
pub(crate) fn enter(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    match packet.protocol {
        GRE => gre(packet, cursor),
        _ => vxlan(packet, cursor),
    }
}

#[inline(always)]
fn vxlan(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    const UDP_HEADER: u32 = 8;
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
fn gre(packet: &mut Packet, cursor: &mut Cursor) -> Option<u32> {
    const CHECKSUM: u16 = 0x8000;
    const KEY: u16 = 0x2000;
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
    // Added up without a branch, of which the verifier would follow each.
    let options = flags / CHECKSUM + flags / KEY % 2 + flags / SEQUENCE % 2;
    cursor.skip(4 + 4 * u32::from(options))?;
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
