//! The network service header, and the numbers of what follows it, which VXLAN-GPE shares.

use crate::capture::LinkType;

/// What comes next by its number in VXLAN-GPE and NSH (IANA "VXLAN-GPE Next Protocol", "NSH Next
/// Protocol"), a service header stepped over; and how it is to be read.
pub(super) fn next(protocol: u8, bytes: &[u8]) -> Option<(LinkType, &[u8])> {
    const SERVICE_HEADER: u8 = 4;
    match protocol {
        SERVICE_HEADER => {
            let (protocol, bytes) = skip(bytes)?;
            Some((link(protocol)?, bytes))
        }
        protocol => Some((link(protocol)?, bytes)),
    }
}

const fn link(protocol: u8) -> Option<LinkType> {
    match protocol {
        1 | 2 => Some(LinkType::RAW),
        3 => Some(LinkType::ETHERNET),
        _ => None,
    }
}

/// RFC 8300 section 2.2: version, flags and time to live, length in words, metadata type, next
/// protocol; then the service path and metadata, which belong to that length.
fn skip(bytes: &[u8]) -> Option<(u8, &[u8])> {
    const VERSION: u8 = 0xc0;
    const WORDS: u8 = 0x3f;
    const LEAST: usize = 8;
    let &[first, length, _, protocol] = bytes.first_chunk::<4>()?;
    let length = usize::from(length & WORDS) << 2;
    let is_sane = first & VERSION == 0 && length >= LEAST;
    is_sane.then_some((protocol, bytes.get(length..)?))
}
