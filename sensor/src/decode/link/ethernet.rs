//! Ethernet with VLAN tags, LLC and MPLS.

use super::{Link, behind};
use crate::decode::{Mac, Refusal, Vlans};

/// More labels than any label stack in use (RFC 3032 sets no limit).
const MAX_MPLS_LABELS: usize = 8;

/// An Ethernet frame inside MPLS may hold MPLS again; this is as deep as it is followed.
const MAX_NESTED_ETHERNET: usize = 2;

/// EtherTypes (IANA "IEEE 802 Numbers").
mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const VLAN: u16 = 0x8100;
    pub(super) const QINQ: u16 = 0x88a8;
    /// QinQ before 802.1ad, still what many switches send.
    pub(super) const QINQ_OLD: u16 = 0x9100;
    pub(super) const MPLS: u16 = 0x8847;
    pub(super) const MPLS_MULTICAST: u16 = 0x8848;
}

/// A frame, of whose tags the outermost may have been taken out before.
#[inline]
pub(super) fn read(bytes: &[u8], outermost: Option<u16>) -> Result<Link<'_>, Refusal> {
    ethernet(bytes, outermost.into_iter().collect(), 0)
}

/// What a link layer without VLANs carries, by its EtherType.
pub(super) fn ether_type(
    kind: u16,
    payload: &[u8],
    macs: Option<[Mac; 2]>,
) -> Result<Link<'_>, Refusal> {
    ether_payload(kind, payload, macs, Vlans::new(), 0)
}

/// MPLS on a link that says so in its own way.
pub(super) fn mpls_stack(payload: &[u8]) -> Result<Link<'_>, Refusal> {
    mpls(payload, None, Vlans::new(), 0)
}

/// A switch's tag of `TAG` bytes between the MAC addresses and the EtherType, as switch chips send
/// frames to their CPU port (Linux "Distributed Switch Architecture").
pub(super) fn switch_tagged<const TAG: usize>(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let (macs, tagged) = macs(bytes)?;
    let ([k0, k1], payload) =
        behind(tagged, TAG)?.split_first_chunk().ok_or(Refusal::LinkTruncated)?;
    ether_type(u16::from_be_bytes([*k0, *k1]), payload, Some(macs))
}

/// Source and destination of a frame that begins with its two MAC addresses, and the rest.
#[inline]
pub(super) fn macs(bytes: &[u8]) -> Result<([Mac; 2], &[u8]), Refusal> {
    let (header, rest) = bytes.split_first_chunk::<12>().ok_or(Refusal::LinkTruncated)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *header;
    Ok(([Mac([s0, s1, s2, s3, s4, s5]), Mac([d0, d1, d2, d3, d4, d5])], rest))
}

/// What LLC (IEEE 802.2) leads to: SNAP (RFC 1042) to an EtherType, and IP has a SAP of its own.
#[inline]
pub(super) fn llc(bytes: &[u8]) -> Result<(u16, &[u8]), Refusal> {
    match bytes {
        [0xaa, 0xaa, 0x03, 0, 0, 0, k0 @ 0x06..=0xff, k1, rest @ ..] => {
            Ok((u16::from_be_bytes([*k0, *k1]), rest))
        }
        [0x06, 0x06, 0x03, rest @ ..] => Ok((ether_type::IPV4, rest)),
        _ => Err(Refusal::NotIp),
    }
}

#[inline]
fn ethernet(bytes: &[u8], vlans: Vlans, depth: usize) -> Result<Link<'_>, Refusal> {
    let (header, payload) = bytes.split_first_chunk::<14>().ok_or(Refusal::LinkTruncated)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let macs = [Mac([s0, s1, s2, s3, s4, s5]), Mac([d0, d1, d2, d3, d4, d5])];
    ether_payload(u16::from_be_bytes([t0, t1]), payload, Some(macs), vlans, depth)
}

#[inline]
fn ether_payload<'a>(
    mut kind: u16,
    mut payload: &'a [u8],
    macs: Option<[Mac; 2]>,
    mut vlans: Vlans,
    depth: usize,
) -> Result<Link<'a>, Refusal> {
    loop {
        match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Ok(Link { macs, vlans, payload }),
            ether_type::VLAN | ether_type::QINQ | ether_type::QINQ_OLD => {
                let ([t0, t1, k0, k1], rest) =
                    payload.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
                let id = u16::from_be_bytes([*t0, *t1]) & 0x0fff;
                vlans.try_push(id).map_err(|_| Refusal::LinkNesting)?;
                (kind, payload) = (u16::from_be_bytes([*k0, *k1]), rest);
            }
            ether_type::MPLS | ether_type::MPLS_MULTICAST => {
                return mpls(payload, macs, vlans, depth);
            }
            // IEEE 802.3: the field is a length and LLC follows.
            0..0x0600 => (kind, payload) = llc(payload)?,
            _ => return Err(Refusal::NotIp),
        }
    }
}

/// MPLS label stack (RFC 3032); below it IP by its version nibble, else Ethernet behind a
/// pseudowire control word (RFC 4385) or bare.
fn mpls<'a>(
    mut payload: &'a [u8],
    macs: Option<[Mac; 2]>,
    vlans: Vlans,
    depth: usize,
) -> Result<Link<'a>, Refusal> {
    for _ in 0..MAX_MPLS_LABELS {
        let ([_, _, bottom, _], rest) =
            payload.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
        payload = rest;
        if bottom & 1 == 0 {
            continue;
        }
        if depth >= MAX_NESTED_ETHERNET {
            return Err(Refusal::LinkNesting);
        }
        return match payload.first().map(|byte| byte >> 4) {
            Some(4 | 6) => Ok(Link { macs, vlans, payload }),
            Some(0) => {
                let (_, inner) = payload.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
                ethernet(inner, vlans, depth + 1)
            }
            Some(_) => ethernet(payload, vlans, depth + 1),
            None => Err(Refusal::LinkTruncated),
        };
    }
    Err(Refusal::LinkNesting)
}
