//! What the network stack of a capturing host gives in place of the wire's own link header.

use super::{Link, bare, behind, described, ethernet};
use crate::decode::Refusal;

/// Linux cooked capture: a header of 16 bytes, the EtherType at its end.
pub(super) fn linux_sll(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let ([_, _, _, _, _, _, _, _, _, _, _, _, _, _, k0, k1], payload) =
        bytes.split_first_chunk::<16>().ok_or(Refusal::LinkTruncated)?;
    ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
}

/// Linux cooked capture, version 2: a header of 20 bytes, the EtherType at its start.
pub(super) fn linux_sll2(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let ([k0, k1, ..], payload) = bytes.split_first_chunk::<20>().ok_or(Refusal::LinkTruncated)?;
    ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
}

/// BSD loopback: a protocol family of four bytes, in the byte order of the capturing host.
pub(super) fn loopback(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let (family, payload) = bytes.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
    let family = u32::from_be_bytes(*family).min(u32::from_le_bytes(*family));
    // AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 or 30 on the BSDs and macOS.
    if matches!(family, 2 | 10 | 24 | 28 | 30) { bare(payload) } else { Err(Refusal::NotIp) }
}

/// OpenBSD's `enc`: protocol family, SPI and flags, then the packet that IPsec protected.
pub(super) fn enc(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    bare(behind(bytes, 12)?)
}

/// OpenBSD's packet filter log: a header that says its own length, padded to four bytes.
pub(super) fn pflog(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let length = bytes.first().ok_or(Refusal::LinkTruncated)?;
    bare(behind(bytes, usize::from(*length).next_multiple_of(4))?)
}

/// Linux' netfilter log: family, version and group, then attributes, one of which is the packet.
/// They are in the byte order of the host that captured, which the frame does not tell.
pub(super) fn nflog(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let attributes = behind(bytes, 4)?;
    nflog_payload(attributes, u16::from_le_bytes)
        .or_else(|| nflog_payload(attributes, u16::from_be_bytes))
        .map_or(Err(Refusal::LinkTruncated), bare)
}

fn nflog_payload(mut attributes: &[u8], number: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    while let &[l0, l1, t0, t1, ref rest @ ..] = attributes {
        let length = usize::from(number([l0, l1]));
        if number([t0, t1]) == PAYLOAD {
            // The snap length may have cut it.
            let length = length.checked_sub(4)?;
            return Some(rest.get(..length).unwrap_or(rest));
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
    None
}

/// Solaris' IP observability: lengths, interface and zones in 24 bytes.
pub(super) fn ipnet(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    bare(behind(bytes, 24)?)
}

/// macOS' description of a packet: its own length, the record's type, the packet's link type.
pub(super) fn pktap(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let ([l0, l1, l2, l3, _, _, _, _, k0, k1, k2, k3], _) =
        bytes.split_first_chunk::<12>().ok_or(Refusal::LinkTruncated)?;
    let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]);
    let link = u32::from_le_bytes([*k0, *k1, *k2, *k3]);
    described(link, behind(bytes, length as usize)?)
}
