//! LDAP's messages (RFC 4511, 4.1.1), as far as they tell where each ends and which asks for TLS.

use super::{Beginning, Protocol, Role, Unit};
use crate::event::StartTls;

/// A request for TLS is shorter: an extended request's name, and ids.
pub(super) const MAX_REQUEST: usize = 128;

/// What asks for TLS (RFC 4511, 4.14.1).
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIND: u8 = 0x60;
const SEARCH: u8 = 0x63;
const EXTENDED: u8 = 0x77;
const REQUEST_NAME: u8 = 0x80;

/// Whether a client's first bytes are a message that one begins with.
pub(super) fn begins(bytes: &[u8]) -> Beginning {
    let Some((_, content)) = header(bytes) else {
        return if bytes.len() < 6 { Beginning::Undecided } else { Beginning::No };
    };
    match operation(content) {
        Ok([BIND | SEARCH | EXTENDED, ..]) => {
            Beginning::Of(Protocol::StartTls(StartTls::Ldap), Role::Client)
        }
        Ok([]) | Err(Short::Yes) => Beginning::Undecided,
        Ok(_) | Err(Short::No) => Beginning::No,
    }
}

/// How long the message at the start is.
pub(super) fn message(bytes: &[u8]) -> Unit {
    match header(bytes) {
        Some((len, _)) => Unit::Whole(len),
        None if bytes.len() < 6 && bytes.first() == Some(&SEQUENCE) => {
            Unit::Short(bytes.len().saturating_add(1))
        }
        None => Unit::Foreign,
    }
}

/// Whether a message asks for TLS.
pub(super) fn asks(message: &[u8]) -> bool {
    let request = || {
        let (_, content) = header(message)?;
        let (_, request) = tagged(operation(content).ok()?, EXTENDED)?;
        let (len, name) = tagged(request, REQUEST_NAME)?;
        name.get(..len)
    };
    request() == Some(START_TLS)
}

/// The length of the message at the start, and what is there behind its header.
fn header(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (len, content) = tagged(bytes, SEQUENCE)?;
    let header = bytes.len().checked_sub(content.len())?;
    Some((header.checked_add(len)?, content))
}

/// Whether bytes are too few to tell.
enum Short {
    Yes,
    No,
}

/// What follows the message's number.
fn operation(content: &[u8]) -> Result<&[u8], Short> {
    match *content {
        [INTEGER, len @ 1..=4, ref rest @ ..] => rest.get(usize::from(len)..).ok_or(Short::Yes),
        [] | [INTEGER] => Err(Short::Yes),
        _ => Err(Short::No),
    }
}

/// The length of a value of this tag at the start, and what is there behind its header. Lengths take
/// up to four bytes behind their own number, and need not be as short as they could (RFC 4511, 5.1).
fn tagged(bytes: &[u8], tag: u8) -> Option<(usize, &[u8])> {
    match *bytes {
        [seen, len @ 0..=0x7f, ref rest @ ..] if seen == tag => Some((usize::from(len), rest)),
        [seen, count @ 0x81..=0x84, ref rest @ ..] if seen == tag => {
            let (len, rest) = rest.split_at_checked(usize::from(count & 0x0f))?;
            let len = len.iter().fold(0_u32, |len, byte| len << 8 | u32::from(*byte));
            Some((len as usize, rest))
        }
        _ => None,
    }
}
