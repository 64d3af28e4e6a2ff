//! Certificates: an authority of its own for each test, and what it signs.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SerialNumber};

/// Signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    /// What leads from its certificates to whom everybody trusts.
    chain: String,
}

/// A certificate with its key, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, and behind it those of a chain.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one, of this name.
    ///
    /// # Panics
    /// When the machine has no randomness.
    pub fn new(name: &str) -> Self {
        let (key, params) = named(name);
        let pem = params.self_signed(&key).expect("it is complete").pem();
        Self { issuer: Issuer::new(params, key), pem, chain: String::new() }
    }

    /// One of this name that this one vouches for.
    ///
    /// # Panics
    /// When the machine has no randomness.
    #[must_use]
    pub fn intermediate(&self, name: &str) -> Self {
        let (key, params) = named(name);
        let pem = params.signed_by(&key, &self.issuer).expect("it is complete").pem();
        let chain = format!("{pem}{}", self.chain);
        Self { issuer: Issuer::new(params, key), pem, chain }
    }

    /// Its own certificate, written to a file in `folder`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let file = folder.join("ca.pem");
        fs::write(&file, &self.pem).expect("the folder is there");
        file
    }

    /// A certificate for these names or addresses, with what vouches for it behind it. Its serial number
    /// is one that has a sign byte before it.
    ///
    /// # Panics
    /// When one is neither.
    pub fn certify(&self, names: &[&str]) -> Certificate {
        let key = KeyPair::generate().expect("keys can be made");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names or addresses");
        params.serial_number = Some(SerialNumber::from(vec![0xdf, 0x66, 0x83, 0x4f]));
        let certificate = params.signed_by(&key, &self.issuer).expect("it is complete");
        let certificate = certificate.pem() + &self.chain;
        Certificate { certificate, key: key.serialize_pem() }
    }
}

impl Certificate {
    /// Written to files in `folder`: the certificate, the key.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write(&self, folder: &Path) -> [PathBuf; 2] {
        let files = [folder.join("certificate.pem"), folder.join("key.pem")];
        for (file, text) in files.iter().zip([&self.certificate, &self.key]) {
            fs::write(file, text).expect("the folder is there");
        }
        files
    }
}

/// What an authority's own certificate is made of.
fn named(name: &str) -> (KeyPair, CertificateParams) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    (KeyPair::generate().expect("keys can be made"), params)
}
