//! Each sensor says how it is, and every one knows of all.

use egret_tests::services::Nats;
use egret_tests::wait;

use super::{AGREED, Estate, SOON, fleet, names, turn};

/// Fails when a sensor is not known to another, when the loss of a server shows to anybody, or when a
/// sensor that is cut off is not ready, or does not say that it is alone.
#[test]
fn sensors_know_each_other_and_bear_the_loss_of_a_server_and_of_all() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let mut estate = Estate::new(3);
    let [a, b] = [estate.rack("rack-a", 11, ""), estate.rack("rack-b.example", 12, "")];
    let [mut one, mut other] = [a.join(), b.join()];
    let all = ["rack-a", "rack-b.example"];
    wait::until("each knows both", SOON, || {
        [&one, &other].iter().all(|sensor| names(&fleet(sensor)) == all).then_some(())
    });
    let known = fleet(&one);
    assert_eq!(known["connection"]["connected"], true, "{known:#}");
    let told = &known["sensors"][1];
    assert_eq!(told["schema"], "egret.health/1", "{told:#}");
    assert_eq!((&told["site"], &told["problems"]), (&"dc1".into(), &serde_json::json!([])));
    assert_eq!(told["interfaces"][0]["name"], "eth1", "{told:#}");
    assert_eq!(estate.nats.stream("KV_egret_sensors")["num_replicas"], 3);

    // What others write is believed as far as they may write it.
    let hostile = told.to_string().replace("rack-b.example", "rack-a");
    estate.nats.publish("$KV.egret_sensors.dc1.rack-c", hostile.as_bytes());
    estate.nats.publish("$KV.egret_sensors.dc1.rack-d", &[b'['; 12_000]);
    let samples = wait::until("refused and counted", SOON, || {
        assert_eq!(names(&fleet(&one)), all);
        let samples = one.metrics();
        let refused =
            |reason| samples.count("egret_fleet_refused_messages_total", &[("reason", reason)]);
        (refused("sender") > 0 && refused("form") > 0).then_some(samples)
    });
    assert_eq!(samples.count("egret_fleet_connected", &[]), 1);

    let leader = estate.nats.until_led("KV_egret_sensors");
    estate.nats.kill(leader);
    let before = fleet(&one)["sensors"][1]["time"].clone();
    wait::until("news of the other without the leader", AGREED, || {
        (fleet(&one)["sensors"][1]["time"] != before).then_some(())
    });

    estate.backbone.cut(b.name);
    let connected = |sensor: &egret_tests::sensor::Sensor| {
        fleet(sensor)["connection"]["connected"].as_bool().unwrap()
    };
    wait::until("it knows that it is alone", AGREED, || (!connected(&other)).then_some(()));
    let ready = other.get("/readyz");
    assert_eq!(ready.status, 200, "{ready:?}");
    assert!(ready.body.contains("no connection to the fleet"), "{ready:?}");
    assert_eq!(names(&fleet(&other)), all, "as they were");
    assert!(connected(&one));
    estate.backbone.mend(b.name);
    wait::until("it is back", AGREED, || connected(&other).then_some(()));
    for sensor in [&mut one, &mut other] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
}
