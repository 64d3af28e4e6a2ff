//! Versions: what their Initials are encrypted with, and how they number packet types.

use super::Kind;

/// A version whose Initials can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    number: u32,
    family: Family,
}

/// Versions whose Initials differ in nothing but the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// draft-ietf-quic-tls-23 to -28, and Meta's mvfst that was made from draft 27.
    Draft23,
    /// draft-ietf-quic-tls-29 to -32.
    Draft29,
    /// Google's T051: draft 29 with another salt, and Google's own number for CRYPTO frames.
    T051,
    /// Version 1 (RFC 9000), and drafts 33 and 34.
    One,
    /// Version 2 (RFC 9369).
    Two,
}

/// The names of HKDF-Expand-Label for a packet's protection, `tls13 ` included.
pub(super) struct Labels {
    pub(super) key: &'static [u8],
    pub(super) iv: &'static [u8],
    pub(super) header: &'static [u8],
}

impl Version {
    /// The version of this number, if it is known.
    pub const fn of(number: u32) -> Option<Self> {
        let family = match number {
            1 | 0xff00_0021..=0xff00_0022 => Family::One,
            0x6b33_43cf => Family::Two,
            0xff00_001d..=0xff00_0020 => Family::Draft29,
            0xff00_0017..=0xff00_001c | 0xface_b002 => Family::Draft23,
            0x5430_3531 => Family::T051,
            _ => return None,
        };
        Some(Self { number, family })
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// The type of a packet with this first byte (RFC 9000, 17.2; RFC 9369, 3.2).
    pub(super) const fn kind(self, first: u8) -> Kind {
        match (self.family, first >> 4 & 3) {
            (Family::Two, 1) => Kind::Initial,
            (Family::Two, 2) => Kind::ZeroRtt,
            (Family::Two, 3) => Kind::Handshake,
            (Family::Two, _) => Kind::Retry,
            (_, 0) => Kind::Initial,
            (_, 1) => Kind::ZeroRtt,
            (_, 2) => Kind::Handshake,
            _ => Kind::Retry,
        }
    }

    /// `initial_salt` (RFC 9001, 5.2; RFC 9369, 3.3.1; the drafts).
    pub(super) const fn salt(self) -> &'static [u8; 20] {
        match self.family {
            Family::Draft23 => {
                b"\xc3\xee\xf7\x12\xc7\x2e\xbb\x5a\x11\xa7\xd2\x43\x2b\xb4\x63\x65\xbe\xf9\xf5\x02"
            }
            Family::Draft29 => {
                b"\xaf\xbf\xec\x28\x99\x93\xd2\x4c\x9e\x97\x86\xf1\x9c\x61\x11\xe0\x43\x90\xa8\x99"
            }
            Family::T051 => {
                b"\x7a\x4e\xde\xf4\xe7\xcc\xee\x5f\xa4\x50\x6c\x19\x12\x4f\xc8\xcc\xda\x6e\x03\x3d"
            }
            Family::One => {
                b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a"
            }
            Family::Two => {
                b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9"
            }
        }
    }

    /// The type of a CRYPTO frame (RFC 9000, 19.6).
    pub(super) const fn crypto_frame(self) -> u8 {
        match self.family {
            Family::T051 => 0x08,
            _ => 0x06,
        }
    }

    /// RFC 9001, 5.1; RFC 9369, 3.3.2.
    pub(super) const fn labels(self) -> Labels {
        match self.family {
            Family::Two => Labels {
                key: b"tls13 quicv2 key",
                iv: b"tls13 quicv2 iv",
                header: b"tls13 quicv2 hp",
            },
            _ => Labels { key: b"tls13 quic key", iv: b"tls13 quic iv", header: b"tls13 quic hp" },
        }
    }
}

/// Whether a version is one that is offered only to keep others tolerant (RFC 9000, 15).
pub const fn is_grease(number: u32) -> bool {
    number & 0x0f0f_0f0f == 0x0a0a_0a0a
}
