//! The real programs that the sensor works with, started for one test each.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::http;
use crate::net::Namespace;
use crate::process::Process;

mod alertmanager;
mod certificate;
mod dnsmasq;
mod front;
mod nats;
mod nginx;
mod prometheus;

pub use alertmanager::Alertmanager;
pub use certificate::{Authority, Certificate};
pub use dnsmasq::Dnsmasq;
pub use front::Front;
pub use nats::Nats;
pub use nats::operator::Operator;
pub use nginx::{FileServer, UploadServer};
pub use prometheus::Prometheus;

/// How long a service may take to start, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which of these programs a machine lacks.
pub fn missing(programs: &[&str]) -> Option<String> {
    let is_there = |program: &str| {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|path| path.join(program).is_file())
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|name| !is_there(name)).collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
}

/// Starts `command`, with its log in `folder`, and waits until it answers `path` at `address` with
/// 200.
fn start_http(
    namespace: &Namespace,
    name: &str,
    command: Command,
    folder: &TempDir,
    (address, path): (SocketAddr, &str),
) -> Process {
    let mut process = Process::start(name, command, folder.path().join("log"));
    process.until("no answer", PATIENCE, || {
        let answer = namespace.enter(|| http::get(address, path));
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    });
    process
}
