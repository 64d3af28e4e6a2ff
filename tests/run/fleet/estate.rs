//! What is learned and said at one sensor is known at another.

use std::fs::File;
use std::io::BufWriter;
use std::time::{SystemTime, UNIX_EPOCH};

use egret_tests::egret::Egret;
use egret_tests::sensor::Sensor;
use egret_tests::services::Nats;
use egret_tests::wait;
use egret_tests::wire::{Capture, Resolution};

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
    let estate = Estate::new(1);
    let [a, b, alone] = [
        estate.rack("rack-a", 11, ""),
        estate.rack("rack-b", 12, ""),
        estate.rack("rack-c", 13, ""),
    ];
    teach(&a);
    let [mut one, mut other] = [a.join(), b.join()];
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
    assert!(other.stop(SOON).success());
    let told = alerts(&b);
    assert!(!told.contains(&name(USUAL)), "what is usual for it is not new: {told:?}");
    let learned = b.installation.egret("baseline list --json").done().stdout;
    assert!(learned.contains(&name(USUAL)), "{learned}");
    // The same without others: nobody knows that it is usual.
    alone.installation.configure(super::super::hello::ASSET);
    let mut three = alone.start();
    alone.raise(USUAL..USUAL + 1);
    wait::until("an alert", SOON, || alerts(&alone).contains(&name(USUAL)).then_some(()));
    assert!(three.stop(SOON).success());

    let mut other = b.join();
    said(&a, &b);
    for sensor in [&mut one, &mut other] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
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
fn said(a: &Rack, b: &Rack) {
    let approvals = |rack: &Rack| rack.installation.egret("baseline approvals").done().stdout;
    let approve = format!("baseline approve --asset esxi-01 --sni {}", name(NEW));
    drop(a.installation.egret(&approve).done());
    wait::until("the approval is known", AGREED, || {
        approvals(b).contains(&name(NEW)).then_some(())
    });
    let listed = approvals(b);
    let number = listed.lines().find(|line| line.contains(&name(NEW))).unwrap();
    let number = number.split_whitespace().next().unwrap();
    drop(b.installation.egret(&format!("baseline unapprove {number}")).done());
    wait::until("it is taken back everywhere", AGREED, || {
        (!approvals(a).contains(&name(NEW))).then_some(())
    });

    let at = |rack: &Rack| {
        let alerts = rack.installation.egret("alerts export").done().json();
        let found = alerts.into_iter().find(|alert| alert["destination"]["sni"] == name(NEW));
        found.map(|alert| (alert["id"].as_str().unwrap().to_owned(), alert["status"].clone()))
    };
    let (id, status) = wait::until("the alert is at both", AGREED, || at(a));
    assert_eq!(status, "open");
    drop(a.installation.egret(&format!("alerts ack {id}")).done());
    wait::until("it is acknowledged at both", AGREED, || {
        at(b).is_some_and(|(_, status)| status == "acknowledged").then_some(())
    });
}
