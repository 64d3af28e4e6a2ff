//! `[fleet]`: the other sensors of the estate, and how they are reached.

use std::path::PathBuf;

use reqwest::Url;

/// `[fleet]`; without servers a sensor is alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// `servers`: NATS servers of one cluster, `nats://host:4222` or `tls://host:4222`.
    pub servers: Vec<Url>,
    /// `site`: where this sensor is; with `sensor.name` what it is called among the others.
    pub site: String,
    /// `credentials_file`: a NATS `.creds` file, or one line `user:password`.
    pub credentials_file: Option<PathBuf>,
    /// `ca_file`: authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl Fleet {
    /// Whether there are others.
    pub const fn is_on(&self) -> bool {
        !self.servers.is_empty()
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self { servers: Vec::new(), site: "main".to_owned(), credentials_file: None, ca_file: None }
    }
}
