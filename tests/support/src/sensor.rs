//! `egret run` as a child of a test: started as systemd starts it, watched, asked, ended.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::egret::{Egret, Ran};
use crate::http::{self, Answer};
use crate::net::{Door, Namespace};
use crate::process::Process;
use crate::wait;

mod frozen;
mod notify;
mod samples;

pub use frozen::Frozen;
pub use notify::Notifications;
pub use samples::{Sample, Samples};

/// The port of the sensor's HTTP server, on the loopback of its namespace.
const PORT: u16 = 9477;
/// How long a start may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a sensor has on disk: its config and its data, for one start after another.
#[derive(Debug)]
pub struct Installation {
    binary: PathBuf,
    folder: Arc<TempDir>,
    data: PathBuf,
    name: &'static str,
    port: u16,
}

impl Installation {
    /// Of `binary`, which is `env!("CARGO_BIN_EXE_egret")` in tests of the sensor crate, with a
    /// config that has only this beside where data is kept.
    ///
    /// # Panics
    /// When there can be no folder.
    pub fn new(binary: &str, config: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let data = folder.path().join("data");
        let installation = Self { binary: binary.into(), folder, data, name: "lab", port: PORT };
        installation.configure(config);
        installation
    }

    /// With its data kept elsewhere.
    #[must_use]
    pub fn with_data(mut self, data: &Path, config: &str) -> Self {
        self.data = data.to_owned();
        self.configure(config);
        self
    }

    /// With another name than `lab`, and a config that has only this beside it.
    #[must_use]
    pub fn named(mut self, name: &'static str, config: &str) -> Self {
        self.name = name;
        self.configure(config);
        self
    }

    /// With its HTTP server at another port, so that two of them can run in one namespace.
    #[must_use]
    pub const fn at_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Writes another config.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, config: &str) {
        let data = self.data.display();
        let name = self.name;
        let text = format!("[sensor]\nname = \"{name}\"\ndata_dir = \"{data}\"\n\n{config}");
        // As people's tools do it: a reader never finds half of it.
        let new = self.folder.path().join("egret.toml.new");
        fs::write(&new, text).expect("the folder is there");
        fs::rename(new, self.config()).expect("the same folder");
    }

    /// Its config file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("egret.toml")
    }

    /// A file of this content beside the config.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).expect("the folder is there");
        file
    }

    /// Runs another of egret's commands on it, such as `alerts list`, to its end.
    pub fn egret(&self, arguments: &str) -> Ran {
        Egret::new(&self.binary).args(arguments).arg("--config").arg(self.config()).run()
    }

    /// Starts the sensor with these arguments behind `run`, and waits until it says `READY=1`.
    ///
    /// # Panics
    /// When it ends instead, or takes longer.
    pub fn start(&self, namespace: &Namespace, arguments: &str) -> Sensor {
        Self::await_ready(self.begin(namespace, arguments))
    }

    /// Starts it as a relay, and waits until it says `READY=1`.
    ///
    /// # Panics
    /// When it ends instead, or takes longer.
    pub fn relay(&self, namespace: &Namespace) -> Sensor {
        Self::await_ready(self.begin_relay(namespace))
    }

    /// Starts it as a relay without waiting.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn begin_relay(&self, namespace: &Namespace) -> Sensor {
        self.launch(namespace, "relay", "")
    }

    fn await_ready(mut sensor: Sensor) -> Sensor {
        let Sensor { process, notifications, .. } = &mut sensor;
        process.until("not ready", PATIENCE, || notifications.has("READY=1").then_some(()));
        sensor
    }

    /// Starts the sensor without waiting.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn begin(&self, namespace: &Namespace, arguments: &str) -> Sensor {
        self.launch(namespace, "run", arguments)
    }

    fn launch(&self, namespace: &Namespace, what: &str, arguments: &str) -> Sensor {
        let notifications = Notifications::listen(&self.folder.path().join("notify"));
        let mut command: Command = namespace.command(&self.binary);
        command
            .env_remove("RUST_LOG")
            .env("NOTIFY_SOCKET", self.folder.path().join("notify"))
            .env("WATCHDOG_USEC", "5000000")
            .args([what, "--config"])
            .arg(self.config())
            .args(arguments.split_whitespace());
        if self.port != PORT {
            command.args(["--set", &format!("http.listen=\"127.0.0.1:{}\"", self.port)]);
        }
        let process = Process::start("egret", command, self.folder.path().join("log"));
        let folder = Arc::clone(&self.folder);
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        Sensor { process, notifications, http, door: namespace.door(), _folder: folder }
    }
}

/// A running sensor.
#[derive(Debug)]
pub struct Sensor {
    process: Process,
    /// What it told the service manager.
    pub notifications: Notifications,
    http: SocketAddr,
    door: Door,
    /// What it reads and writes outlives it.
    _folder: Arc<TempDir>,
}

impl Sensor {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// All it said, earlier starts of the same installation included.
    pub fn said(&self) -> String {
        self.process.said()
    }

    /// Waits until it says `text`.
    ///
    /// # Panics
    /// When it does not in time.
    pub fn until_said(&self, text: &str, patience: Duration) {
        let found = wait::within(patience, || self.said().contains(text).then_some(()));
        assert!(found.is_some(), "it did not say {text:?} within {patience:?}:\n{}", self.said());
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Ends it as systemd does, and waits for that.
    ///
    /// # Panics
    /// When it takes longer.
    pub fn stop(&mut self, patience: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.process.wait(patience)
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it takes longer.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        self.process.wait(patience)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// `GET path` from its HTTP server.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn get(&self, path: &str) -> Answer {
        let answer = self.door.enter(|| http::get(self.http, path));
        answer.unwrap_or_else(|error| panic!("GET {path}: {error}\n{}", self.said()))
    }

    /// `POST path` to it, with a bearer token.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn post(&self, path: &str, token: &str, body: &[u8]) -> Answer {
        let answer = self.door.enter(|| http::post(self.http, path, token, body));
        answer.unwrap_or_else(|error| panic!("POST {path}: {error}\n{}", self.said()))
    }

    /// Its metrics as they are now.
    ///
    /// # Panics
    /// When it does not answer with 200.
    pub fn metrics(&self) -> Samples {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.body);
        Samples::parse(&answer.body)
    }

    /// Waits until its metrics are as asked for; gives them.
    ///
    /// # Panics
    /// When they are not in time.
    pub fn until_metrics(
        &self,
        what: &str,
        patience: Duration,
        mut as_asked: impl FnMut(&Samples) -> bool,
    ) -> Samples {
        let mut last = None;
        let found = wait::within(patience, || {
            let samples = self.metrics();
            if as_asked(&samples) {
                return Some(samples);
            }
            last = Some(samples);
            None
        });
        found.unwrap_or_else(|| {
            let said = self.said();
            panic!("{what}: not within {patience:?}:\n{}\n{said}", last.unwrap_or_default())
        })
    }

    /// What `/proc/PID/status` says behind `key`.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn proc_status(&self, key: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {key} in {text}")).trim().to_owned()
    }

    /// Memory it holds now, in KiB.
    ///
    /// # Panics
    /// When the kernel does not say so.
    pub fn memory_kib(&self) -> u64 {
        let text = self.proc_status("VmRSS");
        let number = text.split(' ').next().and_then(|number| number.parse().ok());
        number.unwrap_or_else(|| panic!("VmRSS: {text}"))
    }
}
