//! VXLAN, and its extension that says what it carries.

use super::{Header, nsh};
use crate::capture::LinkType;
use crate::event::TunnelKind;

/// VXLAN (RFC 7348 section 5): flags, reserved bits, network identifier, reserved. Reserved bits are
/// ignored, as the RFC has it, but for the one by which VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe-13,
/// section 3) says that the byte before the identifier tells what follows. To which of the two ports
/// it came does not matter.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    const HAS_ID: u8 = 0x08;
    const HAS_PROTOCOL: u8 = 0x04;
    let (&[flags, _, _, protocol, a, b, c, _], inner) = bytes.split_first_chunk::<8>()?;
    let id = (flags & HAS_ID != 0).then_some(u32::from_be_bytes([0, a, b, c]));
    if flags & HAS_PROTOCOL == 0 {
        let (kind, carries) = (TunnelKind::Vxlan, LinkType::ETHERNET);
        return id.is_some().then_some(Header { kind, id, carries, inner });
    }
    let (carries, inner) = nsh::next(protocol, inner)?;
    Some(Header { kind: TunnelKind::VxlanGpe, id, carries, inner })
}
