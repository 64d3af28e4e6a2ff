//! Why HTTP cannot be served, in words that say what to change.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::holder;
use crate::cli::Failure;
use crate::pem::PemError;
use crate::text;

/// Why HTTP cannot be served as the config says.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Another program has the port.
    #[error(
        "http.listen = \"{address}\": {holder} listens there already; stop it, or give another port"
    )]
    Taken {
        /// What was asked for.
        address: SocketAddr,
        /// Who has it.
        holder: String,
    },
    /// The address is not this machine's.
    #[error(
        "http.listen = \"{0}\": no interface here has this address; `ip address` lists those there are"
    )]
    NotHere(SocketAddr),
    /// The port is reserved.
    #[error(
        "http.listen = \"{0}\": this user may not take ports below 1024; give a higher one, or start \
         with CAP_NET_BIND_SERVICE"
    )]
    Reserved(SocketAddr),
    /// Anything else about listening.
    #[error("http.listen = \"{address}\": {reason}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// A reload cannot take another port: what that needs was given up at the start.
    #[error(
        "http.listen: was \"{from}\" at the start and is \"{to}\" now; a reload cannot move it: \
         restart, or put it back"
    )]
    Moved {
        /// Where it listens.
        from: SocketAddr,
        /// What is asked for.
        to: SocketAddr,
    },
    /// Others can reach it, and it would be open.
    #[error(
        "http.listen = \"{0}\": other machines can reach this address; give http.tls and \
         http.token_file, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// A file cannot be read.
    #[error("{key} = \"{}\": cannot read it: {reason}", text::file_name(path))]
    Unreadable {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The token is none.
    #[error(
        "{key} = \"{}\": expected one token of 16 to 512 characters without spaces; make one with: \
         openssl rand -base64 32",
        text::file_name(path)
    )]
    Token {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file has no certificate or key.
    #[error("{key} = \"{}\": {reason}", text::file_name(path))]
    Pem {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What should be in it, and what is.
        reason: PemError,
    },
    /// Certificate and key cannot be used together.
    #[error(
        "http.tls: the certificate in \"{}\" and the key in \"{}\" cannot be used: {reason}",
        text::file_name(cert),
        text::file_name(key)
    )]
    Pair {
        /// File of the certificate.
        cert: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// Why.
        reason: rustls::Error,
    },
}

impl Failure for HttpError {}

impl HttpError {
    /// What an attempt to listen came to.
    pub(super) fn listen(address: SocketAddr, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::Taken {
                address,
                holder: holder::of_port(address.port())
                    .unwrap_or_else(|| "another program".to_owned()),
            },
            io::ErrorKind::AddrNotAvailable => Self::NotHere(address),
            io::ErrorKind::PermissionDenied if address.port() < 1024 => Self::Reserved(address),
            _ => Self::Listen { address, reason: text::reason(error) },
        }
    }
}
