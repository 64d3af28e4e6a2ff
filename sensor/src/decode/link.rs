//! The link layer: Ethernet with VLAN tags and MPLS, Linux cooked capture, BSD loopback, raw IP.

use super::{Mac, Refusal, Vlans};
use crate::capture::{Frame, LinkType};

/// What the link layer says of a frame.
pub(super) struct Link<'a> {
    pub macs: Option<[Mac; 2]>,
    pub vlans: Vlans,
    /// What follows the link header: an IP packet.
    pub payload: &'a [u8],
}

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

#[inline]
pub(super) fn read<'a>(frame: &Frame<'a>) -> Result<Link<'a>, Refusal> {
    let bytes = frame.bytes;
    match frame.link {
        LinkType::ETHERNET => ethernet(bytes, Vlans::new(), 0),
        LinkType::RAW
        | LinkType::RAW_BSD
        | LinkType::RAW_OPENBSD
        | LinkType::IPV4
        | LinkType::IPV6 => Ok(bare(bytes)),
        LinkType::LINUX_SLL => {
            let (header, payload) =
                bytes.split_first_chunk::<16>().ok_or(Refusal::LinkTruncated)?;
            ether_payload(
                u16::from_be_bytes([header[14], header[15]]),
                payload,
                None,
                Vlans::new(),
                0,
            )
        }
        LinkType::LINUX_SLL2 => {
            let (header, payload) =
                bytes.split_first_chunk::<20>().ok_or(Refusal::LinkTruncated)?;
            ether_payload(
                u16::from_be_bytes([header[0], header[1]]),
                payload,
                None,
                Vlans::new(),
                0,
            )
        }
        LinkType::NULL | LinkType::LOOP => loopback(bytes),
        _ => Err(Refusal::LinkType),
    }
}

fn bare(payload: &[u8]) -> Link<'_> {
    Link { macs: None, vlans: Vlans::new(), payload }
}

/// BSD loopback: a protocol family of four bytes, in the byte order of the capturing host.
fn loopback(bytes: &[u8]) -> Result<Link<'_>, Refusal> {
    let (family, payload) = bytes.split_first_chunk::<4>().ok_or(Refusal::LinkTruncated)?;
    let family = u32::from_be_bytes(*family).min(u32::from_le_bytes(*family));
    // AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 or 30 on the BSDs and macOS.
    if matches!(family, 2 | 10 | 24 | 28 | 30) { Ok(bare(payload)) } else { Err(Refusal::NotIp) }
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
            // IEEE 802.3: the field is a length and LLC follows; SNAP (RFC 1042) leads to an EtherType.
            0..0x0600 => {
                let Some(([0xaa, 0xaa, 0x03, 0, 0, 0, k0, k1], rest)) =
                    payload.split_first_chunk::<8>()
                else {
                    return Err(Refusal::NotIp);
                };
                (kind, payload) = (u16::from_be_bytes([*k0, *k1]), rest);
                if kind < 0x0600 {
                    return Err(Refusal::NotIp);
                }
            }
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
