//! Prometheus: scrapes the sensor, and is asked what it has.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;

use super::start_http;
use crate::http;
use crate::net::Namespace;
use crate::process::Process;

const ADDRESS: &str = "127.0.0.1:9090";

/// A Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    _prometheus: Process,
    _folder: TempDir,
}

impl Prometheus {
    /// Scrapes `target`, every second, as job `egret`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace, target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n- job_name: egret\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        fs::write(&config, text).expect("the folder is there");
        let mut command = namespace.command("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={ADDRESS}"));
        let ready = (address(), "/-/ready");
        let prometheus = start_http(namespace, "prometheus", command, &folder, ready);
        Self { _prometheus: prometheus, _folder: folder }
    }

    /// The value of an expression that gives one series, by the HTTP API; `None` while it gives
    /// none.
    ///
    /// # Panics
    /// When it gives more.
    pub fn value(&self, namespace: &Namespace, expression: &str) -> Option<f64> {
        let path = format!("/api/v1/query?query={}", encoded(expression));
        let answer = namespace.enter(|| http::get(address(), &path)).expect("it runs").json();
        assert_eq!(answer["status"], "success", "{answer}");
        match answer["data"]["result"].as_array().map(Vec::as_slice) {
            Some([]) => None,
            Some([series]) => series["value"][1].as_str().and_then(|value| value.parse().ok()),
            _ => panic!("{expression}: not one series: {answer}"),
        }
    }

    /// The targets it scrapes, by the HTTP API.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn targets(&self, namespace: &Namespace) -> Value {
        let answer = namespace.enter(|| http::get(address(), "/api/v1/targets"));
        answer.expect("it runs").json()["data"]["activeTargets"].take()
    }
}

fn address() -> SocketAddr {
    ADDRESS.parse().expect("an address")
}

/// `text` as part of a URL.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
