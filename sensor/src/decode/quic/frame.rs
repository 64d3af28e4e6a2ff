//! The frames of an Initial (RFC 9000, 12.4 and 19): only those that carry the handshake are given.

use super::{Refusal, Version, sized, varint};
use crate::decode::tls::reader::Reader;

const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const ACK: u8 = 0x02;
const ACK_ECN: u8 = 0x03;
const CONNECTION_CLOSE: u8 = 0x1c;

/// A piece of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Where it belongs.
    pub offset: u64,
    /// Its bytes.
    pub data: &'a [u8],
}

/// The CRYPTO frames of a decrypted Initial of this version. Ends behind a refusal: a frame that no
/// Initial has, or one that ends too early.
pub const fn crypto_frames(version: Version, payload: &[u8]) -> CryptoFrames<'_> {
    CryptoFrames { rest: Reader::new(payload), crypto: version.crypto_frame() }
}

/// See [`crypto_frames`].
#[derive(Debug, Clone, Copy)]
pub struct CryptoFrames<'a> {
    rest: Reader<'a>,
    /// The type of CRYPTO frames.
    crypto: u8,
}

impl<'a> Iterator for CryptoFrames<'a> {
    type Item = Result<Crypto<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = match self.rest.byte()? {
                PADDING | PING => continue,
                kind if kind == self.crypto => match self.crypto() {
                    Some(crypto) => return Some(Ok(crypto)),
                    None => None,
                },
                ACK => self.ack(),
                ACK_ECN => self.ack().and_then(|()| self.integers(3)),
                CONNECTION_CLOSE => self.close(),
                _ => None,
            };
            if read.is_none() {
                self.rest.rest();
                return Some(Err(Refusal::Malformed));
            }
        }
    }
}

impl<'a> CryptoFrames<'a> {
    fn crypto(&mut self) -> Option<Crypto<'a>> {
        Some(Crypto { offset: varint(&mut self.rest)?, data: sized(&mut self.rest)? })
    }

    fn ack(&mut self) -> Option<()> {
        // The largest number, and the delay.
        self.integers(2)?;
        let ranges = varint(&mut self.rest)?;
        let _first = varint(&mut self.rest)?;
        // A gap and a length each. As many as the payload has bytes at the most, whatever it says.
        self.integers(ranges.checked_mul(2)?)
    }

    fn close(&mut self) -> Option<()> {
        // The error, and the frame that led to it.
        self.integers(2)?;
        sized(&mut self.rest).map(|_reason| ())
    }

    fn integers(&mut self, count: u64) -> Option<()> {
        (0..count).try_for_each(|_| varint(&mut self.rest).map(|_| ()))
    }
}
