//! The config that the running sensor goes by: the file, `--set`, the flags, and what people have
//! stored beside it.

use std::net::SocketAddr;
use std::path::PathBuf;

use uuid::Uuid;

use super::intake;
use crate::alert::Verdict;
use crate::cli;
use crate::config::file::{self, ConfigError};
use crate::config::{Approve, Asset, Backend, Config, Syslog};
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
    /// As the command line says; the file was read from `path`, where there was one. When that is
    /// missing later, an editor is at work: the defaults are no config to go on with.
    pub(super) fn new(arguments: &cli::Run, global: &cli::Global, path: Option<PathBuf>) -> Self {
        Self {
            path,
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

/// What people have approved, imported and judged by other commands.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stored {
    approvals: Vec<Approve>,
    assets: Vec<Asset>,
    /// What they found alerts to be.
    pub(super) verdicts: Vec<(Uuid, Verdict)>,
}

impl Stored {
    /// What the database has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(store: &Store) -> Result<Self, StoreError> {
        let (approvals, assets) = (store.approvals()?, store.imported_assets()?);
        Ok(Self { approvals, assets, verdicts: store.verdicts()? })
    }

    /// Whether the config is the same under both.
    pub(super) fn is_same_config(&self, other: &Self) -> bool {
        self.approvals == other.approvals && self.assets == other.assets
    }

    /// The config with it. The file wins where both name an asset, an address or a MAC address.
    pub(super) fn under(&self, mut config: Config) -> Config {
        let imported = unclaimed(&config.assets, self.assets.clone());
        config.assets.extend(imported);
        config.approve.extend(self.approvals.iter().cloned());
        config
    }
}

/// Leaves in `new` what a running sensor cannot change as it was at the start; the keys that would
/// have been others.
pub(super) fn keep_fixed(running: &Config, new: &mut Config) -> Vec<&'static str> {
    let mut keys = Vec::new();
    let mut keep = |key, same: bool| {
        if !same {
            keys.push(key);
        }
        !same
    };
    if keep("sensor.data_dir", running.sensor.data_dir == new.sensor.data_dir) {
        new.sensor.data_dir.clone_from(&running.sensor.data_dir);
    }
    if keep("capture", running.capture == new.capture) {
        new.capture = running.capture.clone();
    }
    if keep("evidence", running.evidence == new.evidence) {
        new.evidence = running.evidence;
    }
    if keep("fleet", running.fleet == new.fleet) {
        new.fleet = running.fleet.clone();
    }
    if keep("http.listen", running.http.listen == new.http.listen) {
        new.http = running.http.clone();
    }
    let (listening, syslog) = (&running.intake.syslog, &mut new.intake.syslog);
    if keep("intake.syslog", listeners(listening) == listeners(syslog)) {
        *syslog = Syslog { allow: std::mem::take(&mut syslog.allow), ..listening.clone() };
    }
    let (listening, flows) = (&running.intake.flows, &mut new.intake.flows);
    if keep("intake.flows", listening.udp == flows.udp) {
        flows.udp = listening.udp;
    }
    // Audit records are taken in by the thread of logs, where there is one.
    let has_thread = intake::is_fed(&running.intake);
    if keep("intake.audit", has_thread || !intake::is_fed(&new.intake)) {
        new.intake.audit = running.intake.audit.clone();
    }
    keys
}

fn listeners(syslog: &Syslog) -> [Option<SocketAddr>; 3] {
    [syslog.udp, syslog.tcp, syslog.tls.as_ref().map(|tls| tls.listen)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_change_stays_and_is_said_at_each_reload() {
        let running = Config::default();
        for _ in 0..2 {
            let mut new = Config::default();
            new.sensor.name = "another".to_owned();
            new.sensor.data_dir = "/elsewhere".into();
            new.capture.workers = 7;
            new.evidence.enabled = false;
            new.fleet.site = "elsewhere".to_owned();
            new.http.listen = "127.0.0.1:1".parse().unwrap();
            new.intake.syslog.udp = "127.0.0.1:514".parse().ok();
            new.intake.flows.udp = "127.0.0.1:2055".parse().ok();
            new.intake.flows.allow = vec!["10.0.0.0/8".parse().unwrap()];
            new.intake.syslog.allow = vec!["10.0.0.0/8".parse().unwrap()];
            let keys = keep_fixed(&running, &mut new);
            let fixed = [
                "sensor.data_dir",
                "capture",
                "evidence",
                "fleet",
                "http.listen",
                "intake.syslog",
                "intake.flows",
            ];
            assert_eq!(keys, fixed);
            assert_eq!(new.capture, running.capture);
            assert_eq!(new.http.listen, running.http.listen);
            assert_eq!(new.sensor.data_dir, running.sensor.data_dir);
            assert_eq!(new.sensor.name, "another");
            assert_eq!(new.intake.syslog.udp, None);
            assert_eq!(new.intake.syslog.allow.len(), 1);
            assert_eq!((new.intake.flows.udp, new.intake.flows.allow.len()), (None, 1));
        }
        assert!(keep_fixed(&running, &mut Config::default()).is_empty());
    }

    #[test]
    fn audit_records_come_and_go_where_logs_are_taken_in() {
        let mut audited = Config::default();
        audited.intake.audit.files = vec!["/var/log/audit/*.json".to_owned()];
        let mut new = audited.clone();
        assert_eq!(keep_fixed(&Config::default(), &mut new), ["intake.audit"]);
        assert_eq!(new.intake, Config::default().intake);
        assert!(keep_fixed(&audited, &mut Config::default()).is_empty());
        let mut listening = Config::default();
        listening.intake.syslog.udp = "127.0.0.1:514".parse().ok();
        let mut new = listening.clone();
        new.intake.audit = audited.intake.audit;
        assert!(keep_fixed(&listening, &mut new).is_empty() && !new.intake.audit.files.is_empty());
    }

    #[test]
    fn a_config_file_that_was_there_is_missed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("egret.toml");
        let settings =
            Settings { path: Some(path), set: Vec::new(), interfaces: Vec::new(), backend: None };
        let error = settings.read("host").unwrap_err();
        assert!(matches!(error, ConfigError::Unreadable { .. }), "{error:?}");
    }
}
