//! Any part is killed at any moment: nothing that was raised is lost, and in the end all have the same.

use std::collections::BTreeSet;
use std::time::Duration;

use egret_tests::rng::Rng;
use egret_tests::services::Nats;
use egret_tests::wait;

use super::{Estate, Rack, SOON, turn, until_equal, webhook};

const ROUNDS: u32 = 12;
/// Alerts a round.
const ALERTS: u32 = 3;
/// The longest that a round is left alone, in milliseconds.
const LONGEST: u64 = 1500;
/// What was held by whoever died is given to another, and pauses have grown meanwhile.
const AT_LAST: Duration = Duration::from_secs(180);

/// The alerts that a sensor has raised itself, as it keeps them.
fn raised(rack: &Rack) -> BTreeSet<String> {
    let of_it = rack.stored().into_iter().filter(|(_, alert)| alert.sensor == rack.name);
    of_it.map(|(id, _)| id).collect()
}

/// A person at a machine sees the first open alert that is there, and approves one place.
fn speak(rack: &Rack, round: u32) {
    if let Some((id, _)) = rack.stored().into_iter().find(|(_, alert)| alert.status == "open") {
        drop(rack.installation.egret(&format!("alerts ack {id}")).done());
    }
    drop(
        rack.installation
            .egret(&format!("baseline approve --asset esxi-01 --sni said-{round}.example"))
            .done(),
    );
}

/// The names of what is approved there.
fn approved(rack: &Rack) -> BTreeSet<String> {
    let listed = rack.installation.egret("baseline approvals").done().stdout;
    let said = listed.split_whitespace().filter(|word| word.contains("said-"));
    said.map(|word| word.trim_matches(|one: char| !one.is_alphanumeric()).to_owned()).collect()
}

/// Fails when an alert that is on a sensor's disk is not at the SOC in the end, when two alerts share a key, or when
/// sensors and relay do not have the same alerts, or what people said at any of them.
#[test]
fn nothing_is_lost_whatever_is_killed() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let mut estate = Estate::new(3);
    let soc = estate.soc();
    let [a, b] = [estate.rack("rack-a", 11, &webhook()), estate.rack("rack-b", 12, "")];
    let c = estate.rack("relay-1", 21, &webhook());
    let [mut one, mut two] = [a.join(), b.join()];
    let mut relay = c.installation.relay(&c.machine);
    let mut rng = Rng::new(17);
    for round in 0..ROUNDS {
        let places = round * ALERTS..(round + 1) * ALERTS;
        if rng.chance(0.5) {
            a.raise(places);
        } else {
            b.raise(places);
        }
        std::thread::sleep(Duration::from_millis(rng.below(LONGEST)));
        if round % 2 == 0 {
            speak([&a, &b, &c][rng.below(3) as usize], round);
        }
        // Each of them in turn, and when is chance.
        let victim = round % 4;
        match victim {
            0 => {
                one.kill();
                one = a.start();
            }
            1 => {
                two.kill();
                two = b.start();
            }
            2 => {
                relay.kill();
                relay = c.installation.relay(&c.machine);
            }
            _ => {
                let server = rng.below(3) as usize;
                estate.nats.kill(server);
                estate.nats.begin(server);
            }
        }
        eprintln!(
            "round {round}: {}",
            ["rack-a", "rack-b", "the relay", "a server"][victim as usize]
        );
    }
    estate.nats.until_well();
    let all: BTreeSet<String> = raised(&a).union(&raised(&b)).cloned().collect();
    assert!(all.len() > (ROUNDS * ALERTS) as usize / 3, "{} were raised", all.len());
    wait::until("all that was raised is at the SOC", AT_LAST, || {
        let told = soc.receiver.taken();
        let told: BTreeSet<String> =
            told.iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect();
        all.is_subset(&told).then_some(())
    });
    let kept = until_equal(&[&a, &b, &c], all.len());
    wait::until("what was said is known everywhere", AT_LAST, || {
        let all = [&a, &b, &c].map(approved);
        all.iter().all(|one| one.len() == ROUNDS as usize / 2 && *one == all[0]).then_some(())
    });
    let seen = a.stored().values().filter(|alert| alert.status == "acknowledged").count();
    assert!(seen > 1, "{seen} were acknowledged");
    let states = soc.states();
    let again = states.values().filter(|times| **times > 1).count();
    eprintln!(
        "{} raised, {kept} at each of three, {seen} of them acknowledged; {again} of {} states more than once at the SOC",
        all.len(),
        states.len()
    );
    for sensor in [&mut one, &mut two, &mut relay] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
}
