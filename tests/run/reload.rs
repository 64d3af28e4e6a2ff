//! SIGHUP: a good config is taken over, a bad one changes nothing, and neither costs a packet or
//! what was learned.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use egret_tests::frames::Frames;
use egret_tests::sensor::Sensor;
use egret_tests::wait;
use rustix::process::Signal;

use super::accounting::{accounted, cable};
use super::hello::{ASSET, Hellos};
use super::{SOON, dropped, installation, turn};

const RELOADS: u32 = 100;
/// What memory may grow by over 80 reloads, in KiB: a leak of a config each would be more.
const GROWTH: u64 = 4096;

/// What [`Installation::configure`](egret_tests::sensor::Installation) writes before a config.
const LINES_BEFORE: usize = 4;

/// A good config, which differs each time.
fn good(number: u32) -> String {
    format!("{ASSET}\n[detect.tls_egress]\nwindow = \"{}m\"\n", 30 + number)
}

/// A bad one: the window is no duration.
fn bad(number: u32) -> String {
    format!("{ASSET}[detect.tls_egress]\nwindow = \"{number} moons\"\n")
}

/// How often the log has `text`.
fn said(sensor: &Sensor, text: &str) -> usize {
    sensor.said().matches(text).count()
}

/// Sends SIGHUP and waits for what comes of it.
fn reload(sensor: &Sensor, text: &str) {
    let before = said(sensor, text);
    sensor.signal(Signal::HUP);
    let after = || (said(sensor, text) > before).then_some(());
    wait::until(text, SOON, after);
}

/// Fails when a reload loses a packet, memory or what is known, or a bad config is half taken over.
#[test]
fn a_hundred_reloads_cost_nothing() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let installation = installation(&good(0));
    let mut sensor = installation.start(&machine, "-i eth1");
    let hellos = Hellos::new();
    let mut sent = hellos.to(0..3).send_once(&switch, "m0").tx_packets;
    let raised = |count| {
        sensor.until_metrics("alerts", SOON, |s| s.count("egret_alerts_total", &[]) == count);
    };
    raised(3);
    let known = || {
        let assets = sensor.get("/api/assets").json();
        let assets = assets["assets"].as_array().or(assets.as_array()).unwrap().clone();
        let esxi = assets.into_iter().find(|asset| asset["name"] == "esxi-01");
        esxi.map(|asset| asset["first_seen"].to_string())
    };
    let first_seen = wait::until("the asset is known", SOON, known);

    let over = AtomicBool::new(false);
    let frames = Frames::datagrams(20_000, 200, 1000);
    let mut memory = 0;
    sent += std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = 0;
            while !over.load(Ordering::Relaxed) {
                sent += frames.send(&switch, "m0", 2000, Some(10_000)).tx_packets;
            }
            sent
        });
        for number in 1..=RELOADS {
            if number % 2 == 0 {
                installation.configure(&good(number));
                reload(&sensor, "the config was read again and is in effect");
            } else {
                installation.configure(&bad(number));
                reload(&sensor, "the config was not taken over");
            }
            if number == RELOADS / 5 {
                memory = sensor.memory_kib();
            }
        }
        let grown = sensor.memory_kib().saturating_sub(memory);
        over.store(true, Ordering::Relaxed);
        assert!(grown < GROWTH, "{grown} KiB more than {memory}");
        sender.join().unwrap()
    });
    let log = sensor.said();
    let file = installation.config();
    let line = 1 + LINES_BEFORE + bad(99).lines().position(|line| line.contains("moons")).unwrap();
    let wrong = format!("{}:{line}: detect.tls_egress.window = \"99 moons\"", file.display());
    assert!(log.contains(&wrong), "it says {wrong}");

    let samples = accounted(&sensor, sent);
    assert_eq!(dropped(&samples), 0, "{samples}");
    assert_eq!(samples.count("egret_events_dropped_total", &[]), 0);
    assert_eq!(samples.count("egret_config_last_reload_successful", &[]), 1);
    // What was raised before is the same alert still; what was known is known.
    hellos.to(0..4).send_once(&switch, "m0");
    raised(4);
    assert_eq!(known().unwrap(), first_seen);
    assert!(sensor.stop(SOON).success());
}

/// Fails when a reload does not take over what it says, or a bad config shows nowhere.
#[test]
fn a_reload_takes_effect_and_a_bad_one_is_seen() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let installation = installation(ASSET);
    let mut sensor = installation.start(&machine, "-i eth1");
    let hellos = Hellos::new();
    hellos.to(0..1).send_once(&switch, "m0");
    let alerts = || sensor.metrics().count("egret_alerts_total", &[]);
    wait::until("an alert", SOON, || (alerts() == 1).then_some(()));

    installation.configure(&bad(1));
    reload(&sensor, "the config was not taken over");
    assert_eq!(sensor.metrics().count("egret_config_last_reload_successful", &[]), 0);
    let status = sensor.get("/api/status").json();
    assert!(status["reload_error"].to_string().contains("window"), "{status}");

    let approved = "[[approve]]\nasset = [\"esxi-01\"]\ndestination = [\"203.0.0.0/8\"]\n";
    installation.configure(&format!("{ASSET}{approved}"));
    reload(&sensor, "the config was read again and is in effect");
    assert_eq!(sensor.metrics().count("egret_config_last_reload_successful", &[]), 1);
    // The detection thread takes it over when it looks next.
    std::thread::sleep(Duration::from_secs(2));
    hellos.to(5..6).send_once(&switch, "m0");
    sensor.until_metrics("read", SOON, |s| s.count("egret_tls_client_hellos_total", &[]) == 2);

    installation.configure(ASSET);
    reload(&sensor, "the config was read again and is in effect");
    std::thread::sleep(Duration::from_secs(2));
    hellos.to(7..8).send_once(&switch, "m0");
    // Two: the one that was approved was not raised, also not later.
    wait::until("a second alert", SOON, || (alerts() >= 2).then_some(()));
    assert_eq!(alerts(), 2);
    assert!(sensor.stop(SOON).success());
}
