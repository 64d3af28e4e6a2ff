//! IPv4 and IPv6 with extension headers, down to TCP and UDP: what user space's decoder does, as far
//! as a flow needs it; everything unusual is left to that.

use egret_ebpf::{Key4, Key6, Totals};

use crate::context::Context;
use crate::cursor::Cursor;
use crate::packet::{Packet, Understood};
use crate::tunnel;

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const GRE: u8 = 47;
const SCTP: u8 = 132;
/// What has another header inside: user space reads it.
const AUTHENTICATION: u8 = 51;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Extension headers that are gone through.
const EXTENSIONS: usize = 4;

/// Reads an IP packet, and what is in it if it is a tunnel's.
#[inline(always)]
pub(crate) fn read(
    context: &impl Context,
    packet: &mut Packet,
    cursor: Cursor,
    version: u32,
    totals: &mut Totals,
) -> Understood {
    let Some(mut cursor) = cursor.anew(context, totals) else { return Understood::Part };
    let outer = headers(packet, &mut cursor, version);
    if outer == Understood::Part || !tunnel::is_one(packet) {
        return outer;
    }
    let inner = cursor.anew(context, totals).and_then(|mut cursor| {
        let version = tunnel::enter(packet, &mut cursor)?;
        let mut cursor = cursor.anew(context, totals)?;
        Some(headers(packet, &mut cursor, version))
    });
    match inner {
        // One tunnel in another is user space's.
        Some(inner) if !tunnel::is_one(packet) => inner,
        _ => Understood::Part,
    }
}

/// Reads the headers of one IP packet; the cursor is behind those of IP then, and
/// [`Packet::headers`] says where the one above ends.
#[inline(never)]
fn headers(packet: &mut Packet, cursor: &mut Cursor, version: u32) -> Understood {
    let read = if version == 4 { ipv4(packet, cursor) } else { ipv6(packet, cursor) };
    match read {
        Some(()) if version == 4 => Understood::Flow4,
        Some(()) => Understood::Flow6,
        None => Understood::Part,
    }
}

#[inline(always)]
fn ipv4(packet: &mut Packet, cursor: &mut Cursor) -> Option<()> {
    let first: u8 = cursor.peek(0)?;
    let header = u32::from(first & 0x0f) * 4;
    // Fragments belong together by more than their ports.
    if first >> 4 != 4 || header < 20 || cursor.short(6)? & 0x3fff != 0 {
        return None;
    }
    let length = packet_length(packet, cursor, u32::from(cursor.short(2)?), header)?;
    packet.protocol = cursor.peek(9)?;
    packet.key4 = Key4 {
        source: cursor.peek::<u32>(12)?.to_ne_bytes(),
        destination: cursor.peek::<u32>(16)?.to_ne_bytes(),
        protocol: packet.protocol,
        ..Key4::default()
    };
    cursor.skip(header)?;
    transport(packet, cursor, length - header)?;
    let [source, destination] = packet.ports;
    (packet.key4.source_port, packet.key4.destination_port) =
        (source.to_be_bytes(), destination.to_be_bytes());
    Some(())
}

#[inline(always)]
fn ipv6(packet: &mut Packet, cursor: &mut Cursor) -> Option<()> {
    const HEADER: u32 = 40;
    let first: u8 = cursor.peek(0)?;
    if first >> 4 != 6 {
        return None;
    }
    let stated = match cursor.short(4)? {
        0 => 0,
        length => u32::from(length) + HEADER,
    };
    let mut left = packet_length(packet, cursor, stated, HEADER)? - HEADER;
    let mut next: u8 = cursor.peek(6)?;
    packet.key6 =
        Key6 { source: cursor.address(8)?, destination: cursor.address(24)?, ..Key6::default() };
    cursor.skip(HEADER)?;
    for _ in 0..EXTENSIONS {
        match next {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6 => {
                let length = (u32::from(cursor.peek::<u8>(1)?) + 1) * 8;
                next = cursor.peek(0)?;
                cursor.skip(length)?;
                left = left.checked_sub(length)?;
            }
            FRAGMENT => return None,
            _ => break,
        }
    }
    if matches!(next, HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6 | FRAGMENT) {
        return None;
    }
    packet.protocol = next;
    packet.key6.protocol = next;
    transport(packet, cursor, left)?;
    let [source, destination] = packet.ports;
    (packet.key6.source_port, packet.key6.destination_port) =
        (source.to_be_bytes(), destination.to_be_bytes());
    Some(())
}

/// The length of an IP packet whose header says `stated`: 0 was left to the network card, and what
/// is beyond the frame was never on this wire.
#[inline(always)]
fn packet_length(packet: &mut Packet, cursor: &Cursor, stated: u32, header: u32) -> Option<u32> {
    let there = packet.end.checked_sub(cursor.offset)?;
    packet.is_cut |= stated > there;
    let length = if stated == 0 || stated > there { there } else { stated };
    (length >= header).then_some(length)
}

/// Reads what is above IP, `left` bytes long.
#[inline(always)]
fn transport(packet: &mut Packet, cursor: &mut Cursor, left: u32) -> Option<()> {
    packet.ports = [0; 2];
    packet.payload = 0;
    packet.headers = cursor.offset;
    match packet.protocol {
        TCP => {
            let header = u32::from(cursor.peek::<u8>(12)? >> 4) * 4;
            if header < 20 {
                return None;
            }
            packet.ports = [cursor.short(0)?, cursor.short(2)?];
            packet.tcp_flags = cursor.peek(13)?;
            packet.payload = left.checked_sub(header)?;
            packet.headers = cursor.offset + header;
        }
        UDP => {
            const HEADER: u32 = 8;
            packet.ports = [cursor.short(0)?, cursor.short(2)?];
            let stated = u32::from(cursor.short(4)?);
            if stated != 0 && stated < HEADER {
                return None;
            }
            let length = if stated == 0 || stated > left { left } else { stated };
            packet.payload = length.checked_sub(HEADER)?;
            packet.first = cursor.peek(HEADER as usize).unwrap_or(0);
            packet.version = u32::from_be(cursor.peek(HEADER as usize + 1).unwrap_or(0));
            packet.headers = cursor.offset + HEADER;
        }
        SCTP => packet.ports = [cursor.short(0)?, cursor.short(2)?],
        AUTHENTICATION => return None,
        _ => packet.payload = left,
    }
    Some(())
}
