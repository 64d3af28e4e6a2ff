//! dnsmasq: answers for names the test gives it, and for nothing else.

use std::fs;
use std::net::IpAddr;

use tempfile::TempDir;

use super::PATIENCE;
use crate::net::{Host, Namespace};
use crate::process::Process;

/// A resolver.
#[derive(Debug)]
pub struct Dnsmasq {
    _dnsmasq: Process,
    _folder: TempDir,
}

impl Dnsmasq {
    /// Answers on port 53 of `host` that each name has its address.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace, host: Host, names: &[(&str, IpAddr)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let answers: String =
            names.iter().map(|(name, address)| format!("address=/{name}/{address}\n")).collect();
        // The pid file says that it listens.
        let (config, pid) = (folder.path().join("dnsmasq.conf"), folder.path().join("pid"));
        let text = format!(
            "keep-in-foreground\nlog-facility=-\nno-resolv\nno-hosts\nuser=root\n\
             listen-address={}\nbind-interfaces\npid-file={}\n{answers}",
            host.address,
            pid.display()
        );
        fs::write(&config, text).expect("the folder is there");
        let mut command = namespace.command("dnsmasq");
        command.arg(format!("--conf-file={}", config.display()));
        let mut dnsmasq = Process::start("dnsmasq", command, folder.path().join("log"));
        dnsmasq.until("does not listen", PATIENCE, || pid.exists().then_some(()));
        Self { _dnsmasq: dnsmasq, _folder: folder }
    }
}
