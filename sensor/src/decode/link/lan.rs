//! Other local networks: most of them lead to an EtherType by LLC and SNAP.

use super::{Link, bare, behind, ethernet};
use crate::decode::{Mac, Refusal};

/// FDDI: frame control, destination, source, LLC. Writers differ in the order of the addresses'
/// bits, so that these tell nothing.
pub(super) fn fddi(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    const ASYNCHRONOUS_LLC: u8 = 0x50;
    let control = bytes.first().ok_or(Refusal::LinkTruncated)?;
    if control & 0xf0 != ASYNCHRONOUS_LLC {
        return Err(Refusal::NotIp);
    }
    behind_llc(behind(bytes, 13)?, None)
}

/// Token Ring (IEEE 802.5): access and frame control, destination, source, maybe a route, LLC.
pub(super) fn token_ring(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    const LLC: u8 = 0x40;
    const ROUTED: u8 = 0x80;
    let ([_, control], frame) = bytes.split_first_chunk().ok_or(Refusal::LinkTruncated)?;
    if control & 0xc0 != LLC {
        return Err(Refusal::NotIp);
    }
    let ([mut source, destination], mut rest) = ethernet::macs(frame)?;
    if let [route, ..] = rest
        && source.0[0] & ROUTED != 0
    {
        source.0[0] &= !ROUTED;
        rest = behind(rest, usize::from(route & 0x1f))?;
    }
    behind_llc(rest, Some([source, destination]))
}

/// IP over Fibre Channel (RFC 2625): destination and source, each behind two bytes of kind.
pub(super) fn fibre_channel(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    behind_llc(behind(bytes, 16)?, None)
}

/// What LLC leads to.
pub(super) fn behind_llc(bytes: &[u8], macs: Option<[Mac; 2]>) -> Result<Link<'_>, Refusal> {
    let (kind, payload) = ethernet::llc(bytes)?;
    ethernet::ether_type(kind, payload, macs)
}

/// IP over InfiniBand: two addresses of 20 bytes, the EtherType and two bytes of nothing (RFC 4391).
pub(super) fn infiniband(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let ([k0, k1, _, _], payload) =
        behind(bytes, 40)?.split_first_chunk().ok_or(Refusal::LinkTruncated)?;
    ethernet::ether_type(u16::from_be_bytes([*k0, *k1]), payload, None)
}

/// ARCNET: source, destination, type.
pub(super) fn arcnet(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [_, _, kind, rest @ ..] = bytes else { return Err(Refusal::LinkTruncated) };
    behind_arcnet(*kind, rest)
}

/// ARCNET as Linux gives it: two bytes of offset before the type.
pub(super) fn arcnet_linux(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let [_, _, _, _, kind, rest @ ..] = bytes else { return Err(Refusal::LinkTruncated) };
    behind_arcnet(*kind, rest)
}

/// A whole packet or the first of its parts; what to do with later ones only the receiver knows.
fn behind_arcnet(kind: u8, rest: &[u8]) -> Result<Link<'_>, Refusal> {
    const IP_OLD: u8 = 240; // RFC 1051
    const IP: u8 = 212; // RFC 1201
    const IPV6: u8 = 196; // RFC 2497
    match (kind, rest) {
        (IP_OLD, payload) => bare(payload),
        // An exception frame: filled up by four bytes, because its length is none there can be.
        (IP | IPV6, [0xff, _, _, _, _, _, _, payload @ ..]) => bare(payload),
        (IP | IPV6, [split, _, _, payload @ ..]) if *split == 0 || split & 1 == 1 => bare(payload),
        (IP | IPV6, []) => Err(Refusal::LinkTruncated),
        _ => Err(Refusal::NotIp),
    }
}
