//! Receivers that misbehave: seen in the metrics, and nobody else is the worse for it.

use std::time::Duration;

use egret_tests::net::Namespace;
use egret_tests::receiver::{Behaviour, Receiver};
use egret_tests::sensor::{Installation, Samples, Sensor};
use egret_tests::services::Authority;
use egret_tests::wait;

use super::accounting::{accounted, cable};
use super::hello::{ASSET, Hellos};
use super::{SOON, dropped, installation, turn};

/// The receiver that misbehaves, as metrics name it.
const ILL: &str = "127.0.0.1:8443/ill";
/// The one that does not.
const WELL: &str = "127.0.0.1:8081/well";
/// Alerts sent to both.
const ALERTS: u64 = 4;
/// How long an attempt may take before it counts as failed, and the next one to come.
const RETRIED: Duration = Duration::from_secs(60);

/// One receiver that misbehaves and one that does not, and a sensor that owes them alerts.
struct Scene {
    ill: Receiver,
    well: Receiver,
    switch: Namespace,
    machine: Namespace,
    installation: Installation,
    hellos: Hellos,
}

impl Scene {
    fn new() -> Self {
        let [switch, machine] = cable();
        let authority = Authority::new("Test CA");
        let ill = Receiver::https(&machine, "127.0.0.1:8443", &authority);
        let well = Receiver::http(&machine, "127.0.0.1:8081");
        let installation = installation("");
        let secret = installation.file("secret", Receiver::SECRET);
        let ca = authority.write(secret.parent().unwrap());
        installation.configure(&format!(
            "{ASSET}\n\
             [[deliver.webhook]]\nurl = \"https://{ILL}\"\nsecret_file = \"{secret}\"\n\
             ca_file = \"{ca}\"\n\n\
             [[deliver.webhook]]\nurl = \"http://{WELL}\"\nsecret_file = \"{secret}\"\n",
            secret = secret.display(),
            ca = ca.display(),
        ));
        Self { ill, well, switch, machine, installation, hellos: Hellos::new() }
    }

    fn start(&self) -> Sensor {
        self.installation.start(&self.machine, "-i eth1")
    }

    /// Raises alerts while one receiver does `behaviour`, and sees that this shows, and that
    /// nothing else does. Gives the sensor, still running.
    fn suffer(&self, behaviour: Behaviour) -> Sensor {
        self.ill.behave(behaviour);
        let sensor = self.start();
        let sent = self.hellos.to(0..ALERTS as u32).send_once(&self.switch, "m0").tx_packets;
        wait::until("the other receiver has all", SOON, || {
            (ids(&self.well) == ALERTS as usize).then_some(())
        });
        let samples = sensor.until_metrics("failures are counted", RETRIED, |samples| {
            of(samples, "egret_delivery_failures_total", ILL) > 0
                && of(samples, "egret_delivery_pending", ILL) == ALERTS
        });
        assert_eq!(of(&samples, "egret_alerts_delivered_total", ILL), 0, "{samples}");
        let samples = accounted(&sensor, sent);
        assert_eq!(dropped(&samples), 0, "{samples}");
        assert_eq!(of(&samples, "egret_delivery_failures_total", WELL), 0, "{samples}");
        sensor.until_metrics("the other is owed nothing", SOON, |samples| {
            of(samples, "egret_delivery_pending", WELL) == 0
        });
        assert!(of(&samples, "egret_alerts_delivered_total", WELL) >= ALERTS, "{samples}");
        sensor.until_said(ILL, SOON);
        assert!(!sensor.said().contains(&format!("{WELL} ")), "{}", sensor.said());
        sensor
    }

    /// The receiver is well again: it gets all it is owed, signed.
    fn recover(&self, sensor: &Sensor) {
        self.ill.behave(Behaviour::Takes);
        wait::until("all is delivered", RETRIED, || {
            (ids(&self.ill) == ALERTS as usize).then_some(())
        });
        sensor.until_metrics("nothing is owed", SOON, |samples| {
            of(samples, "egret_delivery_pending", ILL) == 0
        });
        for request in self.ill.taken() {
            assert_eq!(request.signature, Ok(()), "{request:?}");
            // The same try has the same key, whatever came of it the first time.
            assert_eq!(request.header("idempotency-key"), request.header("webhook-id"));
        }
    }
}

fn of(samples: &Samples, name: &str, target: &str) -> u64 {
    samples.count(name, &[("target", target)])
}

/// Different alerts that a receiver has taken.
fn ids(receiver: &Receiver) -> usize {
    let ids = receiver.taken().into_iter().map(|request| request.json()["id"].to_string());
    ids.collect::<std::collections::BTreeSet<_>>().len()
}

/// Fails when a receiver that is ill for a while loses an alert, or holds anyone else up.
#[test]
fn a_receiver_that_fails_for_a_while_gets_all() {
    let Some(_turn) = turn(&[]) else { return };
    for behaviour in [Behaviour::Says(500), Behaviour::Resets, Behaviour::Down] {
        let scene = Scene::new();
        let mut sensor = scene.suffer(behaviour);
        scene.recover(&sensor);
        assert!(sensor.stop(SOON).success(), "{behaviour:?}");
    }
}

/// Fails when a receiver that never answers holds a connection for ever, or others up.
#[test]
fn a_receiver_that_hangs_is_given_up_and_tried_again() {
    let Some(_turn) = turn(&[]) else { return };
    let scene = Scene::new();
    let mut sensor = scene.suffer(Behaviour::Hangs);
    // Whoever ends the sensor does not wait for it either; what it is owed is kept.
    assert!(sensor.stop(Duration::from_secs(10)).success());
    let mut sensor = scene.start();
    scene.recover(&sensor);
    assert!(sensor.stop(SOON).success());
}

/// Fails when a receiver is asked before the time it has named.
#[test]
fn a_busy_receiver_is_asked_when_it_said() {
    let Some(_turn) = turn(&[]) else { return };
    const WAIT: u64 = 7;
    let scene = Scene::new();
    let mut sensor = scene.suffer(Behaviour::Busy(WAIT));
    wait::until("asked twice", RETRIED, || (scene.ill.received().len() >= 2).then_some(()));
    let asked = scene.ill.received();
    let between = asked[1].at - asked[0].at;
    assert!(between >= Duration::from_secs(WAIT), "asked again after {between:?}");
    assert!(between < Duration::from_secs(2 * WAIT), "asked again after {between:?}");
    let circuit = of(&sensor.metrics(), "egret_delivery_circuit_open", ILL);
    assert_eq!(circuit, 1, "nothing is sent meanwhile");
    // Not forgotten over a restart.
    assert!(sensor.stop(SOON).success());
    let mut sensor = scene.start();
    scene.recover(&sensor);
    assert!(sensor.stop(SOON).success());
}

/// Fails when an alert is sent to whoever answers, or nobody is told why it is not.
#[test]
fn an_impostor_gets_nothing() {
    let Some(_turn) = turn(&[]) else { return };
    let scene = Scene::new();
    let mut sensor = scene.suffer(Behaviour::Impostor);
    assert!(scene.ill.received().is_empty(), "it has got an alert");
    sensor.until_said("certificate", SOON);
    assert!(sensor.stop(SOON).success());
}
