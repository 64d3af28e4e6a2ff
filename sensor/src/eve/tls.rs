//! The `tls` object of EVE.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Hex;
use super::flow::is_false;
use crate::event::{Carrier, Certificate, Ech, Ja3, StartTls, TlsSession};

/// `tls`
#[derive(Serialize)]
pub(super) struct Session<'a> {
    #[serde(flatten)]
    certificate: Option<Names<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    session_resumed: bool,
    #[serde(flatten)]
    identity: Option<Identity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<&'a str>,
    version: Version,
    #[serde(flatten)]
    validity: Option<Validity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3: Option<Fingerprint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja3s: Option<Fingerprint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    client_alpns: &'a [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    server_alpns: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_proto: Option<&'static str>,
}

impl<'a> Session<'a> {
    pub(super) fn new(session: &'a TlsSession) -> Self {
        let certificate = session.certificate.as_deref();
        Self {
            certificate: certificate
                .map(|Certificate { subject, issuer: issuerdn, .. }| Names { subject, issuerdn }),
            session_resumed: session.resumed,
            identity: certificate.map(Identity::new),
            sni: session.sni.as_deref(),
            version: Version(session.version),
            validity: certificate.map(Validity::new),
            ja3: session.ja3.as_deref().map(Fingerprint::new),
            ja3s: session.ja3s.as_deref().map(Fingerprint::new),
            ja4: session.ja4.as_deref(),
            client_alpns: &session.alpn,
            server_alpns: session.server_alpn.as_deref().map(|name| [name]),
            from_proto: from_proto(&session.carrier),
        }
    }
}

/// What a certificate calls its owner and its issuer.
#[derive(Serialize)]
struct Names<'a> {
    subject: &'a str,
    issuerdn: &'a str,
}

/// What tells a certificate from others.
#[derive(Serialize)]
struct Identity<'a> {
    serial: Colons<'a>,
    fingerprint: Colons<'a>,
}

impl<'a> Identity<'a> {
    fn new(certificate: &'a Certificate) -> Self {
        Self {
            serial: Colons { bytes: &certificate.serial, upper: true },
            fingerprint: Colons { bytes: &certificate.fingerprint, upper: false },
        }
    }
}

/// From when to when a certificate is valid.
#[derive(Serialize)]
struct Validity {
    notbefore: Day,
    notafter: Day,
}

impl Validity {
    fn new(certificate: &Certificate) -> Self {
        Self { notbefore: Day(certificate.not_before), notafter: Day(certificate.not_after) }
    }
}

/// JA3 and JA3S, as EVE has them.
#[derive(Serialize)]
pub(super) struct Fingerprint<'a> {
    hash: Colonless<'a>,
    string: &'a str,
}

impl<'a> Fingerprint<'a> {
    pub(super) fn new(ja3: &'a Ja3) -> Self {
        Self { hash: Colonless(&ja3.hash), string: &ja3.text }
    }
}

/// The protocol that turned to TLS, by Suricata's name.
const fn from_proto(carrier: &Carrier) -> Option<&'static str> {
    Some(match carrier {
        Carrier::StartTls(StartTls::Smtp) => "smtp",
        Carrier::StartTls(StartTls::Imap) => "imap",
        Carrier::StartTls(StartTls::Pop3) => "pop3",
        Carrier::StartTls(StartTls::Ldap) => "ldap",
        Carrier::StartTls(StartTls::Postgres) => "pgsql",
        Carrier::Proxy(_) => "http",
        Carrier::Tcp | Carrier::Quic(_) => return None,
    })
}

/// What EVE does not say of a session.
#[derive(Serialize)]
pub(super) struct Own<'a> {
    /// The highest version the client offers.
    offered: Version,
    /// The cipher suite the server chose (IANA's number).
    #[serde(skip_serializing_if = "Option::is_none")]
    cipher: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ech: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4s: Option<&'a str>,
    /// Whether the certificate names itself as issuer.
    #[serde(skip_serializing_if = "is_false")]
    self_signed: bool,
    /// What a proxy was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<&'a str>,
}

impl<'a> Own<'a> {
    pub(super) fn new(session: &'a TlsSession) -> Self {
        Self {
            offered: Version(Some(session.offered)),
            cipher: session.cipher.map(|cipher| Hex(cipher, 4)),
            ech: match session.ech {
                Ech::None => None,
                Ech::Grease => Some("grease"),
                Ech::Offered => Some("offered"),
            },
            ja4s: session.ja4s.as_deref(),
            self_signed: session
                .certificate
                .as_deref()
                .is_some_and(|certificate| certificate.self_signed),
            proxy: match &session.carrier {
                Carrier::Proxy(authority) => Some(authority),
                Carrier::Tcp | Carrier::StartTls(_) | Carrier::Quic(_) => None,
            },
        }
    }
}

/// Bytes in hexadecimal with colons between them.
struct Colons<'a> {
    bytes: &'a [u8],
    upper: bool,
}

impl Serialize for Colons<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&fmt::from_fn(|f| {
            for (place, byte) in self.bytes.iter().enumerate() {
                let colon = if place == 0 { "" } else { ":" };
                match self.upper {
                    true => write!(f, "{colon}{byte:02X}")?,
                    false => write!(f, "{colon}{byte:02x}")?,
                }
            }
            Ok(())
        }))
    }
}

/// Bytes in hexadecimal.
struct Colonless<'a>(&'a [u8]);

impl Serialize for Colonless<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&fmt::from_fn(|f| {
            self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
        }))
    }
}

/// Seconds since 1970, written as Suricata writes a certificate's times: `2026-11-20T14:03:11`.
struct Day(i64);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let clamped =
            self.0.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let time = jiff::Timestamp::from_second(clamped).unwrap_or_default();
        serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%S"))
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
