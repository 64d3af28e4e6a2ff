//! The ServerHello (RFC 8446, 4.1.3; RFC 5246, 7.4.1.3).

use super::client::is_version;
use super::extension::{ALPN, Extensions, SUPPORTED_VERSIONS, protocols};
use super::reader::Reader;
use super::record::Message;
use super::{Refusal, printable};
use crate::event::TlsSession;

/// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word.
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A ServerHello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerHello<'a> {
    /// The version chosen; none when the hello was cut off before it could say TLS 1.3.
    pub version: Option<u16>,
    /// The cipher suite chosen.
    pub cipher: u16,
    /// The protocol chosen, where it is not encrypted (up to TLS 1.2).
    pub alpn: Option<&'a [u8]>,
    /// Whether it asks the client for another hello; version and cipher stay as they are.
    pub retry: bool,
}

impl<'a> ServerHello<'a> {
    /// Adds the server's half to a session.
    pub fn answer(&self, session: &mut TlsSession) {
        session.version = self.version;
        session.cipher = Some(self.cipher);
        session.server_alpn = self.alpn.map(|name| printable(name).into());
    }

    /// Whether the server's certificate may follow in the clear: it may up to TLS 1.2.
    pub const fn is_in_the_clear(&self) -> bool {
        matches!(self.version, Some(0x0300..=0x0303))
    }

    pub(super) fn read(message: &Message<'a>) -> Result<Self, Refusal> {
        let missing = if message.truncated { Refusal::Truncated } else { Refusal::Malformed };
        let mut body = Reader::new(message.body);
        let legacy = body.short().ok_or(missing)?;
        let random = body.take(RETRY_RANDOM.len()).ok_or(missing)?;
        let session_id = body.vector8().ok_or(missing)?;
        let cipher = body.short().ok_or(missing)?;
        let _compression = body.byte().ok_or(missing)?;
        if !is_version(legacy) || session_id.len() > 32 {
            return Err(Refusal::Malformed);
        }
        let extensions = match body.short().map(usize::from) {
            None => &[],
            Some(len) => body.take(len).unwrap_or_else(|| body.rest()),
        };
        let extensions = Extensions::new(extensions);
        let chosen =
            extensions.first(SUPPORTED_VERSIONS).and_then(|chosen| Reader::new(chosen).short());
        Ok(Self {
            version: chosen.or((!message.truncated).then_some(legacy)),
            cipher,
            alpn: extensions.first(ALPN).and_then(|list| protocols(list).next()),
            retry: random == RETRY_RANDOM,
        })
    }
}
