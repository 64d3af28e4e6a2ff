//! What is learned and said at one sensor is known at another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::time::{SystemTime, UNIX_EPOCH};

use egret_tests::egret::Egret;
use egret_tests::sensor::Sensor;
use egret_tests::services::Nats;
use egret_tests::wait;
use egret_tests::wire::{Capture, Resolution};
use serde_json::Value;

use super::super::hello::{Hellos, name};
use super::{AGREED, Estate, Rack, SOON, turn};

/// Where the host always goes, and where it never went.
const USUAL: u32 = 1;
const NEW: u32 = 2;
/// Where it goes that is new at the first sensor.
const OTHER: u32 = 3;
/// Days for which it did.
const DAYS: u64 = 20;
const HOUR: u64 = 3600;

/// Has a sensor learn, before it starts, that the host goes there each hour.
fn teach(rack: &Rack) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let capture = rack.installation.config().with_file_name("month.pcap");
    let file = BufWriter::new(File::create(&capture).unwrap());
    let mut file = Capture::new(file, Resolution::Micros).unwrap();
    let conversation = Hellos::new().conversation(USUAL);
    for hour in 0..DAYS * 24 {
        let begin = now - (DAYS * 24 - hour) * HOUR - 600;
        for (number, frame) in (0u64..).zip(&conversation) {
            let time = begin * 1_000_000_000 + number * 1_000_000;
            file.record(time, frame, frame.len() as u32).unwrap();
        }
    }
    file.finish().unwrap();
    let data = rack.installation.config().with_file_name("data");
    let ran = Egret::new(env!("CARGO_BIN_EXE_egret"))
        .read(capture)
        .args("--learn 60d --quiet --config")
        .arg(rack.installation.config())
        .arg("--state")
        .arg(data)
        .run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

fn count(sensor: &Sensor, family: &str, kind: &str) -> u64 {
    sensor.metrics().count(family, &[("kind", kind)])
}

/// The names of places that stored alerts are about.
fn alerts(rack: &Rack) -> Vec<String> {
    let alerts = rack.installation.egret("alerts export").done().json();
    let told = alerts.iter().filter(|alert| alert["severity"] != "low");
    let sni = told.filter_map(|alert| alert["destination"]["sni"].as_str().map(str::to_owned));
    sni.collect()
}

/// Fails when an asset that comes to another sensor begins from nothing there, when what is new for it is taken for
/// usual, or when what a person says at one sensor is not known at the other.
#[test]
fn what_one_sensor_learned_and_was_told_the_other_knows() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let estate = Estate::new(3);
    let [a, b, c, alone] = [
        estate.rack("rack-a", 11, ""),
        estate.rack("rack-b", 12, ""),
        estate.rack("rack-c", 13, ""),
        estate.rack("rack-d", 14, ""),
    ];
    teach(&a);
    let [mut one, mut other, mut third] = [a.join(), b.join(), c.join()];
    a.raise(USUAL..USUAL + 1);
    moved(&estate);
    // Of whom an alert is raised, is told at once.
    a.raise(OTHER..OTHER + 1);
    wait::until("it is told", AGREED, || {
        (count(&one, "egret_fleet_sent_messages_total", "learned") > 0).then_some(())
    });

    // The host moves to another mirror.
    b.raise(USUAL..USUAL + 1);
    b.raise(NEW..NEW + 1);
    wait::until("what was learned is heard", SOON, || {
        (count(&other, "egret_fleet_received_messages_total", "learned") > 0).then_some(())
    });
    wait::until("the new place is an alert", SOON, || {
        alerts(&b).contains(&name(NEW)).then_some(())
    });
    wait::until("others can hear of it", SOON, || {
        let mut keys = estate.nats.keys("egret_assets").into_iter();
        let key = keys.find(|key| key.ends_with(".dc1.rack-b"))?;
        let told = estate.nats.value("egret_assets", &key);
        told["learned"]["destinations"].get(name(NEW)).map(drop)
    });
    assert!(other.stop(SOON).success());
    let told = alerts(&b);
    assert!(!told.contains(&name(USUAL)), "what is usual for it is not new: {told:?}");
    let learned = b.installation.egret("baseline list --json").done().stdout;
    assert!(learned.contains(&name(USUAL)), "{learned}");
    // The same without others: nobody knows that it is usual.
    alone.installation.configure(super::super::hello::ASSET);
    let mut nobody = alone.start();
    alone.raise(USUAL..USUAL + 1);
    wait::until("an alert", SOON, || alerts(&alone).contains(&name(USUAL)).then_some(()));
    assert!(nobody.stop(SOON).success());

    let mut other = b.join();
    said(&[&a, &b, &c]);

    // It was at all of them; whoever was there first hears the rest when it comes back.
    assert!(one.stop(SOON).success());
    let mut one = a.join();
    for (rack, sensor) in [(&c, &third), (&a, &one)] {
        rack.raise(USUAL..USUAL + 1);
        wait::until("what was learned is heard", SOON, || {
            (count(sensor, "egret_fleet_received_messages_total", "learned") >= 2).then_some(())
        });
    }
    lost(&estate, [&one, &other, &third], &[&a, &b, &c]);
    for sensor in [&mut one, &mut other, &mut third] {
        let refused = sensor.metrics().count("egret_fleet_refused_messages_total", &[]);
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
        assert_eq!(refused, 0, "{}", sensor.said());
    }
    let known = [&a, &b, &c].map(known);
    assert_eq!(known[0], known[1]);
    assert_eq!(known[0], known[2]);
    let places = known[0].keys().collect::<Vec<_>>();
    assert_eq!(places, [&name(USUAL), &name(NEW), &name(OTHER)]);
}

/// Since when the host goes where, as a sensor knows it.
fn known(rack: &Rack) -> BTreeMap<String, Value> {
    let learned = rack.installation.egret("baseline list --json").done().json();
    let host = learned.into_iter().find(|one| one["asset"] == "esxi-01").unwrap();
    let places = host["destinations"].as_array().unwrap();
    let since = |place: &Value| {
        (place["destination"].as_str().unwrap().into(), place["first_seen"].clone())
    };
    places.iter().map(since).collect()
}

/// Streams are lost with all that they held, while sensors are connected: each tells again what was said at it.
fn lost(estate: &Estate, sensors: [&Sensor; 3], racks: &[&Rack; 3]) {
    let approve = format!("baseline approve --asset esxi-01 --sni {}", name(OTHER));
    drop(racks[0].installation.egret(&approve).done());
    until_approved(racks, OTHER);
    let before = estate.nats.keys("egret_approvals");
    assert!(before.len() >= 2, "{before:#?}");
    let heard =
        sensors.map(|sensor| count(sensor, "egret_fleet_received_messages_total", "approval"));
    estate.nats.remove(&["KV_egret_approvals", "KV_egret_assets", "EGRET_ALERTS"]);
    // Who has something to tell finds that they are gone.
    let approve = format!("baseline approve --asset esxi-01 --sni {}", name(USUAL));
    drop(racks[1].installation.egret(&approve).done());
    until_approved(racks, USUAL);
    wait::until("all is there again", AGREED, || {
        before.is_subset(&estate.nats.keys("egret_approvals")).then_some(())
    });
    for (sensor, heard) in sensors.iter().zip(heard) {
        wait::until("what is there is read again", AGREED, || {
            let now = count(sensor, "egret_fleet_received_messages_total", "approval");
            (now > heard).then_some(())
        });
    }
}

/// Waits until all know that this place is approved.
fn until_approved(racks: &[&Rack], place: u32) {
    wait::until("the approval is known", AGREED, || {
        racks.iter().all(|rack| approvals(rack).contains(&name(place))).then_some(())
    });
}

fn approvals(rack: &Rack) -> String {
    rack.installation.egret("baseline approvals").done().stdout
}

/// What assets moved is told each minute, to whoever reads.
fn moved(estate: &Estate) {
    let flows = estate.nats.next("egret.flows.dc1.rack-a", AGREED);
    assert_eq!((&flows["schema"], &flows["sensor"]), (&"egret.flows/1".into(), &"rack-a".into()));
    let moved = &flows["assets"][0];
    assert_eq!((&moved["name"], &moved["role"]), (&"esxi-01".into(), &"esxi".into()), "{flows:#}");
    // One conversation of a few segments.
    let bytes = moved["out_external"].as_u64().unwrap();
    assert!((100..10_000).contains(&bytes), "{flows:#}");
    assert_eq!((&moved["out_internal"], &flows["others"]["assets"]), (&0.into(), &0.into()));
}

/// What a person approves, takes back and acknowledges.
fn said(racks: &[&Rack; 3]) {
    let [a, b, c] = racks;
    let approve = format!("baseline approve --asset esxi-01 --sni {}", name(NEW));
    drop(a.installation.egret(&approve).done());
    until_approved(racks, NEW);
    let listed = approvals(b);
    let number = listed.lines().find(|line| line.contains(&name(NEW))).unwrap();
    let number = number.split_whitespace().next().unwrap();
    drop(b.installation.egret(&format!("baseline unapprove {number}")).done());
    wait::until("it is taken back everywhere", AGREED, || {
        racks.iter().all(|rack| !approvals(rack).contains(&name(NEW))).then_some(())
    });

    let at = |rack: &Rack| {
        let alerts = rack.installation.egret("alerts export").done().json();
        let found = alerts.into_iter().find(|alert| alert["destination"]["sni"] == name(NEW));
        found.map(|alert| (alert["id"].as_str().unwrap().to_owned(), alert["status"].clone()))
    };
    let (id, status) = wait::until("the alert is there", AGREED, || at(a));
    assert_eq!(status, "open");
    drop(a.installation.egret(&format!("alerts ack {id}")).done());
    wait::until("it is acknowledged everywhere", AGREED, || {
        let is = |rack: &Rack| at(rack).is_some_and(|(_, status)| status == "acknowledged");
        (is(b) && is(c)).then_some(())
    });
}
