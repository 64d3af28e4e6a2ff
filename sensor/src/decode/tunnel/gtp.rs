//! GTP-U: what mobile networks carry their subscribers' packets in.

use super::Header;
use crate::capture::LinkType;
use crate::event::TunnelKind;

/// More extension headers than any sender chains.
const MAX_EXTENSIONS: usize = 4;

/// GTP-U version 1 (3GPP TS 29.281 section 5.1): flags, message type, length, tunnel endpoint
/// identifier; where any flag says so four bytes with sequence number, number and type of the first
/// extension. Only a G-PDU carries a packet.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    /// Version and protocol type, without the flags below and what is reserved.
    const KIND: u8 = 0xf0;
    const GTP_1: u8 = 0x30;
    const G_PDU: u8 = 255;
    const EXTENSION: u8 = 0x04;
    const OPTIONS: u8 = 0x07;
    let (&[flags, message, _, _, a, b, c, d], rest) = bytes.split_first_chunk::<8>()?;
    if flags & KIND != GTP_1 || message != G_PDU {
        return None;
    }
    let inner = if flags & OPTIONS == 0 {
        rest
    } else {
        let (&[_, _, _, next], rest) = rest.split_first_chunk::<4>()?;
        if flags & EXTENSION == 0 { rest } else { skip(next, rest)? }
    };
    let id = Some(u32::from_be_bytes([a, b, c, d]));
    Some(Header { kind: TunnelKind::GtpU, id, carries: LinkType::RAW, inner })
}

/// Steps over extension headers (section 5.2), of which the first is of kind `next`: length in words,
/// content, kind of the one that follows or zero.
fn skip(mut next: u8, mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..MAX_EXTENSIONS {
        if next == 0 {
            return Some(bytes);
        }
        let length = usize::from(*bytes.first()?) << 2;
        let (header, rest) = bytes.split_at_checked(length)?;
        next = *header.last()?;
        bytes = rest;
    }
    (next == 0).then_some(bytes)
}
