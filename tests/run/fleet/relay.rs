//! Relays deliver what sensors raise that deliver nothing themselves.

use std::time::Duration;

use egret_tests::receiver::Behaviour;
use egret_tests::services::Nats;
use egret_tests::wait;

use super::{AGREED, Estate, SOON, turn, until_equal, webhook};

/// What a relay held when it died is given to another within this.
const GIVEN_AGAIN: Duration = Duration::from_secs(90);

/// Fails when an alert is lost that a relay had taken when it was killed, a hostile sensor is believed or holds up
/// others, or a relay without servers or targets starts.
#[test]
fn a_relay_delivers_and_another_takes_over_when_it_is_killed() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let estate = Estate::new(3);
    let soc = estate.soc();
    let a = estate.rack("rack-a", 11, "");
    let [first, second] =
        [estate.rack("relay-1", 21, &webhook()), estate.rack("relay-2", 22, &webhook())];
    let mut sensor = a.join();
    let mut relay = first.installation.relay(&first.machine);
    a.raise(0..4);
    soc.until_told(&a, 0..4, SOON);
    until_equal(&[&a, &first], 4);
    wait::until("it is ready", SOON, || (relay.get("/readyz").status == 200).then_some(()));
    assert_eq!(relay.get("/").status, 200);

    // It has taken them, and the SOC has not answered, when it is killed.
    soc.receiver.behave(Behaviour::Hangs);
    a.raise(4..8);
    let before = soc.receiver.received().len();
    wait::until("the SOC is asked", SOON, || {
        (soc.receiver.received().len() > before).then_some(())
    });
    relay.kill();
    soc.receiver.behave(Behaviour::Takes);
    let mut other = second.installation.relay(&second.machine);
    soc.until_told(&a, 4..8, GIVEN_AGAIN);

    hostile(&estate, &other);
    a.raise(8..12);
    soc.until_told(&a, 8..12, SOON);
    let all = until_equal(&[&a, &second], 12);
    let states = soc.states();
    eprintln!("{all} alerts at the sensor and at the relay, {} states at the SOC", states.len());
    assert!(soc.places().iter().all(|(sensor, _)| sensor == "rack-a"), "{:?}", soc.places());
    for sensor in [&mut sensor, &mut other] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }

    first.installation.configure("");
    let mut alone = first.installation.begin_relay(&first.machine);
    assert_eq!(alone.wait(SOON).code(), Some(2), "{}", alone.said());
    assert!(alone.said().contains("fleet.servers"), "{}", alone.said());
}

/// What a sensor writes that is not as it should be.
fn hostile(estate: &Estate, relay: &egret_tests::sensor::Sensor) {
    let good = relay.get("/api/alerts?limit=1").json()["alerts"][0].clone();
    let spoofed = good.to_string();
    let ahead = |sensor: &str| {
        let mut alert = good.clone();
        alert["sensor"] = sensor.into();
        alert["time"] = "2199-01-01T00:00:00.000000Z".into();
        alert.to_string()
    };
    estate.nats.publish("egret.alert.dc1.rack-x", spoofed.as_bytes());
    estate.nats.publish("egret.alert.dc1.rack-x", ahead("rack-x").as_bytes());
    let newer = br#"{"schema":"egret.alert/9","id":1}"#;
    estate.nats.publish("egret.alert.dc1.rack-x", newer);
    // Far more than any that is well, of which few are taken; then nothing of it is believed.
    let flood: Vec<Vec<u8>> = (0..6_000).map(|_| b"{}".to_vec()).collect();
    estate.nats.publish_all("egret.alert.dc1.rack-y", &flood);
    estate.nats.publish("egret.delivered.dc1.rack-x", br#"{"schema":"egret.delivered/1"}"#);
    relay.until_metrics("what is hostile is refused", AGREED, |samples| {
        let refused =
            |reason| samples.count("egret_fleet_refused_messages_total", &[("reason", reason)]);
        refused("sender") > 0
            && refused("schema") > 0
            && refused("time") > 0
            && refused("form") >= 6_000
    });
}
