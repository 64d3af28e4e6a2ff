//! TLS sessions' openings as bytes: rustls on both ends, in memory, with a CA of its own.
//!
//! One handshake is made for each kind of client and server name; a session then takes its
//! flights with random, session id and server random drawn anew. So every byte is what rustls
//! writes, but key shares and what is encrypted repeat over the sessions to one name.

use std::collections::BTreeMap;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, Issuer, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use crate::rng::Rng;

mod provider;

/// What kind of client opens a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// TLS 1.3 with a post-quantum key share, so that its hello takes two segments; offers h2.
    Browser,
    /// TLS 1.3 or 1.2, offers no protocol: agents, command line tools, malware.
    Agent,
    /// TLS 1.2, where the certificate is in the clear.
    Legacy,
}

/// What one side sends before it waits for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// Whether the client sends it.
    pub from_client: bool,
    /// TLS records.
    pub bytes: Vec<u8>,
}

/// Makes sessions' openings.
pub struct Openings {
    ca: Issuer<'static, KeyPair>,
    roots: Arc<RootCertStore>,
    made: BTreeMap<(Client, Option<String>), Vec<Flight>>,
}

impl Default for Openings {
    fn default() -> Self {
        let key = ed25519([1; 32]);
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Scenario CA");
        let mut roots = RootCertStore::empty();
        roots.add(params.self_signed(&key).unwrap().der().clone()).unwrap();
        Self { ca: Issuer::new(params, key), roots: roots.into(), made: BTreeMap::new() }
    }
}

impl Openings {
    /// The flights of a session of `client` that asks for `sni`, from its hello to the last
    /// message of the handshake.
    pub fn open(&mut self, client: Client, sni: Option<&str>, rng: &mut Rng) -> Vec<Flight> {
        let key = (client, sni.map(str::to_owned));
        if !self.made.contains_key(&key) {
            let flights = self.handshake(client, sni);
            self.made.insert(key.clone(), flights);
        }
        let mut flights = self.made[&key].clone();
        redraw(&mut flights, rng);
        flights
    }

    fn handshake(&self, client: Client, sni: Option<&str>) -> Vec<Flight> {
        let name = sni.unwrap_or("unnamed.example").to_owned();
        provider::seed(Rng::new(0).stream(&name));
        let mut server = ServerConnection::new(self.server_config(&name)).unwrap();
        let mut config = self.client_config(client);
        config.enable_sni = sni.is_some();
        let name = ServerName::try_from(name).unwrap();
        let mut client = ClientConnection::new(config.into(), name).unwrap();
        let mut flights = Vec::new();
        while client.is_handshaking() || server.is_handshaking() || client.wants_write() {
            let mut bytes = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            flights.push(Flight { from_client: true, bytes });
            let mut bytes = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets().unwrap();
            flights.push(Flight { from_client: false, bytes });
        }
        flights.retain(|flight| !flight.bytes.is_empty());
        flights
    }

    fn client_config(&self, client: Client) -> ClientConfig {
        let versions: &[_] = match client {
            Client::Legacy => &[&rustls::version::TLS12],
            Client::Browser | Client::Agent => rustls::ALL_VERSIONS,
        };
        let mut config = ClientConfig::builder_with_details(
            provider::provider(client == Client::Browser),
            Arc::new(provider::Noon),
        )
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(Arc::clone(&self.roots))
        .with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        if client == Client::Browser {
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        }
        config
    }

    fn server_config(&self, name: &str) -> Arc<ServerConfig> {
        let key = ed25519([2; 32]);
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate: CertificateDer<'_> =
            params.signed_by(&key, &self.ca).unwrap().der().clone();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config =
            ServerConfig::builder_with_details(provider::provider(true), Arc::new(provider::Noon))
                .with_protocol_versions(rustls::ALL_VERSIONS)
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key.into())
                .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.send_tls13_tickets = 0;
        Arc::new(config)
    }
}

/// An Ed25519 key (its signatures need no randomness) in the form of RFC 8410.
fn ed25519(secret: [u8; 32]) -> KeyPair {
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend_from_slice(&secret);
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der), &PKCS_ED25519).unwrap()
}

/// Draws the randoms and the session id anew; the server echoes the client's (RFC 8446 4.1.3).
fn redraw(flights: &mut [Flight], rng: &mut Rng) {
    // Record header 5, handshake header 4, version 2; then random, and the session id's length.
    const RANDOM: std::ops::Range<usize> = 11..43;
    const ID: std::ops::Range<usize> = 44..76;
    let mut id = [0; 32];
    rng.fill(&mut id);
    for flight in flights.iter_mut().take(2) {
        // The last eight bytes may tell the client of a downgrade: they stay.
        rng.fill(&mut flight.bytes[RANDOM][..24]);
        if flight.bytes[RANDOM.end] == 32 {
            flight.bytes[ID].copy_from_slice(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(client: Client, sni: Option<&str>) -> Vec<Flight> {
        Openings::default().open(client, sni, &mut Rng::new(3))
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        for client in [Client::Browser, Client::Agent, Client::Legacy] {
            assert_eq!(
                open(client, Some("www.example.com")),
                open(client, Some("www.example.com"))
            );
        }
        let mut openings = Openings::default();
        let mut rng = Rng::new(3);
        let first = openings.open(Client::Agent, None, &mut rng);
        let second = openings.open(Client::Agent, None, &mut rng);
        assert_ne!(first[0].bytes[11..76], second[0].bytes[11..76]);
        assert_eq!(second[0].bytes[44..76], second[1].bytes[44..76]);
    }

    #[test]
    fn the_hello_holds_the_name_and_a_browser_needs_two_segments() {
        let find = |bytes: &[u8], needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
        let browser = open(Client::Browser, Some("www.example.com"));
        assert!(browser[0].bytes.len() > 1460, "{}", browser[0].bytes.len());
        assert!(find(&browser[0].bytes, b"www.example.com"));
        let legacy = open(Client::Legacy, Some("www.example.com"));
        assert_eq!(legacy.len(), 4);
        assert!(find(&legacy[1].bytes, b"www.example.com"), "the certificate is in the clear");
        assert!(!find(&open(Client::Agent, None)[0].bytes, b"unnamed.example"));
    }
}
