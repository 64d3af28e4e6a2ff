//! The files that the config names.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Content, NamedFile};
use crate::config::Config;
use crate::text::reason;

/// Whether others may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secret,
    Public,
}

/// Asks about every file the config names.
pub(in super::super) fn named(config: &Config) -> Vec<NamedFile> {
    paths(config).into_iter().map(|(key, path, kind)| look(key, path, kind)).collect()
}

fn paths(config: &Config) -> Vec<(&'static str, &Path, Kind)> {
    let mut paths = Vec::new();
    for webhook in &config.deliver.webhooks {
        paths.push(("deliver.webhook.secret_file", webhook.secret_file.as_deref(), Kind::Secret));
        paths.push(("deliver.webhook.token_file", webhook.token_file.as_deref(), Kind::Secret));
        paths.push(("deliver.webhook.ca_file", webhook.ca_file.as_deref(), Kind::Public));
    }
    for target in &config.deliver.syslog {
        paths.push(("deliver.syslog.ca_file", target.ca_file.as_deref(), Kind::Public));
    }
    let fleet = &config.fleet;
    paths.push(("fleet.credentials_file", fleet.credentials_file.as_deref(), Kind::Secret));
    paths.push(("fleet.ca_file", fleet.ca_file.as_deref(), Kind::Public));
    paths.push(("http.token_file", config.http.token_file.as_deref(), Kind::Secret));
    if let Some(tls) = &config.http.tls {
        paths.push(("http.tls.cert", Some(&tls.cert), Kind::Public));
        paths.push(("http.tls.key", Some(&tls.key), Kind::Secret));
    }
    let audit = &config.intake.audit;
    paths.push(("intake.audit.token_file", audit.token_file.as_deref(), Kind::Secret));
    if let Some(tls) = &config.intake.syslog.tls {
        paths.push(("intake.syslog.tls.cert", Some(&tls.cert), Kind::Public));
        paths.push(("intake.syslog.tls.key", Some(&tls.key), Kind::Secret));
        paths.push(("intake.syslog.tls.client_ca", tls.client_ca.as_deref(), Kind::Public));
    }
    paths.into_iter().filter_map(|(key, path, kind)| Some((key, path?, kind))).collect()
}

fn look(key: &'static str, path: &Path, kind: Kind) -> NamedFile {
    let opened = File::open(path);
    let others = |file: &File| file.metadata().is_ok_and(|found| found.mode() & 0o007 != 0);
    let exposed = kind == Kind::Secret && opened.as_ref().is_ok_and(others);
    let content = opened.and_then(|mut file| file.read(&mut [0])).map(|read| match read {
        0 => Content::Nothing,
        _ => Content::Something,
    });
    let content = content.map_err(|error| reason(&error));
    NamedFile { key, path: path.to_owned(), content, exposed }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_opened_not_only_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert!(look("k", &path, Kind::Secret).content.is_err());
        fs::write(&path, "").unwrap();
        assert_eq!(look("k", &path, Kind::Secret).content, Ok(Content::Nothing));
        fs::write(&path, "whsec_x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let file = look("k", &path, Kind::Secret);
        assert_eq!((file.content, file.exposed), (Ok(Content::Something), true));
        assert!(!look("k", &path, Kind::Public).exposed);
        assert!(look("k", directory.path(), Kind::Public).content.is_err());
    }
}
