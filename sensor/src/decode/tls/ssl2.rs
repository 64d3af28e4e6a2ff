//! The ClientHello in the format of SSL 2.0 (RFC 5246, E.2), which old clients send to servers
//! that may be older still. It can say a version up to TLS 1.2 but no server name.

use super::extension::{Extensions, Known};
use super::{ClientHello, Extent, Refusal};
use crate::decode::progress::Progress;

/// Length bytes, message type, version, and the lengths of cipher specs, session id and challenge.
const HEADER: usize = 11;

/// Whether the first five bytes may be such a hello: a length with the top bit set, type 1, 3.0 to 3.3.
pub(super) const fn is_start([high, _, kind, major, minor]: [u8; 5]) -> bool {
    high & 0x80 != 0 && kind == 1 && major == 3 && minor <= 3
}

/// Reads one; that it is cut off does not matter once its header is there.
pub(super) fn client_hello(bytes: &[u8], extent: Extent) -> Progress<ClientHello<'_>, Refusal> {
    let Some((header, _)) = bytes.split_first_chunk::<HEADER>() else {
        return match extent {
            Extent::Growing => Progress::NeedMore(HEADER),
            Extent::Final => Progress::Refused(Refusal::Truncated),
        };
    };
    let &[high, low, _, major, minor, ref lengths @ ..] = header;
    let total = usize::from(u16::from_be_bytes([high & 0x7f, low])).saturating_add(2);
    let [ciphers, session_id, challenge] = match *lengths {
        [a, b, c, d, e, f] => [[a, b], [c, d], [e, f]],
    }
    .map(|length| usize::from(u16::from_be_bytes(length)));
    let parts = ciphers.saturating_add(session_id).saturating_add(challenge);
    let fits = parts.saturating_add(HEADER) == total;
    if !fits || ciphers == 0 || !ciphers.is_multiple_of(3) || !(16..=32).contains(&challenge) {
        return Progress::Refused(Refusal::Malformed);
    }
    if bytes.len() < total && extent == Extent::Growing {
        return Progress::NeedMore(total);
    }
    let value = ClientHello {
        version: u16::from_be_bytes([major, minor]),
        random: &[],
        session_id: &[],
        ciphers: &[],
        compressions: &[],
        extensions: Extensions::new(&[]),
        known: Known::default(),
        truncated: bytes.len() < total,
    };
    Progress::Complete { value, used: total.min(bytes.len()) }
}
