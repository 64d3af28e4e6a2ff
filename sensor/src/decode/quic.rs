//! QUIC: the Initial packets that carry the hellos (RFC 9000, RFC 9001, RFC 9369).
//!
//! Initials are encrypted with keys that follow from the client's first destination connection id,
//! so whoever sees the first datagram can read them. What comes after them nobody can.

#![deny(clippy::arithmetic_side_effects)]

use super::tls::reader::Reader;

mod frame;
mod header;
mod keys;
mod version;

pub use frame::{Crypto, CryptoFrames, crypto_frames};
pub use header::{Kind, Packet, Packets, packets};
pub use keys::{Keys, Side};
pub use version::{Version, is_grease};

/// A client's first destination connection id is at least so long (RFC 9000, 7.2).
pub const MIN_FIRST_ID: usize = 8;

/// The longest connection id (RFC 9000, 17.2).
pub const MAX_ID: usize = 20;

/// A datagram with a client's Initial is at least so long (RFC 9000, 14.1).
pub const MIN_DATAGRAM: usize = 1200;

/// A long header with the fixed bit. (Clients may grease that bit in an Initial, RFC 9287, once a
/// server of an earlier connection allowed it; to ask every RTP packet for its version costs more
/// than that tells.)
const FIRST_BYTE: u8 = 0xc0;

/// Why a packet is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its version is none that is known here.
    #[error("QUIC version {0:#010x} is not known")]
    Version(u32),
    /// A header, or the frames of an Initial, that contradict themselves or end too early.
    #[error("expected a QUIC packet, saw lengths or frames that it cannot have")]
    Malformed,
}

/// Whether a datagram may begin with a packet that has a long header: of a known version or, when it
/// is long enough to be a client's first, of one that may come to be.
#[inline]
pub fn looks_like_quic(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|&first| first >= FIRST_BYTE) && has_long_header(datagram)
}

fn has_long_header(datagram: &[u8]) -> bool {
    let Some(&[_, a, b, c, d, id_len]) = datagram.first_chunk() else { return false };
    match u32::from_be_bytes([a, b, c, d]) {
        // Version Negotiation says nothing of a session (RFC 9000, 17.2.1).
        0 => false,
        number if Version::of(number).is_some() => true,
        _ if datagram.len() < MIN_DATAGRAM => false,
        _ => {
            let ids = datagram.get(6..).unwrap_or_default();
            let source_len = ids.get(usize::from(id_len)).copied().unwrap_or(u8::MAX);
            (MIN_FIRST_ID..=MAX_ID).contains(&usize::from(id_len))
                && usize::from(source_len) <= MAX_ID
        }
    }
}

/// A variable-length integer (RFC 9000, 16).
fn varint(reader: &mut Reader<'_>) -> Option<u64> {
    let first = reader.byte()?;
    let more = match first >> 6 {
        0 => 0,
        1 => 1,
        2 => 3,
        _ => 7,
    };
    let start = u64::from(first & 0x3f);
    Some(reader.take(more)?.iter().fold(start, |value, &byte| value << 8 | u64::from(byte)))
}

/// As many bytes as the variable-length integer in front of them says.
fn sized<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = varint(reader)?;
    reader.take(usize::try_from(len).ok()?)
}

#[cfg(test)]
mod tests;
