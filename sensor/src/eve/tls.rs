//! The `tls` object of EVE.

use serde::{Serialize, Serializer};

use super::Hex;
use super::flow::is_false;
use crate::event::{Ech, TlsSession};

/// `tls`
#[derive(Serialize)]
pub(super) struct Session<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    version: Version,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    client_alpns: &'a [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    server_alpns: Option<[&'a str; 1]>,
}

impl<'a> Session<'a> {
    pub(super) fn new(session: &'a TlsSession) -> Self {
        Self {
            sni: session.sni.as_deref(),
            version: Version(session.version),
            client_alpns: &session.alpn,
            server_alpns: session.server_alpn.as_deref().map(|name| [name]),
        }
    }
}

/// What EVE does not say of a session.
#[derive(Serialize)]
pub(super) struct Own {
    /// The highest version the client offers.
    offered: Version,
    /// The cipher suite the server chose (IANA's number).
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<Hex>,
    #[serde(skip_serializing_if = "is_false")]
    ech: bool,
}

impl Own {
    pub(super) fn new(session: &TlsSession) -> Self {
        Self {
            offered: Version(Some(session.offered)),
            cipher: session.cipher.map(|cipher| Hex(cipher, 4)),
            ech: session.ech != Ech::None,
        }
    }
}

/// A version by the name Suricata gives it.
struct Version(Option<u16>);

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self.0 {
            None => "UNDETERMINED",
            Some(0x0002) => "SSLv2",
            Some(0x0300) => "SSLv3",
            Some(0x0301) => "TLSv1",
            Some(0x0302) => "TLS 1.1",
            Some(0x0303) => "TLS 1.2",
            Some(0x0304) => "TLS 1.3",
            Some(draft @ 0x7f10..=0x7f1c) => {
                return serializer.collect_str(&format_args!("TLS 1.3 draft-{}", draft & 0xff));
            }
            Some(other) => return serializer.collect_str(&format_args!("0x{other:04x}")),
        };
        serializer.serialize_str(name)
    }
}
