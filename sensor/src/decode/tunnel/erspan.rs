//! ERSPAN in GRE: a mirror's frames, as VMware's distributed switch and Cisco's switches send them
//! (draft-foschiano-erspan-03, section 4).

use super::Header;
use crate::capture::LinkType;
use crate::event::TunnelKind;

/// Type I has no header of its own, and unlike type II no sequence number in GRE's.
pub(super) const fn first(inner: &[u8]) -> Header<'_> {
    Header { kind: TunnelKind::Erspan, id: None, carries: LinkType::ETHERNET, inner }
}

/// Type II: version and VLAN, session, port.
pub(super) fn second(bytes: &[u8]) -> Option<Header<'_>> {
    let (&[v, _, s0, s1, ..], inner) = bytes.split_first_chunk::<8>()?;
    let carries = LinkType::ETHERNET;
    (v >> 4 == 1).then_some(Header {
        kind: TunnelKind::Erspan,
        id: Some(session(s0, s1)),
        carries,
        inner,
    })
}

/// Type III: the same, then a time, a group, what kind of frame follows, and whether eight bytes that
/// only the exporter's platform understands come first.
pub(super) fn third(bytes: &[u8]) -> Option<Header<'_>> {
    const PLATFORM: u8 = 0x01;
    let (&[v, _, s0, s1, _, _, _, _, _, _, f0, f1], rest) = bytes.split_first_chunk::<12>()?;
    let inner = if f1 & PLATFORM != 0 { rest.get(8..)? } else { rest };
    let carries = match (f0 >> 2) & 0x1f {
        0 => LinkType::ETHERNET,
        2 => LinkType::RAW,
        _ => return None,
    };
    (v >> 4 == 2).then_some(Header {
        kind: TunnelKind::Erspan,
        id: Some(session(s0, s1)),
        carries,
        inner,
    })
}

/// The lower ten bits.
const fn session(high: u8, low: u8) -> u32 {
    u32::from_be_bytes([0, 0, high & 0x03, low])
}
