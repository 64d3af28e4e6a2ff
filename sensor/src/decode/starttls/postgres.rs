//! How a PostgreSQL client asks for TLS, and how it is answered (its manual, "Message Flow").

use super::Unit;

/// `SSLRequest`.
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// `GSSENCRequest`, which may go before it.
pub(super) const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];

/// A request of the client.
pub(super) fn request(bytes: &[u8]) -> Unit {
    let is = |request: &[u8; 8]| request.starts_with(bytes.get(..8).unwrap_or(bytes));
    match is(&SSL_REQUEST) || is(&GSS_REQUEST) {
        true if bytes.len() >= 8 => Unit::Whole(8),
        true => Unit::Short(8),
        false => Unit::Foreign,
    }
}

/// The server's answer: yes or no, in one byte.
pub(super) const fn answer(bytes: &[u8]) -> Unit {
    match bytes {
        [b'S' | b'N', ..] => Unit::Whole(1),
        _ => Unit::Foreign,
    }
}
