//! What fifty sensors cost one of them: the fifty are simulated by their messages.

use std::time::{Duration, Instant};

use egret_tests::services::Nats;
use egret_tests::wait;

use super::{AGREED, Estate, SOON, fleet, names, turn};

const SENSORS: usize = 50;
/// Alerts of each, which is what a site's budget allows in months.
const ALERTS: usize = 20;
/// How long traffic is looked at, and how often each tells how it is.
const WATCHED: Duration = Duration::from_secs(30);
const HEALTH: Duration = Duration::from_secs(10);
/// What docs/fleet.md states: memory, and bytes a second while nothing happens.
const MOST_KIB: u64 = 32 << 10;
const MOST_RATE: u64 = 2_000;

/// Fails when one sensor does not have what all of them raised, or when they cost it more than the documentation
/// states.
#[test]
fn fifty_sensors_cost_one_of_them_little() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let estate = Estate::new(1);
    let rack = estate.rack("rack-a", 11, "");
    let mut sensor = rack.join();
    rack.raise(0..1);
    let alert = wait::until("an alert", SOON, || {
        let alert = sensor.get("/api/alerts").json()["alerts"][0].clone();
        (!alert.is_null()).then_some(alert)
    });
    let health = fleet(&sensor)["sensors"][0].clone();
    let before = sensor.memory_kib();

    let mut messages = Vec::new();
    for number in 0..SENSORS * ALERTS {
        let name = format!("sim-{}", number % SENSORS);
        let mut one = alert.clone();
        one["id"] = format!("00000000-0000-5000-8000-{number:012x}").into();
        one["sensor"] = name.as_str().into();
        messages.push((format!("egret.alert.dc1.{name}"), one.to_string().into_bytes()));
    }
    let size = messages[0].1.len();
    let begun = Instant::now();
    estate.nats.publish_each(&messages);
    let all = SENSORS * ALERTS + 1;
    wait::until("it has them all", AGREED, || (rack.stored().len() == all).then_some(()));
    eprintln!("{} alerts of {size} bytes within {:?}", all - 1, begun.elapsed());

    let told: Vec<_> = (0..SENSORS)
        .map(|number| {
            let mut one = health.clone();
            one["sensor"] = format!("sim-{number}").into();
            (format!("$KV.egret_sensors.dc1.sim-{number}"), one.to_string().into_bytes())
        })
        .collect();
    let counters = || rack.machine.counters("eth0");
    let (start, since) = (counters(), Instant::now());
    while since.elapsed() < WATCHED {
        estate.nats.publish_each(&told);
        std::thread::sleep(HEALTH);
    }
    let (end, seconds) = (counters(), since.elapsed().as_secs());
    let received = (end.rx_bytes - start.rx_bytes) / seconds;
    let sent = (end.tx_bytes - start.tx_bytes) / seconds;
    assert_eq!(names(&fleet(&sensor)).len(), SENSORS + 1);
    let grown = sensor.memory_kib().saturating_sub(before);
    eprintln!(
        "{SENSORS} sensors, health of {} bytes: {received} bytes/s received, {sent} sent, {grown} KiB more memory",
        told[0].1.len()
    );
    assert!(received < MOST_RATE && sent < MOST_RATE, "{received} received, {sent} sent a second");
    assert!(grown < MOST_KIB, "{grown} KiB");
    assert!(sensor.stop(SOON).success());
}
