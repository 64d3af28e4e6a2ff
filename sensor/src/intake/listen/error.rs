//! Why the network cannot be listened to, in words that say what to change.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::pem::PemError;
use crate::text;

/// Why syslog or flow records cannot be listened to as the config says.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A port cannot be taken.
    #[error("intake.{key} = \"{address}\": {reason}")]
    Listen {
        /// The key that names it.
        key: &'static str,
        /// What was asked for.
        address: SocketAddr,
        /// What the system said, or what to do.
        reason: String,
        /// What kind of error that is.
        kind: io::ErrorKind,
    },
    /// A file cannot be used.
    #[error("intake.syslog.tls.{key} = \"{}\": {reason}", text::file_name(path))]
    Pem {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should have, and what it has.
        reason: PemError,
    },
    /// A certificate cannot be that of an authority.
    #[error(
        "intake.syslog.tls.client_ca = \"{}\": expected certificates of authorities: {reason}",
        text::file_name(path)
    )]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What rustls says.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error("intake.syslog.tls: {} and {}: {reason}", text::file_name(cert), text::file_name(key))]
    Pair {
        /// The certificates.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What rustls says.
        reason: rustls::Error,
    },
}

impl ListenError {
    /// Whether somebody else has the port.
    pub const fn is_taken(&self) -> bool {
        matches!(self, Self::Listen { kind: io::ErrorKind::AddrInUse, .. })
    }

    pub(in crate::intake) fn listen(
        key: &'static str,
        address: SocketAddr,
        error: &io::Error,
    ) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there; stop it, or give another port".to_owned()
            }
            io::ErrorKind::PermissionDenied => {
                "this user may not take ports below 1024; give a higher one, or start with \
                 CAP_NET_BIND_SERVICE"
                    .to_owned()
            }
            io::ErrorKind::AddrNotAvailable => "no interface here has this address".to_owned(),
            _ => text::reason(error),
        };
        Self::Listen { key, address, reason, kind: error.kind() }
    }
}
