//! The config that the running sensor goes by: the file, `--set`, the flags, and what people have
//! stored beside it.

use std::path::PathBuf;

use crate::cli;
use crate::config::file::{self, ConfigError};
use crate::config::{Approve, Asset, Backend, Config};
use crate::store::{Store, StoreError, unclaimed};

/// How the config was read, to read it again in the same way.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    path: Option<PathBuf>,
    set: Vec<String>,
    interfaces: Vec<String>,
    backend: Option<Backend>,
}

impl Settings {
    /// As the command line says.
    pub(super) fn new(arguments: &cli::Run, global: &cli::Global) -> Self {
        Self {
            path: global.config.clone(),
            set: global.set.clone(),
            interfaces: arguments.interface.clone(),
            backend: arguments.backend,
        }
    }

    /// Reads the file again.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn read(&self, host_name: &str) -> Result<Config, ConfigError> {
        let loaded = file::load(self.path.as_deref(), &self.set, host_name)?;
        Ok(self.with_flags(loaded.config))
    }

    /// Flags win over the file.
    pub(super) fn with_flags(&self, mut config: Config) -> Config {
        if !self.interfaces.is_empty() {
            config.capture.interfaces.clone_from(&self.interfaces);
        }
        if let Some(backend) = self.backend {
            config.capture.backend = backend;
        }
        config
    }
}

/// What people have approved and imported by other commands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stored {
    approvals: Vec<Approve>,
    assets: Vec<Asset>,
}

impl Stored {
    /// What the database has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { approvals: store.approvals()?, assets: store.imported_assets()? })
    }

    /// The config with it. The file wins where both name an asset, an address or a MAC address.
    pub(super) fn under(&self, mut config: Config) -> Config {
        let imported = unclaimed(&config.assets, self.assets.clone());
        config.assets.extend(imported);
        config.approve.extend(self.approvals.iter().cloned());
        config
    }
}

/// The keys that differ and take effect at the next start only.
pub(super) fn fixed(old: &Config, new: &Config) -> Vec<&'static str> {
    let keys = [
        ("sensor.data_dir", old.sensor.data_dir == new.sensor.data_dir),
        ("capture", old.capture == new.capture),
        ("http.listen", old.http.listen == new.http.listen),
    ];
    keys.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}
