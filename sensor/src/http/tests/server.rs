//! The server of a test, and the programs that ask it.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::*;
use crate::config::{Audit, Http, HttpTls};
use crate::inquiry::{Questions, questions};
use crate::intake::audit::post::{Posted, posts};
use crate::store::Store;
use crate::store::keeper::Wiring;

/// What the time always is.
pub(super) const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);
pub(super) const TOKEN: &str = "0123456789abcdef";

/// A server on a port of its own until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) access: Access,
    pub(super) status: status::Shared,
    pub(super) keeper: Keeper,
    pub(super) metrics: Metrics,
    /// Where bodies come out that are posted.
    pub(super) posted: Option<Posted>,
    /// Where questions come out that are asked of detection.
    pub(super) questions: Option<Questions>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _data: tempfile::TempDir,
}

impl Server {
    pub(super) fn start(http: &Http, status: Status) -> Self {
        Self::with_audit(http, &Audit::default(), status)
    }

    pub(super) fn with_audit(http: &Http, audit: &Audit, status: Status) -> Self {
        let data = tempfile::tempdir().unwrap();
        let bound = super::super::bind(http, audit).unwrap();
        let (mut address, access) = (bound.address(), bound.access());
        address.set_ip([127, 0, 0, 1].into());
        let metrics = Metrics::new().unwrap();
        let store = Store::open(data.path()).unwrap();
        let wiring =
            Wiring { clock: || NOW, on_committed: Box::new(|_| {}), on_removed: Box::new(|_| {}) };
        let keeper = Keeper::start(store, Vec::new(), metrics.clone(), wiring).unwrap();
        let status = status::Shared::new(status.into());
        let shared = (Arc::clone(&status), keeper.clone());
        let (posts, posted) = posts();
        let (asker, questions) = questions();
        let counted = metrics.clone();
        let parts = Parts {
            fleet: None,
            metrics,
            status: shared.0,
            keeper: shared.1,
            audit: posts,
            asker,
            data_dir: data.path().into(),
            clock: || NOW,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let shutdown = async { drop(stopped.await) };
            runtime.unwrap().block_on(serve(bound, parts, shutdown)).unwrap();
        });
        let (stop, thread) = (Some(stop), Some(thread));
        let (posted, questions) = (Some(posted), Some(questions));
        let metrics = counted;
        Self {
            address,
            access,
            status,
            keeper,
            metrics,
            posted,
            questions,
            stop,
            thread,
            _data: data,
        }
    }

    pub(super) fn data_dir(&self) -> &Path {
        self._data.path()
    }

    pub(super) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

/// Takes the port, with nothing to do for audit records.
pub(super) fn bind(http: &Http) -> Result<Bound, HttpError> {
    super::super::bind(http, &Audit::default())
}

/// Loopback, any port.
pub(super) fn config() -> Http {
    Http { listen: "127.0.0.1:0".parse().unwrap(), ..Http::default() }
}

/// For all machines, with [`TOKEN`] and a certificate of this name.
pub(super) fn open(folder: &Path, name: &str) -> Http {
    let (cert, key) = certificate(folder, name);
    let token_file = Some(token(folder, TOKEN));
    let tls = Some(HttpTls { cert, key });
    Http { listen: "0.0.0.0:0".parse().unwrap(), tls, token_file, url: None }
}

pub(super) fn token(folder: &Path, token: &str) -> PathBuf {
    let path = folder.join("token");
    std::fs::write(&path, format!("{token}\n")).unwrap();
    path
}

pub(super) fn certificate(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (cert, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    let made = Command::new("openssl")
        .args("req -x509 -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:P-256".split(' '))
        .args(["-subj", "/CN=sensor.example", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args([Path::new("-out"), &cert, Path::new("-keyout"), &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (cert, key)
}

/// Whether a test must be skipped because there is no such program.
pub(super) fn is_missing(program: &str) -> bool {
    let is_there = Command::new(program).arg("version").output().is_ok();
    if !is_there {
        egret_tests::skip(format_args!("{program} is not installed"));
    }
    !is_there
}

/// What a server said; status 0 when it said nothing.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(super) fn curl(arguments: &[&str]) -> Answer {
    let ran = Command::new("curl")
        .args(["--silent", "--include", "--noproxy", "*", "--max-time", "20"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.unwrap_or_default(), head: head.to_owned(), body: body.to_owned() }
}
