//! IEEE 802.11 data frames that are not encrypted, and what capturing programs put in front of them.

use super::{Link, behind, described, ethernet, lan};
use crate::decode::{Mac, Refusal};

/// Bits of a frame's first byte: protocol version 0 and type "data", and of its subtype.
mod kind {
    pub(super) const VERSION_AND_TYPE: u8 = 0x0f;
    pub(super) const DATA: u8 = 0x08;
    pub(super) const WITHOUT_DATA: u8 = 0x40;
    pub(super) const QOS: u8 = 0x80;
}

/// Bits of its second byte.
mod flags {
    pub(super) const DIRECTION: u8 = 0x03;
    pub(super) const PROTECTED: u8 = 0x40;
    pub(super) const HT_CONTROL: u8 = 0x80;
}

/// An IEEE 802.11 frame. Of an aggregate of several (A-MSDU) the first is read; a later fragment
/// has no start.
pub(super) fn frame(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [kind, flags, ..] = *bytes else { return Err(Refusal::LinkTruncated) };
    if kind & kind::VERSION_AND_TYPE != kind::DATA || kind & kind::WITHOUT_DATA != 0 {
        return Err(Refusal::NotIp);
    }
    let (header, rest) = bytes.split_first_chunk::<24>().ok_or(Refusal::LinkTruncated)?;
    let [_, _, _, _, addresses @ .., sequence, _] = header;
    let (macs, body) = addressed(addresses, flags & flags::DIRECTION, rest)?;
    if sequence & 0x0f != 0 {
        return Err(Refusal::NotIp);
    }
    let (is_aggregate, body) = match body {
        [qos, _, body @ ..] if kind & kind::QOS != 0 => {
            (qos & 0x80 != 0, behind(body, if flags & flags::HT_CONTROL != 0 { 4 } else { 0 })?)
        }
        body => (false, body),
    };
    let read = if is_aggregate {
        // Each begins as an IEEE 802.3 frame does.
        ethernet::read(body, None)
    } else {
        // Some cards fill the header up to a multiple of four bytes.
        let padded = body.get(2..).unwrap_or_default();
        lan::behind_llc(body, Some(macs))
            .or_else(|refusal| lan::behind_llc(padded, Some(macs)).map_err(|_| refusal))
    };
    // The flag is no proof: some cards leave it in what they have decrypted.
    read.map_err(
        |refusal| {
            if flags & flags::PROTECTED != 0 { Refusal::LinkEncrypted } else { refusal }
        },
    )
}

/// Source and destination among a header's addresses, by whether the frame goes to or from the
/// distribution system (bits 0 and 1), and what is behind the header.
fn addressed<'a>(
    addresses: &[u8; 18],
    direction: u8,
    rest: &'a [u8],
) -> Result<([Mac; 2], &'a [u8]), Refusal> {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _] = *addresses;
    let [_, _, _, _, _, _, second @ .., _, _, _, _, _, _] = *addresses;
    let [_, _, _, _, _, _, _, _, _, _, _, _, third @ ..] = *addresses;
    Ok(match direction {
        0 => ([Mac(second), Mac(first)], rest),
        1 => ([Mac(second), Mac(third)], rest),
        2 => ([Mac(third), Mac(first)], rest),
        _ => {
            let (fourth, rest) = rest.split_first_chunk().ok_or(Refusal::LinkTruncated)?;
            ([Mac(*fourth), Mac(third)], rest)
        }
    })
}

/// Radiotap: version, padding, length, fields (<https://www.radiotap.org>).
pub(super) fn radiotap(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [_, _, l0, l1, ..] = *bytes else { return Err(Refusal::LinkTruncated) };
    frame(behind(bytes, usize::from(u16::from_le_bytes([l0, l1])))?)
}

/// "Per-Packet Information": version, flags, length, the frame's link type, fields.
pub(super) fn ppi(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [_, _, l0, l1, k0, k1, k2, k3, ..] = *bytes else { return Err(Refusal::LinkTruncated) };
    let frame = behind(bytes, usize::from(u16::from_le_bytes([l0, l1])))?;
    described(u32::from_le_bytes([k0, k1, k2, k3]), frame)
}

/// Prism: a header of fixed length, unless it is AVS'.
pub(super) fn prism(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    match bytes {
        [0x80, 0x21, 0x10 | 0x11, ..] => avs(bytes),
        _ => frame(behind(bytes, 144)?),
    }
}

/// AVS: version, length, fields.
pub(super) fn avs(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [_, _, _, _, l0, l1, l2, l3, ..] = *bytes else { return Err(Refusal::LinkTruncated) };
    frame(behind(bytes, u32::from_be_bytes([l0, l1, l2, l3]) as usize)?)
}
