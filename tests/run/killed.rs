//! `kill -9` at any moment: what was raised is delivered all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use egret_tests::receiver::{Behaviour, Received, Receiver};
use egret_tests::rng::Rng;
use egret_tests::wait;
use serde_json::Value;

use super::accounting::cable;
use super::evidence::whole;
use super::hello::{ASSET, Hellos};
use super::{SOON, installation, turn};

const ROUNDS: u32 = 50;
/// Alerts a round.
const ALERTS: u32 = 4;
/// The longest that a sensor lives after its alerts are on the wire, in milliseconds.
const LONGEST: u64 = 700;
/// Retries spread; those of the last rounds may take so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Fails when an alert that was on disk is not delivered, or a duplicate cannot be told from
/// another alert.
#[test]
fn no_kill_loses_an_alert() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let receiver = Receiver::http(&machine, "127.0.0.1:8081");
    let installation = installation("");
    let secret = installation.file("secret", Receiver::SECRET);
    installation.configure(&format!(
        "{ASSET}\n[[deliver.webhook]]\nurl = \"http://127.0.0.1:8081/soc\"\n\
         secret_file = \"{}\"\n",
        secret.display()
    ));
    // What it tells is on disk: told in a file of its own, which outlives it.
    let told = secret.with_file_name("told.jsonl");
    let arguments = format!("-i eth1 --alerts {}", told.display());
    let (hellos, mut rng) = (Hellos::new(), Rng::new(50));
    for round in 0..ROUNDS {
        let behaviour = if rng.chance(0.5) { Behaviour::Down } else { Behaviour::Takes };
        receiver.behave(behaviour);
        let mut sensor = installation.start(&machine, &arguments);
        hellos.to(round * ALERTS..(round + 1) * ALERTS).send_once(&switch, "m0");
        std::thread::sleep(Duration::from_millis(rng.below(LONGEST)));
        sensor.kill();
    }
    receiver.behave(Behaviour::Takes);
    let mut sensor = installation.start(&machine, &arguments);
    let stored = || ids(&installation.egret("alerts export").done().json());
    let delivered = || {
        let bodies: Vec<Value> = receiver.taken().iter().map(Received::json).collect();
        ids(&bodies)
    };
    let kept = stored();
    wait::until("all is delivered", PATIENCE, || kept.is_subset(&delivered()).then_some(()));
    assert!(sensor.stop(SOON).success());
    assert!(whole(&installation) >= 1, "packets of alerts");
    let stored = stored();
    let text = std::fs::read_to_string(&told).unwrap_or_default();
    // The last line may have been cut by a kill.
    let told: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(ids(&told).is_subset(&stored), "it told what it did not keep");

    let taken = receiver.taken();
    let mut states: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for request in &taken {
        assert_eq!(request.signature, Ok(()), "{request:?}");
        let key = request.header("webhook-id").unwrap().to_owned();
        let alert = request.json()["id"].as_str().unwrap().to_owned();
        assert!(key.starts_with(&alert), "{key} of {alert}");
        states.entry(key).or_default().insert(request.body.clone());
    }
    assert_eq!(delivered(), stored, "delivered and stored");
    for (key, bodies) in &states {
        assert_eq!(bodies.len(), 1, "one key, different content: {key}: {bodies:#?}");
    }
    let all = (ROUNDS * ALERTS) as usize;
    eprintln!("{} of {all} raised, delivered by {} requests", stored.len(), taken.len());
    assert!(stored.len() > all / 4, "{} of {all} were raised before the kill", stored.len());
}

fn ids(alerts: &[Value]) -> BTreeSet<String> {
    alerts.iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
}
