//! Prometheus' Alertmanager: takes alerts, and is asked which it has.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;

use super::start_http;
use crate::http;
use crate::net::Namespace;
use crate::process::Process;

const ADDRESS: &str = "127.0.0.1:9093";

/// An Alertmanager that tells nobody.
#[derive(Debug)]
pub struct Alertmanager {
    _alertmanager: Process,
    _folder: TempDir,
}

impl Alertmanager {
    /// Where alerts are sent to.
    pub const URL: &str = "http://127.0.0.1:9093/api/v2/alerts";

    /// Starts one.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("alertmanager.yml");
        let text = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
        fs::write(&config, text).expect("the folder is there");
        let mut command = namespace.command("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={ADDRESS}"))
            .arg("--cluster.listen-address=");
        let ready = (address(), "/-/ready");
        let process = start_http(namespace, "alertmanager", command, &folder, ready);
        Self { _alertmanager: process, _folder: folder }
    }

    /// The alerts it has, by its API.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn alerts(&self, namespace: &Namespace) -> Vec<Value> {
        let answer = namespace.enter(|| http::get(address(), "/api/v2/alerts")).expect("it runs");
        answer.json().as_array().expect("a list").clone()
    }
}

fn address() -> SocketAddr {
    ADDRESS.parse().expect("an address")
}
