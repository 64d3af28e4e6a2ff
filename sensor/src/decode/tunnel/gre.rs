//! GRE, and what tells NVGRE from it.

use super::{Header, by_ether_type, erspan};
use crate::capture::LinkType;
use crate::event::TunnelKind;

const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
/// Routes in the header (RFC 1701), what was never assigned, and another version (PPTP's).
const UNKNOWN: u16 = 0x4c07;

const TRANSPARENT_ETHERNET: u16 = 0x6558;

/// GRE (RFC 2784, RFC 2890): flags and version, what it carries, then checksum, key and sequence
/// number, each if its flag says so.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    let (&[f0, f1, c0, c1], rest) = bytes.split_first_chunk::<4>()?;
    let flags = u16::from_be_bytes([f0, f1]);
    if flags & UNKNOWN != 0 {
        return None;
    }
    let (_, rest) = option(flags, CHECKSUM, rest)?;
    let (key, rest) = option(flags, KEY, rest)?;
    let (sequence, rest) = option(flags, SEQUENCE, rest)?;
    let kind = u16::from_be_bytes([c0, c1]);
    let plain = |carries| Some(Header { kind: TunnelKind::Gre, id: key, carries, inner: rest });
    match kind {
        0x88be if sequence.is_none() => Some(erspan::first(rest)),
        0x88be => erspan::second(rest),
        0x22eb => erspan::third(rest),
        0x880b => plain(LinkType::PPP),
        0x883e => plain(LinkType::RAW).map(|gre| Header { inner: redirected(rest), ..gre }),
        TRANSPARENT_ETHERNET if flags & (CHECKSUM | SEQUENCE) == 0 => {
            let gre = plain(LinkType::ETHERNET)?;
            Some(key.and_then(subnet).map_or(gre, |id| nvgre(id, rest)))
        }
        kind => plain(by_ether_type(kind)?),
    }
}

/// A word that is there when its flag is, and what follows.
fn option(flags: u16, flag: u16, bytes: &[u8]) -> Option<(Option<u32>, &[u8])> {
    if flags & flag == 0 {
        return Some((None, bytes));
    }
    let (word, rest) = bytes.split_first_chunk()?;
    Some((Some(u32::from_be_bytes(*word)), rest))
}

const fn nvgre(id: u32, inner: &[u8]) -> Header<'_> {
    Header { kind: TunnelKind::Nvgre, id: Some(id), carries: LinkType::ETHERNET, inner }
}

/// The virtual subnet that NVGRE's key holds above an id of the flow (RFC 7637 section 3.2). GRE with
/// Ethernet and a key looks the same. As the first 4096 subnets and the last are not assigned, a key
/// below them, such as people choose, is GRE's own.
fn subnet(key: u32) -> Option<u32> {
    let subnet = key >> 8;
    (0x1000..0x00ff_ffff).contains(&subnet).then_some(subnet)
}

/// The packet behind WCCP: version 2 (draft-mclaggan-wccp-v2rev1-00, section 4) puts a word before
/// it; version 1 does not.
const fn redirected(bytes: &[u8]) -> &[u8] {
    match bytes {
        [0x40..=0x4f, ..] => bytes,
        [_, _, _, _, packet @ ..] => packet,
        _ => &[],
    }
}
