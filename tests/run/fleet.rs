//! Several sensors and the NATS servers between them, each on a machine of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use egret_tests::net::{Backbone, Namespace, veth};
use egret_tests::receiver::{Received, Receiver};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::services::Nats;
use egret_tests::wait;
use serde_json::Value;

use super::hello::{ASSET, Hellos};
use super::{SOON, installation, turn};

mod alerts;
mod chaos;
mod credentials;
mod estate;
mod health;
mod hostile;
mod permissions;
mod relay;
mod scale;

/// What depends on servers that agree on a leader may take so long.
const AGREED: Duration = Duration::from_secs(90);

/// Where the SOC is.
const SOC: u8 = 31;
const WEBHOOK: &str = "10.98.0.31:8080";

/// The servers, and machines for sensors.
struct Estate {
    backbone: Backbone,
    nats: Nats,
}

/// The SOC, on a machine of its own.
struct Soc {
    receiver: Receiver,
    #[allow(dead_code, reason = "the receiver's machine lives as long")]
    machine: Namespace,
}

/// A machine with a mirror port and a sensor on it.
struct Rack {
    name: &'static str,
    machine: Namespace,
    /// Its mirror port leads to `m0` there.
    switch: Namespace,
    installation: Installation,
}

impl Estate {
    fn new(servers: u8) -> Self {
        Self::with(servers, "")
    }

    /// With this beside all else in the servers' config.
    fn with(servers: u8, more: &str) -> Self {
        let backbone = Backbone::new();
        let nats = Nats::start(&backbone, servers, more);
        Self { backbone, nats }
    }

    fn soc(&self) -> Soc {
        let machine = self.backbone.machine("soc", SOC);
        Soc { receiver: Receiver::http(&machine, WEBHOOK), machine }
    }

    /// A machine whose sensor has this beside `[fleet]` in its config.
    fn rack(&self, name: &'static str, number: u8, config: &str) -> Rack {
        let machine = self.backbone.machine(name, number);
        let switch = Namespace::new("switch");
        veth((&switch, "m0"), (&machine, "eth1"));
        let installation = installation("").named(name, "");
        Rack { name, machine, switch, installation }.configured(self, config)
    }
}

impl Rack {
    /// With this beside where the servers are in its config.
    fn configured(self, estate: &Estate, config: &str) -> Self {
        let urls = estate.nats.urls();
        let fleet = format!("[fleet]\nservers = {urls}\nsite = \"dc1\"\n");
        self.installation.configure(&format!("{ASSET}\n{fleet}{config}"));
        self
    }

    /// Has its sensor raise an alert for each of `places`.
    fn raise(&self, places: std::ops::Range<u32>) {
        Hellos::new().to(places).send_once(&self.switch, "m0");
    }

    /// Has it reach no server of the fleet, and everything else; or again all.
    fn cut_from_fleet(&self, is_cut: bool) {
        let what = if is_cut { "add" } else { "del" };
        for number in 1..=3 {
            self.machine.ip(&format!("route {what} blackhole 10.98.0.{number}/32"));
        }
    }

    /// All alerts in its database, by id.
    fn stored(&self) -> BTreeMap<String, Stored> {
        let alerts = self.installation.egret("alerts export").done().json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let each = alerts.iter().map(|alert| {
            let [sensor, status] = [&alert["sensor"], &alert["status"]].map(text);
            let count = alert["count"].as_u64().unwrap();
            (text(&alert["id"]), Stored { sensor, status, count })
        });
        each.collect()
    }

    /// Starts its sensor.
    fn start(&self) -> Sensor {
        self.installation.start(&self.machine, "-i eth1")
    }

    /// Starts it, and waits until it is in the fleet.
    fn join(&self) -> Sensor {
        let sensor = self.start();
        sensor.until_metrics("connected to the fleet", AGREED, |samples| {
            samples.count("egret_fleet_sent_messages_total", &[("kind", "health")]) > 0
        });
        sensor
    }
}

/// What of an alert is the same at every sensor.
#[derive(Debug, PartialEq, Eq)]
struct Stored {
    sensor: String,
    status: String,
    count: u64,
}

/// What a sensor knows of all of them.
fn fleet(sensor: &Sensor) -> Value {
    let answer = sensor.get("/api/fleet");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The names of the sensors that one knows.
fn names(fleet: &Value) -> Vec<String> {
    let sensors = fleet["sensors"].as_array().unwrap();
    sensors.iter().map(|one| one["sensor"].as_str().unwrap().to_owned()).collect()
}

/// Sends to the SOC what is of medium severity.
fn webhook() -> String {
    format!("[[deliver.webhook]]\nurl = \"http://{WEBHOOK}/soc\"\n")
}

impl Soc {
    /// How often each state of each alert was taken.
    fn states(&self) -> BTreeMap<String, usize> {
        let mut states = BTreeMap::new();
        for request in self.receiver.taken() {
            let key = request.header("idempotency-key").unwrap().to_owned();
            assert!(key.starts_with(request.json()["id"].as_str().unwrap()), "{key}");
            *states.entry(key).or_default() += 1;
        }
        states
    }

    /// The names of the places that alerts were taken about, by the sensors that raised them.
    fn places(&self) -> BTreeSet<(String, String)> {
        let place = |request: &Received| {
            let alert = request.json();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&alert["sensor"]), text(&alert["destination"]["sni"]))
        };
        self.receiver.taken().iter().map(place).collect()
    }

    /// Waits until it has an alert about each of `places` that `rack` raised.
    fn until_told(&self, rack: &Rack, places: std::ops::Range<u32>, patience: Duration) {
        let wanted: BTreeSet<(String, String)> =
            places.map(|place| (rack.name.to_owned(), super::hello::name(place))).collect();
        wait::until("the SOC has all alerts", patience, || {
            wanted.is_subset(&self.places()).then_some(())
        });
    }
}

/// Waits until all of them have the same alerts of all; how many.
fn until_equal(racks: &[&Rack], least: usize) -> usize {
    let same = || {
        let mut all = racks.iter().map(|rack| rack.stored());
        let first = all.next().unwrap();
        (first.len() >= least && all.all(|other| other == first)).then_some(first.len())
    };
    wait::within(AGREED, same).unwrap_or_else(|| {
        let all: Vec<_> = racks.iter().map(|rack| rack.stored()).collect();
        panic!("not the same everywhere, or fewer than {least}: {all:#?}")
    })
}
