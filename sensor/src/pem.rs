//! Certificates and private keys in files, in PEM (RFC 7468).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::text;

/// All authorities of a system have less than 1 MiB; a capture given by mistake is not read whole.
const MAX_BYTES: u64 = 4 << 20;

/// What a file should hold, and what is there.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// It cannot be read.
    #[error("cannot read it: {}", text::reason(.0))]
    Unreadable(io::Error),
    /// It holds far more than was asked for.
    #[error("expected {expected} in PEM: it is larger than {MAX_BYTES} bytes")]
    TooLarge {
        /// What should be in it.
        expected: &'static str,
    },
    /// It holds something else.
    #[error("expected {expected} in PEM: there is none")]
    None {
        /// What should be in it.
        expected: &'static str,
    },
    /// What it holds is damaged.
    #[error("expected {expected} in PEM: {seen}")]
    Damaged {
        /// What should be in it.
        expected: &'static str,
        /// What is wrong with it.
        seen: pem::Error,
    },
}

/// All certificates in a file, at least one.
///
/// # Errors
/// When it cannot be read, or holds none, or one that is damaged.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    const EXPECTED: &str = "certificates";
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path, EXPECTED)?).collect();
    let all = all.map_err(|seen| PemError::Damaged { expected: EXPECTED, seen })?;
    if all.is_empty() { Err(PemError::None { expected: EXPECTED }) } else { Ok(all) }
}

/// The first private key in a file.
///
/// # Errors
/// When it cannot be read, or holds none, or one that is damaged.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    const EXPECTED: &str = "a private key";
    PrivateKeyDer::from_pem_slice(&read(path, EXPECTED)?).map_err(|seen| match seen {
        pem::Error::NoItemsFound => PemError::None { expected: EXPECTED },
        seen => PemError::Damaged { expected: EXPECTED, seen },
    })
}

fn read(path: &Path, expected: &'static str) -> Result<Vec<u8>, PemError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(PemError::Unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(PemError::Unreadable)?;
    if bytes.len() as u64 > MAX_BYTES { Err(PemError::TooLarge { expected }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a file, as one of certificates and as one of a key.
    fn said(bytes: &[u8]) -> [String; 2] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let told = |error: Option<PemError>| error.map_or(String::new(), |error| error.to_string());
        [told(certificates(file.path()).err()), told(private_key(file.path()).err())]
    }

    #[test]
    fn what_is_there_instead_is_said() {
        let none = |expected: &str| format!("expected {expected} in PEM: there is none");
        let no_certificate = none("certificates");
        let no_key = none("a private key");
        assert_eq!(said(b"none yet\n"), [no_certificate.clone(), no_key.clone()]);
        let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(said(certificate), [String::new(), no_key]);
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(said(key), [no_certificate, String::new()]);
        for damaged in said(b"-----BEGIN CERTIFICATE-----\nAAAA\n") {
            assert!(damaged.contains("missing section end"), "{damaged}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_has_no_end_is_not_taken_for_an_empty_one() {
        let error = certificates(Path::new("/nowhere/ca.pem")).unwrap_err().to_string();
        assert_eq!(error, "cannot read it: No such file or directory");
        let error = private_key(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("larger than 4194304 bytes"), "{error}");
    }
}
