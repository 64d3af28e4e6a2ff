//! Long headers (RFC 9000, 17.2), and the packets that share a datagram (RFC 9000, 12.2).

use super::{MAX_ID, Refusal, Version, sized, varint};
use crate::decode::tls::reader::Reader;

/// A bit that short headers have not.
const LONG: u8 = 0x80;

/// What a packet with a long header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It carries hellos.
    Initial,
    /// Data that a client sends before it is answered.
    ZeroRtt,
    /// The rest of the handshake.
    Handshake,
    /// The server asks to begin anew.
    Retry,
}

/// A packet with a long header, where it lies.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Its version.
    pub version: Version,
    /// What it is.
    pub kind: Kind,
    /// Whom it is sent to: the connection id the other side has chosen, or a client's first guess.
    pub destination: &'a [u8],
    /// Whom it is from.
    pub source: &'a [u8],
    /// Whether all of it is there.
    pub is_whole: bool,
    /// All of it, as far as it is there.
    pub(super) bytes: &'a [u8],
    /// Where its packet number begins; a Retry has none.
    pub(super) number: usize,
}

/// Goes through the packets of a datagram that have long headers; ends at a short one, behind which
/// there is no other, and behind a packet that is refused.
pub const fn packets(datagram: &[u8]) -> Packets<'_> {
    Packets(datagram)
}

/// See [`packets`].
#[derive(Debug, Clone, Copy)]
pub struct Packets<'a>(&'a [u8]);

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        if bytes.first()? & LONG == 0 {
            return None;
        }
        let version = bytes.get(1..)?.first_chunk().map(|number| u32::from_be_bytes(*number))?;
        let Some(version) = Version::of(version) else {
            return Some(Err(Refusal::Version(version)));
        };
        let Some(packet) = Packet::read(bytes, version) else {
            return Some(Err(Refusal::Malformed));
        };
        self.0 = bytes.get(packet.bytes.len()..).unwrap_or_default();
        Some(Ok(packet))
    }
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8], version: Version) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = version.kind(reader.byte()?);
        let _version = reader.take(4)?;
        let destination = reader.vector8()?;
        let source = reader.vector8()?;
        if destination.len() > MAX_ID || source.len() > MAX_ID {
            return None;
        }
        let packet =
            Self { version, kind, destination, source, is_whole: true, bytes, number: bytes.len() };
        match kind {
            // Token and integrity tag take the rest.
            Kind::Retry => return Some(packet),
            Kind::Initial => {
                let _token = sized(&mut reader)?;
            }
            Kind::ZeroRtt | Kind::Handshake => {}
        }
        let len = usize::try_from(varint(&mut reader)?).ok()?;
        let number = bytes.len().checked_sub(reader.rest().len())?;
        Some(match bytes.get(..number.checked_add(len)?) {
            Some(bytes) => Self { bytes, number, ..packet },
            None => Self { is_whole: false, number, ..packet },
        })
    }
}
