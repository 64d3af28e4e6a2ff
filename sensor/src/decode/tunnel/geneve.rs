//! GENEVE: what NSX and cloud providers wrap in.

use super::{Header, by_ether_type};
use crate::event::TunnelKind;

/// RFC 8926 section 3.4: version and length of the options in words, flags, an EtherType, network
/// identifier, reserved; then options, which are stepped over, critical ones too: what they ask of a
/// receiver does not change what was sent.
pub(super) fn read(bytes: &[u8]) -> Option<Header<'_>> {
    const VERSION: u8 = 0xc0;
    const WORDS: u8 = 0x3f;
    let (&[first, _, c0, c1, a, b, c, _], rest) = bytes.split_first_chunk::<8>()?;
    if first & VERSION != 0 {
        return None;
    }
    Some(Header {
        kind: TunnelKind::Geneve,
        id: Some(u32::from_be_bytes([0, a, b, c])),
        carries: by_ether_type(u16::from_be_bytes([c0, c1]))?,
        inner: rest.get(usize::from(first & WORDS) << 2..)?,
    })
}
