//! The ClientHello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2), borrowed from where it lies.

use super::extension::{Extensions, Known, host_name, is_grease, protocols, shorts, versions};
use super::ja4::Fingerprints;
use super::reader::Reader;
use super::record::Message;
use super::{Refusal, ech, printable};
use crate::event::{Carrier, Ech, TlsSession};
use crate::time::Timestamp;

/// The most protocols of a hello that are kept; clients offer one to three.
const MAX_PROTOCOLS: usize = 32;

/// What is kept of them as text, and one more.
const MAX_PROTOCOLS_TEXT: usize = 1024;

/// A ClientHello. Nothing is copied, and everything that fingerprints are made of is there.
#[derive(Debug, Clone, Copy)]
pub struct ClientHello<'a> {
    /// `legacy_version`.
    pub version: u16,
    /// The client's random.
    pub random: &'a [u8],
    /// `legacy_session_id`.
    pub session_id: &'a [u8],
    /// Cipher suites, two bytes each; empty for a hello in SSL 2.0 format, which has other ones.
    pub ciphers: &'a [u8],
    /// Compression methods, one byte each.
    pub compressions: &'a [u8],
    /// Extensions.
    pub extensions: Extensions<'a>,
    pub(super) known: Known<'a>,
    /// Whether it ends before its lengths say, so that there may have been more extensions.
    pub truncated: bool,
}

/// Whether IANA's name of a suite begins with `TLS_RSA_`, of the ones that clients still have.
const fn is_static_rsa(suite: u16) -> bool {
    matches!(
        suite,
        0x0001..=0x000a
            | 0x002f
            | 0x0035
            | 0x003b..=0x003d
            | 0x0041
            | 0x0084
            | 0x0096
            | 0x009c
            | 0x009d
            | 0x00ba
            | 0x00c0
            | 0xc03c
            | 0xc03d
            | 0xc050
            | 0xc051
            | 0xc07a
            | 0xc07b
            | 0xc09c
            | 0xc09d
            | 0xc0a0
            | 0xc0a1
    )
}

impl<'a> ClientHello<'a> {
    /// The server's name as it was sent.
    pub fn sni(&self) -> Option<&'a [u8]> {
        host_name(self.known.server_name?)
    }

    /// The protocols offered, as they were sent.
    pub fn alpn(&self) -> impl Iterator<Item = &'a [u8]> {
        protocols(self.known.alpn.unwrap_or_default())
    }

    /// The highest version offered.
    pub fn offered(&self) -> u16 {
        self.versions().max_by_key(|&version| rank(version)).unwrap_or(self.version)
    }

    /// The versions in `supported_versions`, GREASE left out.
    pub(super) fn versions(&self) -> impl Iterator<Item = u16> {
        versions(self.known.supported_versions.unwrap_or_default())
            .filter(|&version| !is_grease(version))
    }

    /// Its cipher suites, GREASE left out.
    pub fn cipher_suites(&self) -> impl Iterator<Item = u16> {
        shorts(self.ciphers).filter(|&suite| !is_grease(suite))
    }

    /// The types of its extensions, GREASE left out.
    pub fn extension_types(&self) -> impl Iterator<Item = u16> {
        self.extensions.kinds().filter(|&kind| !is_grease(kind))
    }

    /// What it says of an Encrypted ClientHello.
    pub fn ech(&self) -> Ech {
        self.known
            .encrypted_client_hello
            .map_or(Ech::None, |contents| ech::kind(contents, self.sni()))
    }

    /// The protocols offered, as text: the first ones, when there are more than anybody means.
    pub fn protocols(&self) -> Vec<Box<str>> {
        let mut kept: Vec<Box<str>> = Vec::new();
        let mut text = 0_usize;
        for name in self.alpn().take(MAX_PROTOCOLS) {
            if text >= MAX_PROTOCOLS_TEXT {
                break;
            }
            let name = printable(name);
            text = text.saturating_add(name.len());
            kept.push(name.into());
        }
        kept
    }

    /// Whether all its cipher suites exchange keys by RSA: the first of most clients does not, and is
    /// all that is looked at.
    fn is_rsa_only(&self) -> bool {
        /// Renegotiation and fallback are said as suites, too (RFC 5746, RFC 7507).
        const SIGNALS: [u16; 2] = [0x00ff, 0x5600];
        let mut suites = self.cipher_suites().filter(|suite| !SIGNALS.contains(suite)).peekable();
        suites.peek().is_some() && suites.all(is_static_rsa)
    }

    /// The session it opens in `carrier`, but for what few ask for: the protocols it offers and its
    /// JA3. `time` is when the hello was complete.
    pub fn session(
        &self,
        carrier: Carrier,
        time: Timestamp,
        fingerprints: &mut Fingerprints,
    ) -> TlsSession {
        TlsSession {
            sni: self.sni().map(|name| printable(name).into()),
            offered: self.offered(),
            rsa_only: self.is_rsa_only(),
            ech: self.ech(),
            ja4: fingerprints.ja4(self, &carrier),
            session_id: self.session_id.try_into().unwrap_or_default(),
            hello: time,
            carrier,
            ..TlsSession::default()
        }
    }

    pub(super) fn read(message: &Message<'a>) -> Result<Self, Refusal> {
        let mut body = Reader::new(message.body);
        let missing = if message.truncated { Refusal::Truncated } else { Refusal::Malformed };
        let version = body.short().ok_or(missing)?;
        let random = body.take(32).ok_or(missing)?;
        let session_id = body.vector8().ok_or(missing)?;
        if !is_version(version) || session_id.len() > 32 {
            return Err(Refusal::Malformed);
        }
        let lists = read_lists(&mut body).or(message.truncated.then_some((&[], &[])));
        let (ciphers, compressions) = lists.ok_or(Refusal::Malformed)?;
        if !ciphers.len().is_multiple_of(2) {
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
        let known = Known::of(extensions);
        Ok(Self {
            version,
            random,
            session_id,
            ciphers,
            compressions,
            extensions,
            known,
            truncated,
        })
    }
}

/// Cipher suites and compression methods.
fn read_lists<'a>(body: &mut Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    Some((body.vector16()?, body.vector8()?))
}

/// Whether a hello may say this version: SSL 3.0 to TLS 1.3, and the drafts of TLS 1.3.
pub(super) const fn is_version(version: u16) -> bool {
    matches!(version, 0x0300..=0x0304 | 0x7f00..=0x7fff)
}

/// Orders versions: unknown ones, SSL 3.0 to TLS 1.2, drafts of TLS 1.3, TLS 1.3.
const fn rank(version: u16) -> u16 {
    match version {
        0x0300..=0x0303 => version,
        0x7f00..=0x7fff | 0xfb00..=0xfbff => 0x0304,
        0x0304 => 0x0305,
        _ => 0,
    }
}
