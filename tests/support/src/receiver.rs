//! A receiver of webhooks that keeps what it gets, checks its signature, and misbehaves on command.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use serde_json::Value;

use crate::net::Namespace;
use crate::services::{Authority, Certificate};
use crate::wait;

mod request;
mod serve;

/// What a receiver does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes them: 200.
    Takes,
    /// Reads them and never answers.
    Hangs,
    /// Answers with this status.
    Says(u16),
    /// Answers 429 with `Retry-After` of so many seconds.
    Busy(u64),
    /// Reads them, then resets the connection.
    Resets,
    /// Shows a certificate of an authority that nobody trusts.
    Impostor,
    /// Does not listen.
    Down,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// When its last byte was here.
    pub at: Instant,
    /// Names, in lower case, and values of its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// The behaviour that it met.
    pub met: Behaviour,
    /// What is wrong with its signature (Standard Webhooks), if anything.
    pub signature: Result<(), String>,
}

impl Received {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A receiver on a loopback.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

/// What its threads share.
#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    /// What signatures are checked with: `whsec_` and the key in base64.
    secret: String,
    /// The certificate it has, and an impostor's; none: plain HTTP.
    tls: Option<[Arc<ServerConfig>; 2]>,
    behaviour: Mutex<Behaviour>,
    received: Mutex<Vec<Received>>,
    /// Whether it listens: follows what was commanded within moments.
    listens: AtomicBool,
    over: AtomicBool,
}

impl Receiver {
    /// The key of its signatures, as it is written to the sensor's `secret_file`.
    pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// Listens for HTTP at `address`.
    pub fn http(namespace: &Namespace, address: &str) -> Self {
        Self::start(namespace, address, None)
    }

    /// Listens for HTTPS at `address` with a certificate of `authority`.
    pub fn https(namespace: &Namespace, address: &str, authority: &Authority) -> Self {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let certified = |authority: &Authority| tls(&authority.certify(&[host]));
        let tls = [certified(authority), certified(&Authority::new("Nobody's CA"))];
        Self::start(namespace, address, Some(tls))
    }

    fn start(namespace: &Namespace, address: &str, tls: Option<[Arc<ServerConfig>; 2]>) -> Self {
        let shared = Arc::new(Shared {
            address: address.parse().expect("an address and a port"),
            secret: Self::SECRET.to_owned(),
            tls,
            behaviour: Mutex::new(Behaviour::Takes),
            received: Mutex::default(),
            listens: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let (door, theirs) = (namespace.door(), Arc::clone(&shared));
        let listener = std::thread::spawn(move || {
            door.pass();
            serve::listen(&theirs);
        });
        let receiver = Self { shared, listener: Some(listener) };
        receiver.behave(Behaviour::Takes);
        receiver
    }

    /// From now on it does this; whoever waits for an answer is let go.
    ///
    /// # Panics
    /// When it cannot listen at its address.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
        let listens = behaviour != Behaviour::Down;
        wait::until("the receiver listens or not", Duration::from_secs(10), || {
            (self.shared.listens.load(Ordering::Acquire) == listens).then_some(())
        });
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that were taken.
    pub fn taken(&self) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|request| request.met == Behaviour::Takes);
        received
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn behaviour(&self) -> Behaviour {
        *self.behaviour.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

fn tls(certificate: &Certificate) -> Arc<ServerConfig> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let chain = CertificateDer::from_pem_slice(certificate.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("rcgen's");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![chain.expect("rcgen's")], key);
    config.expect("a key of its certificate").into()
}
