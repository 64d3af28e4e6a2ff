//! A sensor that has seen the demo's estate today, and sees traffic now.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use egret::alert::Alert;
use egret::metrics::Metrics;
use egret::store::Store;
use egret::store::keeper::{Keeper, Wanted, Wiring};
use egret_tests::egret::Egret;
use egret_tests::frames::Frames;
use egret_tests::net::{Namespace, veth};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::wait;

/// The token of the sensor's API.
pub(crate) const TOKEN: &str = "console-test-0123456789abcdef";
/// The day of the demo's captures, as its logs have it and since the epoch.
const DEMO: (&str, u64) = ("2026-03-03", 20_515);
/// When on that day they end.
const ENDS: u64 = 16 * 3600;
const DAY: u64 = 86_400;
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The sensor, and what is around it.
pub(crate) struct Estate {
    pub(crate) sensor: Sensor,
    pub(crate) installation: Installation,
    pub(crate) machine: Namespace,
    /// Alerts that it knows.
    pub(crate) alerts: Vec<Alert>,
    is_over: Arc<AtomicBool>,
    traffic: Option<JoinHandle<()>>,
}

impl Estate {
    /// With the demo's alerts, baseline and assets.
    pub(crate) fn with_demo() -> Self {
        Self::with("", |_| {})
    }

    /// The same with more config, and with alerts that `change` has put in place of the demo's.
    pub(crate) fn with(config: &str, change: impl FnOnce(&mut Vec<Alert>)) -> Self {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
        let demo = fs::read_to_string(captures.join("demo.toml")).unwrap();
        let (_, demo) = demo.split_once("[network]").unwrap();
        let installation = Installation::new(env!("CARGO_BIN_EXE_egret"), "");
        let token = installation.file("token", &format!("{TOKEN}\n"));
        let token = token.display();
        installation.configure(&format!(
            "[network]{demo}\n{config}\n[http]\ntoken_file = \"{token}\"\n\
             [intake.syslog]\nudp = \"127.0.0.1:5514\"\n"
        ));
        let data = installation.config().with_file_name("data");
        let mut alerts = read_demo(&captures, &installation, &data);
        change(&mut alerts);
        keep(&data, &alerts);

        let ends = [Namespace::new("switch"), Namespace::new("sensor")];
        veth((&ends[0], "m0"), (&ends[1], "eth1"));
        let [switch, machine] = ends;
        let sensor = installation.start(&machine, "-i eth1");
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let traffic = std::thread::spawn(move || {
            let frames = Frames::datagrams(2000, 900, 50);
            while !until.load(Ordering::Relaxed) {
                frames.send(&switch, "m0", 2000, Some(1000));
            }
        });
        Self { sensor, installation, machine, alerts, is_over, traffic: Some(traffic) }
    }

    /// Where the page is; `#…` behind it.
    pub(crate) fn address(&self, view: &str) -> String {
        format!("http://127.0.0.1:9477/{view}")
    }

    /// The first alert of an analytic.
    pub(crate) fn alert(&self, analytic: egret::alert::Analytic) -> &Alert {
        self.alerts.iter().find(|alert| alert.analytic == analytic).unwrap()
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(traffic) = self.traffic.take() {
            let _ = traffic.join();
        }
    }
}

/// Has `egret read` learn the demo as if it had been today, and gives the last state of its alerts.
fn read_demo(captures: &Path, installation: &Installation, data: &Path) -> Vec<Alert> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    // The last day on which it would be over.
    let day = (now - ENDS) / DAY;
    let unpacked = |name: &str| {
        let file = fs::File::open(captures.join(name)).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        bytes
    };
    let mut capture = unpacked("demo.pcap.gz");
    shift(&mut capture, (day - DEMO.1) * DAY);
    let log = String::from_utf8(unpacked("demo.log.gz")).unwrap();
    let today = egret::time::Timestamp::from_parts(day * DAY, 0).to_string();
    let log = log.replace(DEMO.0, &today[..10]);
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = installation.config().with_file_name(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let (capture, log) = (write("demo.pcap", &capture), write("demo.log", log.as_bytes()));
    let alerts = installation.config().with_file_name("alerts.jsonl");
    let ran = Egret::new(env!("CARGO_BIN_EXE_egret"))
        .read(capture)
        .arg("--syslog")
        .arg(log)
        .arg("--config")
        .arg(installation.config())
        .args("--learn 6h --quiet --alerts")
        .arg(&alerts)
        .arg("--state")
        .arg(data)
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(alerts).unwrap();
    let mut last: Vec<Alert> = Vec::new();
    for line in text.lines() {
        let alert: Alert = serde_json::from_str(line).unwrap();
        last.retain(|known| known.id != alert.id);
        last.push(alert);
    }
    assert!(last.len() >= 4, "{text}");
    last
}

/// Moves the packets of a capture (pcap, little-endian) by so many seconds.
fn shift(capture: &mut [u8], seconds: u64) {
    let mut at = 24;
    while at + 16 <= capture.len() {
        let number = |place: usize| {
            u32::from_le_bytes(capture[at + place..at + place + 4].try_into().unwrap())
        };
        let (time, length) = (number(0), number(8) as usize);
        let moved = time + u32::try_from(seconds).unwrap();
        capture[at..at + 4].copy_from_slice(&moved.to_le_bytes());
        at += 16 + length;
    }
    assert_eq!(at, capture.len());
}

/// Stores alerts as the sensor would have.
fn keep(data: &Path, alerts: &[Alert]) {
    let wiring = Wiring {
        clock: egret::system::now,
        on_committed: Box::new(|_| {}),
        on_removed: Box::new(|_| {}),
    };
    let store = Store::open(data).unwrap();
    let keeper = Keeper::start(store, Vec::new(), Metrics::new().unwrap(), wiring).unwrap();
    keeper.raise(alerts.to_vec());
    let wanted = alerts.len();
    wait::until("stored", SOON, || {
        let stored = keeper.ask_blocking(|store| store.alerts(&Wanted::default())).unwrap();
        (stored.len() >= wanted).then_some(())
    });
    assert_eq!(keeper.stop(SOON), 0);
}
