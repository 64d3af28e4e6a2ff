//! What the real Alertmanager makes of an alert.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use serde_json::Value;

use super::*;
use crate::alert::Severity;
use crate::time::Timestamp;

/// Ends with the test.
struct Server {
    child: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts it on a port of its own; `None` where it is not installed.
fn start() -> Option<Server> {
    let program = ["/usr/bin/prometheus-alertmanager", "/usr/bin/alertmanager"];
    let Some(program) = program.into_iter().find(|program| Path::new(program).exists()) else {
        egret_tests::skip("Alertmanager is not installed (package prometheus-alertmanager)");
        return None;
    };
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("alertmanager.yml");
    std::fs::write(&config, "route: { receiver: none }\nreceivers: [{ name: none }]\n").unwrap();
    // No other test takes ports of this address, so the port stays free until it is taken.
    let free = TcpListener::bind("127.0.0.93:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", data.path().display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Some(Server { child, url: format!("http://{address}"), _data: data })
}

/// The alerts that its API shows as active.
async fn active(url: &str) -> Vec<Value> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(crate::deliver::tls::client(None).unwrap())
        .build()
        .unwrap();
    let answer = client.get(format!("{url}/api/v2/alerts")).send().await.unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn the_real_alertmanager_shows_an_alert_once_also_when_its_severity_rises() {
    let Some(server) = start() else { return };
    let hook =
        config::Webhook { format: config::WebhookFormat::Alertmanager, ..webhook(&server.url) };
    let scene = Scene::start(&[hook]);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut alert = alert(1);
    alert.last_seen = Timestamp::ZERO.plus(now);
    alert.first_seen = alert.last_seen.minus(Duration::from_secs(600));
    alert.severity = Severity::Medium;
    scene.outbox.raise(&alert);
    // It starts meanwhile: until then the attempts fail.
    scene.until("taken", |scene| scene.outbox.delivered() == 1).await;
    let shown = active(&server.url).await;
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!(shown[0]["labels"]["severity"], "medium");
    assert_eq!(shown[0]["labels"]["alertname"], "EgretAN1416");
    assert_eq!(shown[0]["annotations"]["description"], alert.summary.as_str());

    (alert.severity, alert.count) = (Severity::High, 2);
    scene.outbox.raise(&alert);
    scene.until("taken", |scene| scene.outbox.delivered() == 2).await;
    let shown = active(&server.url).await;
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!(shown[0]["labels"]["severity"], "high");
    scene.stop().await;
}
