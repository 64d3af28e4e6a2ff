//! Alerts of all sensors reach the SOC, whoever is away, and every sensor has those of all.

use std::time::Duration;

use egret_tests::services::Nats;
use egret_tests::wait;

use super::{AGREED, Estate, SOON, fleet, turn, until_equal, webhook};

/// An alert that somebody held when they died, or that was to be delivered by others, comes within this.
const AT_LAST: Duration = Duration::from_secs(150);

/// Fails when an alert is lost, or told twice where nothing failed, while the leader of the stream dies, a sensor
/// is cut off from the servers, or one is killed; or when the sensors do not have the same alerts in the end.
#[test]
fn every_alert_reaches_the_soc_and_every_sensor() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let mut estate = Estate::new(3);
    let soc = estate.soc();
    let racks = [
        estate.rack("rack-a", 11, &webhook()),
        estate.rack("rack-b", 12, &webhook()),
        estate.rack("rack-c", 13, &webhook()),
    ];
    let [a, b, c] = &racks;
    let [mut one, mut two, mut three] = [a.join(), b.join(), c.join()];

    a.raise(0..4);
    b.raise(4..8);
    soc.until_told(a, 0..4, SOON);
    soc.until_told(b, 4..8, SOON);
    let kept = until_equal(&[a, b, c], 8);
    let states = soc.states();
    assert!(states.values().all(|times| *times == 1), "all is well, and twice: {states:#?}");
    let nobody = |sensor: &egret_tests::sensor::Sensor| {
        let pending = |samples: &egret_tests::sensor::Samples| {
            samples.count("egret_delivery_pending", &[]) == 0
        };
        sensor.until_metrics("nothing is owed", SOON, pending);
    };
    [&one, &two, &three].into_iter().for_each(nobody);
    let listed = one.get("/api/alerts?limit=100").json();
    let listed = listed["alerts"].as_array().unwrap();
    assert!(listed.iter().any(|alert| alert["sensor"] == "rack-b"), "{listed:#?}");
    let table = c.installation.egret("alerts list").done().stdout;
    assert!(table.contains("SENSOR") && table.contains("rack-b"), "{table}");
    eprintln!("{kept} alerts at each of three sensors, each once at the SOC");

    // The leader dies, and the others agree on another.
    let leader = estate.nats.until_led("EGRET_ALERTS");
    estate.nats.kill(leader);
    b.raise(8..12);
    soc.until_told(b, 8..12, AT_LAST);
    estate.nats.begin(leader);

    // A sensor that reaches no server delivers itself, and others hear of it later.
    a.cut_from_fleet(true);
    wait::until("it knows that it is alone", AGREED, || {
        (fleet(&one)["connection"]["connected"] == false).then_some(())
    });
    a.raise(12..16);
    soc.until_told(a, 12..16, SOON);
    b.raise(16..20);
    soc.until_told(b, 16..20, AT_LAST);
    a.cut_from_fleet(false);
    until_equal(&[a, b, c], 20);
    let states = soc.states();
    let again = states.values().filter(|times| **times > 1).count();
    eprintln!("{} states at the SOC, {again} of them more than once", states.len());

    // Killed at any moment: what it raised is on disk, what it had taken is given to another.
    for round in 0..3 {
        let first = 20 + 4 * round;
        let before = own(c);
        c.raise(first..first + 4);
        wait::until("it has raised one more", SOON, || (own(c) > before).then_some(()));
        three.kill();
        three = c.start();
    }
    let raised = own(c);
    wait::until("all that it raised is at the SOC", AT_LAST, || {
        let told = soc.places().into_iter().filter(|(sensor, _)| sensor == "rack-c").count();
        (told >= raised).then_some(())
    });
    estate.nats.until_well();
    let kept = until_equal(&[a, b, c], 20 + raised);
    eprintln!(
        "{kept} alerts at each of them after all that, {raised} of a sensor killed three times"
    );
    for sensor in [&mut one, &mut two, &mut three] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
}

/// Alerts in a sensor's database that it raised itself.
fn own(rack: &super::Rack) -> usize {
    rack.stored().values().filter(|alert| alert.sensor == rack.name).count()
}
