//! TLS towards receivers: rustls with the system's authorities and those of `ca_file`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::pem::{self, PemError};
use crate::text::file_name;

/// Why TLS cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// `ca_file` holds no certificates.
    #[error("{}: {reason}", file_name(path))]
    Authorities {
        /// Which.
        path: PathBuf,
        /// What is there instead.
        reason: PemError,
    },
    /// Nobody is trusted.
    #[error("this system trusts no authorities; install ca-certificates or give ca_file")]
    NoAuthorities,
    /// rustls refuses.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
    /// The host cannot be in a certificate.
    #[error("{0} is no name that a certificate can have; give its DNS name or its address")]
    Name(String),
}

/// A client that checks certificates and names.
///
/// # Errors
/// When `ca_file` cannot be read, or nobody is trusted.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    // What a system's bundle holds besides is not ours to judge.
    let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let all = pem::certificates(path)
            .map_err(|reason| TlsError::Authorities { path: path.to_owned(), reason })?;
        for certificate in all {
            roots.add(certificate)?;
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
