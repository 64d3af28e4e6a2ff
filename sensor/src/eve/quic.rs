//! The `quic` object of EVE.

use serde::{Serialize, Serializer};

use super::tls;
use crate::event::TlsSession;

/// `quic`
#[derive(Serialize)]
pub(super) struct Session<'a> {
    version: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3: Option<tls::Fingerprint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3s: Option<tls::Fingerprint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
}

impl<'a> Session<'a> {
    /// Of a session that runs in this version of QUIC.
    pub(super) fn new(version: u32, session: &'a TlsSession) -> Self {
        Self {
            version: Version(version),
            sni: session.sni.as_deref(),
            ja3: session.ja3.as_deref().map(tls::Fingerprint::new),
            ja3s: session.ja3s.as_deref().map(tls::Fingerprint::new),
            ja4: session.ja4.as_deref(),
        }
    }
}

/// What EVE does not say of a session in QUIC: beside what it does not say of TLS, what it says of
/// TLS only.
#[derive(Serialize)]
pub(super) struct Own<'a> {
    #[serde(flatten)]
    tls: tls::Own<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    client_alpns: &'a [Box<str>],
}

impl<'a> Own<'a> {
    pub(super) fn new(session: &'a TlsSession) -> Self {
        Self { tls: tls::Own::new(session), client_alpns: &session.alpn }
    }
}

/// A version as Suricata writes it: in hexadecimal.
struct Version(u32);

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(number) = self;
        serializer.collect_str(&format_args!("{number:x}"))
    }
}
