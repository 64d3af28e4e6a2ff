//! The ServerHello (RFC 8446, 4.1.3; RFC 5246, 7.4.1.3).

use super::client::is_version;
use super::extension::{ALPN, Extensions, PRE_SHARED_KEY, SUPPORTED_VERSIONS, protocols};
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
#[derive(Debug, Clone, Copy)]
pub struct ServerHello<'a> {
    /// `legacy_version`.
    pub legacy_version: u16,
    /// The session's id, or the client's sent back.
    pub session_id: &'a [u8],
    /// The version chosen; none when the hello was cut off before it could say TLS 1.3.
    pub version: Option<u16>,
    /// The cipher suite chosen.
    pub cipher: u16,
    /// The protocol chosen, where it is not encrypted (up to TLS 1.2).
    pub alpn: Option<&'a [u8]>,
    /// Whether it asks the client for another hello; version and cipher stay as they are.
    pub retry: bool,
    /// Extensions.
    pub extensions: Extensions<'a>,
    /// Whether it ends before its lengths say, so that there may have been more extensions.
    pub truncated: bool,
}

impl<'a> ServerHello<'a> {
    /// Adds the server's half to a session, but for its fingerprints.
    pub fn answer(&self, session: &mut TlsSession) {
        session.version = self.version;
        session.cipher = Some(self.cipher);
        session.server_alpn = self.alpn.map(|name| printable(name).into());
        session.resumed = self.resumes(&session.session_id);
    }

    /// Whether it takes up an earlier session of the client that sent this session id, as far as it
    /// says itself: by the key that both share (TLS 1.3; RFC 8446, 4.2.11), or by [`sent_back`].
    ///
    /// A server that was given a ticket but no id says it only by what it sends next.
    pub fn resumes(&self, session_id: &[u8]) -> bool {
        self.extensions.first(PRE_SHARED_KEY).is_some()
            || sent_back(self.version, session_id, self.session_id)
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
        let mut truncated = message.truncated;
        let extensions = match body.short().map(usize::from) {
            None => &[],
            Some(len) => body.take(len).unwrap_or_else(|| {
                truncated = true;
                body.rest()
            }),
        };
        let extensions = Extensions::new(extensions);
        let chosen =
            extensions.first(SUPPORTED_VERSIONS).and_then(|chosen| Reader::new(chosen).short());
        Ok(Self {
            legacy_version: legacy,
            session_id,
            version: chosen.or((!message.truncated).then_some(legacy)),
            cipher,
            alpn: extensions.first(ALPN).and_then(|list| protocols(list).next()),
            retry: random == RETRY_RANDOM,
            extensions,
            truncated,
        })
    }
}

/// Whether a server that chose this version takes up the session that the client named, by sending
/// its id back (RFC 5246, 7.4.1.3), as servers also do that were given a ticket (RFC 5077, 3.4). In
/// TLS 1.3 the id always comes back and says nothing.
pub fn sent_back(version: Option<u16>, client: &[u8], server: &[u8]) -> bool {
    matches!(version, Some(0x0300..=0x0303)) && !client.is_empty() && client == server
}
