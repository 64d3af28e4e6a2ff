//! What opens the doors: certificate and tokens, which a reload of the config reads again.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_rustls::TlsAcceptor;

use super::HttpError;
use crate::config::{Audit, Http, HttpTls};
use crate::{pem, text};

/// A token is far smaller; a capture given by mistake is not read whole.
const MAX_BYTES: u64 = 64 << 10;

/// What is asked of clients now. Clones share it.
#[derive(Debug, Clone)]
pub struct Access {
    listen: SocketAddr,
    local: bool,
    keys: Arc<RwLock<Keys>>,
}

/// Read and found good, and not yet in force.
#[derive(Debug)]
pub struct Prepared(Keys);

#[derive(Debug, Clone, Default)]
struct Keys {
    token: Option<Token>,
    /// Of whoever posts audit records.
    audit: Option<Token>,
    tls: Option<Acceptor>,
}

impl Access {
    pub(super) fn new(http: &Http, audit: &Audit) -> Result<Self, HttpError> {
        let keys = Arc::new(RwLock::new(Keys::read(http, audit)?));
        Ok(Self { listen: http.listen, local: http.is_local(), keys })
    }

    /// Reads certificate, key and tokens again, for a reload of the config.
    ///
    /// # Errors
    /// When a file is missing or not what it should be, or `listen` is another one. Nothing has
    /// changed then.
    pub fn prepare(&self, http: &Http, audit: &Audit) -> Result<Prepared, HttpError> {
        if http.listen != self.listen {
            return Err(HttpError::Moved { from: self.listen, to: http.listen });
        }
        Ok(Prepared(Keys::read(http, audit)?))
    }

    /// Puts into force what was prepared; connections that are open stay.
    pub fn apply(&self, prepared: Prepared) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = prepared.0;
    }

    /// Whether only this machine can reach it.
    pub(super) const fn is_local(&self) -> bool {
        self.local
    }

    /// The address that clients use, if it is one.
    pub(super) const fn listen(&self) -> SocketAddr {
        self.listen
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).token.clone()
    }

    /// What opens `POST /intake/audit`; none: nothing does.
    pub(super) fn audit_token(&self) -> Option<Token> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).audit.clone()
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.tls.as_ref().map(|acceptor| acceptor.0.clone())
    }
}

impl Keys {
    fn read(http: &Http, audit: &Audit) -> Result<Self, HttpError> {
        // The config's reader has said so already, with the line; this is the last word.
        if !http.is_local() && (http.tls.is_none() || http.token_file.is_none()) {
            return Err(HttpError::Open(http.listen));
        }
        let read = |key, path: Option<&Path>| path.map(|path| Token::read(key, path)).transpose();
        let token = read("http.token_file", http.token_file.as_deref())?;
        let audit = audit.token_file.as_deref().filter(|_| audit.http);
        let audit = read("intake.audit.token_file", audit)?;
        let tls = http.tls.as_ref().map(Acceptor::read).transpose()?;
        Ok(Self { token, audit, tls })
    }
}

/// A bearer token. Not kept itself: only what comparing needs.
#[derive(Clone)]
pub(super) struct Token(Hmac<Sha256>, Vec<u8>);

impl Token {
    fn read(key: &'static str, path: &Path) -> Result<Self, HttpError> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        read.map_err(|error| HttpError::Unreadable {
            key,
            path: path.to_owned(),
            reason: text::reason(&error),
        })?;
        let token = bytes.trim_ascii();
        let is_token = (16..=512).contains(&token.len()) && token.iter().all(u8::is_ascii_graphic);
        let mac = Hmac::<Sha256>::new_from_slice(b"http.token");
        let (true, Ok(mac)) = (is_token, mac) else {
            return Err(HttpError::Token { key, path: path.to_owned() });
        };
        warn_if_open(key, path);
        let expected = mac.clone().chain_update(token).finalize().into_bytes().to_vec();
        Ok(Self(mac, expected))
    }

    /// Whether `given` is it. Takes the same time wherever the two differ.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        self.0.clone().chain_update(given).verify_slice(&self.1).is_ok()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl Acceptor {
    fn read(tls: &HttpTls) -> Result<Self, HttpError> {
        let wrong =
            |key, path: &Path, reason| HttpError::Pem { key, path: path.to_owned(), reason };
        let (cert_key, key_key) = ("http.tls.cert", "http.tls.key");
        let chain =
            pem::certificates(&tls.cert).map_err(|reason| wrong(cert_key, &tls.cert, reason))?;
        let key = pem::private_key(&tls.key).map_err(|reason| wrong(key_key, &tls.key, reason))?;
        warn_if_open(key_key, &tls.key);

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|reason| HttpError::Pair {
                cert: tls.cert.clone(),
                key: tls.key.clone(),
                reason,
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config).into()))
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acceptor")
    }
}

/// Says when everyone on this machine can read a secret.
fn warn_if_open(key: &str, path: &Path) {
    let mode = std::fs::metadata(path).map(|file| file.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o004 != 0) {
        let name = text::file_name(path);
        tracing::warn!("{key}: everyone here can read {name}; protect it: chmod 640 {name}");
    }
}
