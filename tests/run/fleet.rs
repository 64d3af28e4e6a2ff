//! Several sensors and the NATS servers between them, each on a machine of its own.

use std::time::Duration;

use egret_tests::net::{Backbone, Namespace, veth};
use egret_tests::sensor::{Installation, Sensor};
use egret_tests::services::Nats;
use serde_json::Value;

use super::hello::ASSET;
use super::{SOON, installation, turn};

mod health;

/// What depends on servers that agree on a leader may take so long.
const AGREED: Duration = Duration::from_secs(90);

/// The servers, and machines for sensors.
struct Estate {
    backbone: Backbone,
    nats: Nats,
}

/// A machine with a mirror port and a sensor on it.
struct Rack {
    name: &'static str,
    machine: Namespace,
    /// Its mirror port leads to `m0` there.
    #[allow(dead_code, reason = "the machine at the other end of the cable lives as long")]
    switch: Namespace,
    installation: Installation,
}

impl Estate {
    fn new(servers: u8) -> Self {
        let backbone = Backbone::new();
        let nats = Nats::start(&backbone, servers, "");
        Self { backbone, nats }
    }

    /// A machine whose sensor has this beside `[fleet]` in its config.
    fn rack(&self, name: &'static str, number: u8, config: &str) -> Rack {
        let machine = self.backbone.machine(name, number);
        let switch = Namespace::new("switch");
        veth((&switch, "m0"), (&machine, "eth1"));
        let urls = self.nats.urls();
        let config = format!("{ASSET}\n[fleet]\nservers = {urls}\nsite = \"dc1\"\n{config}");
        let installation = installation("").named(name, &config);
        Rack { name, machine, switch, installation }
    }
}

impl Rack {
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
