//! What the opening of a TLS session shows, over TCP or QUIC.

use std::sync::Arc;

use crate::time::Timestamp;

/// A TLS session as its first messages show it (RFC 8446, RFC 5246).
#[derive(Debug, Clone, Default)]
pub struct TlsSession {
    /// What carries it.
    pub carrier: Carrier,
    /// Server name of the ClientHello (RFC 6066), as sent; what is not printable as `\xNN`. With
    /// [`Ech::Offered`] it is the outer one, which need not be where the session goes.
    pub sni: Option<Arc<str>>,
    /// Protocols the client offers (RFC 7301), written like the server name.
    pub alpn: Vec<Box<str>>,
    /// Highest version the client offers; GREASE left out (RFC 8701).
    pub offered: u16,
    /// Whether the client offers nothing but RSA key exchange (RFC 5246, 7.4.7.1): who has the server's
    /// key can read the session.
    pub rsa_only: bool,
    /// Version the server chose, when its hello was seen.
    pub version: Option<u16>,
    /// Cipher suite the server chose.
    pub cipher: Option<u16>,
    /// Protocol the server chose (only visible up to TLS 1.2).
    pub server_alpn: Option<Box<str>>,
    /// What the client says of an Encrypted ClientHello.
    pub ech: Ech,
    /// The session id the client sends (RFC 5246); in TLS 1.3 it means nothing.
    pub session_id: arrayvec::ArrayVec<u8, 32>,
    /// Whether the server took up an earlier session, as far as that is in the clear.
    pub resumed: bool,
    /// The client's JA4. Like every fingerprint here only of a hello that was seen whole.
    pub ja4: Option<Ja4>,
    /// The client's JA3; only where an event file is written.
    pub ja3: Option<Box<Ja3>>,
    /// The server's JA3, likewise.
    pub ja3s: Option<Box<Ja3>>,
    /// The server's JA4, likewise.
    pub ja4s: Option<Ja4>,
    /// The server's own certificate, where it is sent in the clear (up to TLS 1.2).
    pub certificate: Option<Box<Certificate>>,
    /// When the ClientHello was complete.
    pub hello: Timestamp,
}

/// What a TLS session runs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Carrier {
    /// TCP, from its first byte.
    #[default]
    Tcp,
    /// TCP, after the protocol that ran there asked for TLS.
    StartTls(StartTls),
    /// TCP, through an HTTP proxy that was asked for this authority (RFC 9110, 9.3.6), written like
    /// the server name.
    Proxy(Arc<str>),
    /// QUIC of this version (RFC 9000, RFC 9369).
    Quic(u32),
}

/// A protocol that turns to TLS in the middle of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTls {
    /// SMTP (RFC 3207).
    Smtp,
    /// IMAP (RFC 9051).
    Imap,
    /// POP3 (RFC 2595).
    Pop3,
    /// LDAP (RFC 4511, 4.14).
    Ldap,
    /// PostgreSQL's `SSLRequest`.
    Postgres,
}

/// What a ClientHello says of an encrypted one in it (RFC 9849).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ech {
    /// Nothing.
    #[default]
    None,
    /// The extension is there, and nothing speaks against it being GREASE: the server name is most
    /// probably the real one.
    Grease,
    /// The extension is there and the server name is one that providers put outside: not where the
    /// session goes.
    Offered,
}

/// A JA4 (36 bytes) or JA4S (25 bytes) fingerprint by FoxIO, as text.
pub type Ja4 = arrayvec::ArrayString<36>;

/// A JA3 or JA3S fingerprint (Salesforce, 2017).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ja3 {
    /// What is hashed; one of more than 4 kB is cut and ends in `…`.
    pub text: Box<str>,
    /// Its MD5.
    pub hash: [u8; 16],
}

/// What a server's certificate says of itself (RFC 5280). Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Subject, as EVE has it: `CN=…, O=…` in the order it was sent, without RFC 4514's escapes; what
    /// is not printable as `\xNN`. At most 1 KiB.
    pub subject: Box<str>,
    /// Issuer, written likewise.
    pub issuer: Box<str>,
    /// Serial number, as sent.
    pub serial: Box<[u8]>,
    /// From when it is valid: seconds since 1970, which may be before it.
    pub not_before: i64,
    /// Until when, likewise.
    pub not_after: i64,
    /// SHA-1 of all of it, as EVE has it.
    pub fingerprint: [u8; 20],
    /// Whether it names itself as issuer.
    pub self_signed: bool,
}
