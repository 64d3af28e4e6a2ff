//! What fifty sensors with a thousand guests cost one of them: the fifty are simulated by their messages.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use egret::exchange::places::part_of;
use egret_tests::frames::Frames;
use egret_tests::services::Nats;
use egret_tests::wait;
use serde_json::{Value, json};

use super::super::hello::Hellos;
use super::{AGREED, Estate, SOON, fleet, names, turn};

const SENSORS: usize = 50;
/// Alerts of each, which is what a site's budget allows in months.
const ALERTS: usize = 20;
/// Guests of all, where each goes, and how many of them come to another sensor at once.
const GUESTS: usize = 1_000;
const DESTINATIONS: usize = 50;
const MOVED: usize = 100;
/// How long traffic is looked at, and how often each tells how it is.
const WATCHED: Duration = Duration::from_secs(30);
const HEALTH: Duration = Duration::from_secs(10);
/// What docs/scale.md states: memory, and bytes a second while nothing happens.
const MOST_KIB: u64 = 64 << 10;
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
    // What is set up at the start is over.
    std::thread::sleep(HEALTH);
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
    eprintln!(
        "{SENSORS} sensors, health of {} bytes: {received} bytes/s received, {sent} sent",
        told[0].1.len()
    );
    assert!(received < MOST_RATE && sent < MOST_RATE, "{received} received, {sent} sent a second");

    let key = wait::until("a baseline", AGREED, || estate.nats.keys("egret_assets").pop_first());
    let template = estate.nats.value("egret_assets", &key);
    let baselines: Vec<_> = (0..GUESTS).map(|guest| learned(&template, guest)).collect();
    let places: Vec<_> = (0..SENSORS).flat_map(places).collect();
    let sizes = [&baselines, &places].map(|all| all.iter().map(|one| one.1.len()).sum::<usize>());
    let of_kind = |kind| {
        let samples = sensor.metrics();
        samples.count("egret_fleet_received_messages_total", &[("kind", kind)]) as usize
    };
    let start = counters().rx_bytes;
    estate.nats.publish_each(&baselines);
    let nothing = counters().rx_bytes - start;
    estate.nats.publish_each(&places);
    wait::until("all places", AGREED, || (of_kind("places") >= places.len()).then_some(()));
    let for_places = counters().rx_bytes - start - nothing;
    eprintln!(
        "{GUESTS} baselines of {} bytes: {nothing} bytes received; {} parts of places, {} bytes: {for_places}",
        sizes[0] / GUESTS,
        places.len(),
        sizes[1]
    );
    assert!(nothing < 100_000, "{nothing} bytes of baselines that nobody asked for");

    let start = counters().rx_bytes;
    let hellos = Hellos::new();
    let each = (0..MOVED).flat_map(|guest| hellos.conversation_of(&address(guest), 1));
    Frames::of(each.collect()).send_once(&rack.switch, "m0");
    wait::until("all that moved are known", AGREED, || (of_kind("learned") >= MOVED).then_some(()));
    let asked = counters().rx_bytes - start;
    eprintln!("{MOVED} guests that moved: {asked} bytes received");
    assert!(asked < 2 * (MOVED * sizes[0] / GUESTS) as u64, "{asked} bytes for {MOVED} guests");
    let grown = sensor.memory_kib().saturating_sub(before);
    eprintln!("{grown} KiB more memory in all");
    assert!(grown < MOST_KIB, "{grown} KiB");
    assert!(sensor.stop(SOON).success());
    let known = rack.installation.egret(&format!("baseline list {} --json", address(0)));
    let known = known.done().json().remove(0);
    assert_eq!(known["destinations"].as_array().map(Vec::len), Some(DESTINATIONS + 1), "{known}");
}

/// The address of a guest.
fn address(guest: usize) -> String {
    format!("10.10.{}.{}", 1 + guest / 200, 1 + guest % 200)
}

/// Where a guest goes: most places are also others', some its own.
fn destinations(guest: usize) -> impl Iterator<Item = String> {
    (0..DESTINATIONS).map(move |number| match number {
        0..40 => format!("all-{number}.example"),
        _ => format!("own-{guest}-{number}.example"),
    })
}

/// What the sensor that has it tells of a guest.
fn learned(template: &Value, guest: usize) -> (String, Vec<u8>) {
    let mut told = template.clone();
    let sensor = format!("dc1.sim-{}", guest % SENSORS);
    let habits = told["learned"]["destinations"].as_object().unwrap();
    let habit = habits.values().next().unwrap().clone();
    let all = destinations(guest).map(|name| (name, habit.clone()));
    told["learned"]["destinations"] = Value::Object(all.collect());
    let (high, low) = (1 + guest / 200, 1 + guest % 200);
    told["identity"] = json!({ "mac": format!("00:50:56:80:{high:02x}:{low:02x}") });
    (told["name"], told["sensor"]) = (address(guest).into(), sensor.as_str().into());
    (
        format!("$KV.egret_assets.00505680{high:02x}{low:02x}.{sensor}"),
        told.to_string().into_bytes(),
    )
}

/// What a sensor tells of where its guests go, part by part.
fn places(number: usize) -> Vec<(String, Vec<u8>)> {
    let sensor = format!("dc1.sim-{number}");
    let mut parts: BTreeMap<u8, BTreeMap<String, [u32; 1]>> = BTreeMap::new();
    for guest in (number..GUESTS).step_by(SENSORS) {
        for place in destinations(guest) {
            parts.entry(part_of(&place)).or_default().entry(place).or_default()[0] += 1;
        }
    }
    let told = parts.into_iter().map(|(part, places)| {
        let told =
            json!({ "schema": "egret.places/1", "sensor": sensor, "part": part, "places": places });
        (format!("$KV.egret_places.{sensor}.{part}"), told.to_string().into_bytes())
    });
    told.collect()
}
