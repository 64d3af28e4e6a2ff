//! Ethernet with VLAN tags, tags of port extenders, LLC, MPLS and PPPoE.

use super::{Link, behind, serial};
use crate::decode::{Mac, Refusal, Vlans};

/// More labels than any label stack in use (RFC 3032 sets no limit).
const MAX_MPLS_LABELS: usize = 8;

/// Tags of port extenders in one frame; one is usual.
const MAX_EXTENDER_TAGS: usize = 2;

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
    /// The session stage (RFC 2516); the stages before it carry no packets.
    pub(super) const PPPOE: u16 = 0x8864;
    /// Of Cisco's fabric extenders and adapters, before IEEE 802.1BR.
    pub(super) const VNTAG: u16 = 0x8926;
    /// IEEE 802.1BR.
    pub(super) const ETAG: u16 = 0x893f;
}

/// A frame, of whose tags the outermost may have been taken out before.
#[inline(always)]
pub(super) fn read(bytes: &[u8], outermost: Option<u16>) -> Result<Link<'_>, Refusal> {
    ethernet(bytes, outermost.into(), 0)
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

#[inline(always)]
fn ethernet(bytes: &[u8], vlans: Vlans, depth: usize) -> Result<Link<'_>, Refusal> {
    let (header, payload) = bytes.split_first_chunk::<14>().ok_or(Refusal::LinkTruncated)?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = *header;
    let macs = Some([Mac([s0, s1, s2, s3, s4, s5]), Mac([d0, d1, d2, d3, d4, d5])]);
    match u16::from_be_bytes([t0, t1]) {
        // Nearly every frame: it need not go through all that there may be.
        ether_type::IPV4 | ether_type::IPV6 => Ok(Link { macs, vlans, payload }),
        kind => ether_payload(kind, payload, macs, vlans, depth),
    }
}

fn ether_payload<'a>(
    mut kind: u16,
    mut payload: &'a [u8],
    macs: Option<[Mac; 2]>,
    mut vlans: Vlans,
    depth: usize,
) -> Result<Link<'a>, Refusal> {
    let mut extender_tags = 0;
    loop {
        match kind {
            ether_type::IPV4 | ether_type::IPV6 => return Ok(Link { macs, vlans, payload }),
            ether_type::VLAN | ether_type::QINQ | ether_type::QINQ_OLD => {
                let ([t0, t1, k0, k1], rest) =
                    payload.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
                let id = u16::from_be_bytes([*t0, *t1]) & 0x0fff;
                vlans.push(id).map_err(|_| Refusal::LinkNesting)?;
                (kind, payload) = (u16::from_be_bytes([*k0, *k1]), rest);
            }
            ether_type::MPLS | ether_type::MPLS_MULTICAST => {
                return mpls(payload, macs, vlans, depth);
            }
            ether_type::VNTAG | ether_type::ETAG if extender_tags < MAX_EXTENDER_TAGS => {
                extender_tags += 1;
                (kind, payload) = extended(kind, payload)?;
            }
            ether_type::VNTAG | ether_type::ETAG => return Err(Refusal::LinkNesting),
            ether_type::PPPOE => (kind, payload) = pppoe(payload)?,
            // IEEE 802.3: the field is a length and LLC follows.
            0..0x0600 => (kind, payload) = llc(payload)?,
            _ => return Err(Refusal::NotIp),
        }
    }
}

/// What follows a port extender's tag: an EtherType behind four bytes of VNTAG or six of E-TAG.
#[cold]
fn extended(kind: u16, payload: &[u8]) -> Result<(u16, &[u8]), Refusal> {
    let tag = if kind == ether_type::VNTAG { 4 } else { 6 };
    let (&[k0, k1], rest) =
        behind(payload, tag)?.split_first_chunk().ok_or(Refusal::LinkTruncated)?;
    Ok((u16::from_be_bytes([k0, k1]), rest))
}

/// What a PPPoE session (RFC 2516 section 4) carries, as an EtherType: version and type, code, session,
/// length, then a frame of PPP.
#[cold]
fn pppoe(payload: &[u8]) -> Result<(u16, &[u8]), Refusal> {
    match payload {
        [0x11, 0, _, _, _, _, frame @ ..] => match serial::ppp(frame)? {
            (serial::IPV4, payload) => Ok((ether_type::IPV4, payload)),
            (serial::IPV6, payload) => Ok((ether_type::IPV6, payload)),
            _ => Err(Refusal::NotIp),
        },
        [_, _, _, _, _, _, ..] => Err(Refusal::NotIp),
        _ => Err(Refusal::LinkTruncated),
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
