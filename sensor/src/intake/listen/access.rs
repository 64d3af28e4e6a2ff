//! Who may send: addresses, and for syslog certificates of clients. A reload of the config reads them again.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::ListenError;
use crate::config::{Syslog, SyslogTls};
use crate::pem;

/// What is asked of senders now. Clones share it.
#[derive(Debug, Clone)]
pub struct Access(Arc<RwLock<Rules>>);

/// Read and found good, and not yet in force.
#[derive(Debug)]
pub struct Prepared(Rules);

#[derive(Debug)]
struct Rules {
    /// Networks of senders; none: everybody.
    allow: Vec<IpNet>,
    tls: Option<Arc<ServerConfig>>,
}

impl Access {
    pub(super) fn new(syslog: &Syslog) -> Result<Self, ListenError> {
        Ok(Self(Arc::new(RwLock::new(Rules::read(syslog)?))))
    }

    /// Whoever has one of these addresses; with none, everybody.
    pub(in crate::intake) fn only(allow: &[IpNet]) -> Self {
        Self(Arc::new(RwLock::new(Rules { allow: allow.to_owned(), tls: None })))
    }

    /// Reads the certificates again, for a reload of the config.
    ///
    /// # Errors
    /// When a file is missing or not what it should be. Nothing has changed then.
    pub fn prepare(syslog: &Syslog) -> Result<Prepared, ListenError> {
        Ok(Prepared(Rules::read(syslog)?))
    }

    /// Puts into force what was prepared; connections that are open stay.
    pub fn apply(&self, prepared: Prepared) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = prepared.0;
    }

    /// Whether this address may send.
    pub(super) fn allows(&self, peer: IpAddr) -> bool {
        let rules = self.0.read().unwrap_or_else(PoisonError::into_inner);
        rules.allow.is_empty() || rules.allow.iter().any(|net| net.contains(&peer))
    }

    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).tls.clone()
    }
}

impl Prepared {
    /// Whoever has one of these addresses; with none, everybody.
    pub fn only(allow: &[IpNet]) -> Self {
        Self(Rules { allow: allow.to_owned(), tls: None })
    }
}

impl Rules {
    fn read(syslog: &Syslog) -> Result<Self, ListenError> {
        let tls = syslog.tls.as_ref().map(server).transpose()?;
        Ok(Self { allow: syslog.allow.clone(), tls: tls.map(Arc::new) })
    }
}

fn server(tls: &SyslogTls) -> Result<ServerConfig, ListenError> {
    let wrong = |key, path: &Path, reason| ListenError::Pem { key, path: path.to_owned(), reason };
    let chain = pem::certificates(&tls.cert).map_err(|reason| wrong("cert", &tls.cert, reason))?;
    let key = pem::private_key(&tls.key).map_err(|reason| wrong("key", &tls.key, reason))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pair = |reason| ListenError::Pair { cert: tls.cert.clone(), key: tls.key.clone(), reason };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let refused = |reason: String| ListenError::ClientCa { path: path.clone(), reason };
            let mut roots = RootCertStore::empty();
            let all = pem::certificates(path).map_err(|reason| wrong("client_ca", path, reason))?;
            for certificate in all {
                roots.add(certificate).map_err(|error| refused(error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| refused(error.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    // Senders only write. One that ends with a ticket unread resets the connection, and what it
    // sent last would be lost.
    config.send_tls13_tickets = 0;
    Ok(config)
}
