//! TLS: the ClientHello at the start of a stream, and the ServerHello with the certificate that
//! follows it, in place and without allocation.
//!
//! A cursor of its own rather than `tls-parser`, because a hello that a snap length cut must still
//! give what it holds, and nothing here needs a `Vec`; `tls-parser` is the second reader of the tests.

#![deny(clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use super::progress::Progress;
use super::text::{Escape, as_it_is, write_printable};

mod certificate;
mod client;
mod der;
mod ech;
mod extension;
mod ja3;
mod ja4;
mod ja4s;
mod name;
pub(super) mod reader;
mod record;
mod server;
mod ssl2;

pub use certificate::{certificate, server_certificate};
pub use client::ClientHello;
pub use extension::{Extensions, is_grease};
pub use ja3::{ja3, ja3s};
pub use ja4::Fingerprints;
pub use ja4s::ja4s;
pub use record::MAX_JOINED;
pub use server::{ServerHello, sent_back};

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// Whether more bytes of a stream may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// More may come: what is not complete is waited for.
    Growing,
    /// No more will come, or not all was captured: what is there is read as far as it goes.
    Final,
}

/// Why a stream does not start with the hello asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The content type or version of a record is none of TLS.
    #[error("expected a TLS handshake record")]
    NotTls,
    /// Another handshake message.
    #[error("expected a hello, saw another handshake message")]
    NotHello,
    /// A record is empty or longer than records without encryption may be.
    #[error("a record without encryption holds 1 to 16384 bytes")]
    RecordLength,
    /// Another record came between the fragments of the hello.
    #[error("expected the next fragment of a hello, saw another record")]
    Interleaved,
    /// The hello is longer than any that is read.
    #[error("a hello of more than 17 KiB is not read")]
    TooLong,
    /// The lengths in the hello do not agree, or it says an unknown version.
    #[error("the lengths in a hello do not agree with its own")]
    Malformed,
    /// It ends before it says anything.
    #[error("the hello was cut off before its cipher suites")]
    Truncated,
    /// The server sends something else than a certificate.
    #[error("expected a certificate, saw another handshake message")]
    NotCertificate,
    /// The certificate is not written as it should be.
    #[error("expected a certificate of X.509")]
    NotX509,
}

impl Refusal {
    /// A short name, for counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotTls => "not_tls",
            Self::NotHello => "not_hello",
            Self::RecordLength => "record_length",
            Self::Interleaved => "interleaved",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::NotCertificate => "not_certificate",
            Self::NotX509 => "not_x509",
        }
    }
}

/// What the first bytes of a stream look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Nothing of TLS.
    No,
    /// There are too few bytes to tell.
    Undecided,
    /// A ClientHello.
    Client,
    /// A ServerHello.
    Server,
}

/// Looks at the first six bytes of a stream: a few comparisons, for every flow on any port.
pub fn looks_like_hello(bytes: &[u8]) -> Likeness {
    match *bytes {
        [record::HANDSHAKE, ..] => looks_like_record(bytes),
        [0x80..=0xff, ..] => looks_like_ssl2(bytes),
        [] => Likeness::Undecided,
        _ => Likeness::No,
    }
}

fn looks_like_record(bytes: &[u8]) -> Likeness {
    match *bytes {
        [_, major, ..] if major != 3 => Likeness::No,
        [_, _, minor, ..] if minor > 4 => Likeness::No,
        [_, _, _, high, low, ..]
            if !(1..=record::MAX_RECORD)
                .contains(&usize::from(u16::from_be_bytes([high, low]))) =>
        {
            Likeness::No
        }
        [_, _, _, _, _, CLIENT_HELLO, ..] => Likeness::Client,
        [_, _, _, _, _, SERVER_HELLO, ..] => Likeness::Server,
        [_, _, _, _, _, _, ..] => Likeness::No,
        _ => Likeness::Undecided,
    }
}

fn looks_like_ssl2(bytes: &[u8]) -> Likeness {
    match bytes.first_chunk() {
        Some(&start) if ssl2::is_start(start) => Likeness::Client,
        Some(_) => Likeness::No,
        None if bytes.get(2).is_some_and(|&kind| kind != CLIENT_HELLO) => Likeness::No,
        None => Likeness::Undecided,
    }
}

/// Reads the ClientHello at the start of the client's stream. It borrows `bytes` when one record
/// holds it, else `scratch`, where its fragments are joined (at most [`MAX_JOINED`]).
pub fn client_hello<'a>(
    bytes: &'a [u8],
    extent: Extent,
    scratch: &'a mut Vec<u8>,
) -> Progress<ClientHello<'a>, Refusal> {
    if bytes.first_chunk().is_some_and(|&start| ssl2::is_start(start)) {
        return ssl2::client_hello(bytes, extent);
    }
    record::message(bytes, CLIENT_HELLO, extent, scratch)
        .and_then(|message| ClientHello::read(&message))
}

/// Reads the ServerHello at the start of the server's stream, like [`client_hello`].
pub fn server_hello<'a>(
    bytes: &'a [u8],
    extent: Extent,
    scratch: &'a mut Vec<u8>,
) -> Progress<ServerHello<'a>, Refusal> {
    record::message(bytes, SERVER_HELLO, extent, scratch)
        .and_then(|message| ServerHello::read(&message))
}

/// Reads the ClientHello at the start of what a client's CRYPTO frames carry (RFC 9001, 4.1.3):
/// handshake messages without records.
pub fn bare_client_hello(bytes: &[u8], extent: Extent) -> Progress<ClientHello<'_>, Refusal> {
    record::bare(bytes, CLIENT_HELLO, extent).and_then(|message| ClientHello::read(&message))
}

/// Reads the ServerHello at the start of what a server's carry, like [`bare_client_hello`].
pub fn bare_server_hello(bytes: &[u8], extent: Extent) -> Progress<ServerHello<'_>, Refusal> {
    record::bare(bytes, SERVER_HELLO, extent).and_then(|message| ServerHello::read(&message))
}

/// The longest name kept: no host name is longer (RFC 1035), no protocol name either (RFC 7301).
const MAX_NAME: usize = 255;

/// A name as text. One that is too long to be a name is cut and ends in `…`.
pub(super) fn printable(name: &[u8]) -> Cow<'_, str> {
    if name.len() <= MAX_NAME
        && let Some(text) = as_it_is(name, Escape::Hex)
    {
        return text.into();
    }
    let mut text = String::with_capacity(name.len().min(MAX_NAME));
    let kept = name.get(..MAX_NAME).unwrap_or(name);
    // A `String` takes whatever is written to it.
    let _ = write_printable(&mut text, kept, Escape::Hex);
    if kept.len() < name.len() {
        text.push('…');
    }
    text.into()
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own lengths")]
mod tests;
