//! The sensor as a process: how it ends, what it may do, how it is watched.

use std::time::{Duration, Instant};

use egret_tests::frames::Frames;
use egret_tests::sensor::Samples;
use egret_tests::wait;
use rustix::process::Signal;

use super::accounting::{accounted, cable};
use super::hello::{ASSET, Hellos};
use super::{SOON, dropped, installation, packets, turn};

/// A service manager kills what takes longer; `TimeoutStopSec` is 90 s by default, and the unit's
/// is shorter.
const DRAINED: Duration = Duration::from_secs(15);

/// Fails when the sensor does not end under load, ends with an error, or loses what it has read.
#[test]
fn it_ends_in_order_under_load() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let installation = installation("");
    let events = installation.config().with_file_name("eve.json");
    let arguments = format!("-i eth1 --events {}", events.display());
    let mut sensor = installation.start(&machine, &arguments);
    let frames = Frames::datagrams(100_000, 200, 5000);
    let took = std::thread::scope(|scope| {
        let sender = scope.spawn(|| frames.send(&switch, "m0", 600_000, Some(100_000)));
        sensor.until_metrics("under load", SOON, |samples| packets(samples) > 10_000);
        let start = Instant::now();
        let status = sensor.stop(DRAINED);
        assert_eq!(status.code(), Some(0), "{}", sensor.said());
        let took = start.elapsed();
        sender.join().unwrap();
        took
    });
    eprintln!("ended within {took:?}");
    assert!(sensor.notifications.has("STOPPING=1"));
    // Every conversation that was under way is in the events, and every line is whole.
    let text = std::fs::read_to_string(events).unwrap();
    let lines = egret_tests::egret::json_lines(&text);
    let flows = lines.iter().filter(|line| line["event_type"] == "flow").count();
    assert!(flows >= 1000, "{flows} flows");
    let stats = &lines.last().unwrap()["stats"];
    let count = |layer: &str, name: &str| stats[layer][name].as_u64().unwrap();
    let read = count("decoder", "pkts");
    assert!(read > 10_000, "{stats}");
    assert_eq!(count("capture", "kernel_packets"), read + count("capture", "kernel_drops"));
}

/// Fails when the sensor takes what it does not need, or keeps rights that it needs no more.
#[test]
fn it_keeps_one_right_and_gains_none() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "-i eth1");
    let capabilities = |set: &str| u64::from_str_radix(&sensor.proc_status(set), 16).unwrap();
    const NET_RAW: u64 = 1 << 13;
    assert_eq!(capabilities("CapEff"), NET_RAW);
    assert_eq!(capabilities("CapPrm"), NET_RAW);
    assert_eq!(capabilities("CapBnd") & !NET_RAW, 0);
    assert_eq!(capabilities("CapInh"), 0);
    assert_eq!(capabilities("CapAmb"), 0);
    assert_eq!(sensor.proc_status("NoNewPrivs"), "1");
    // Threads have rights of their own.
    let threads = std::fs::read_dir(format!("/proc/{}/task", sensor.id())).unwrap();
    for thread in threads {
        let path = thread.unwrap().path().join("status");
        let status = std::fs::read_to_string(&path).unwrap();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        assert_eq!(effective.trim(), format!("{NET_RAW:016x}"), "{}", path.display());
    }
    Frames::datagrams(100, 60, 10).send(&switch, "m0", 100, None);
    sensor.until_metrics("it still captures", SOON, |samples| packets(samples) == 100);
    assert!(sensor.stop(SOON).success());
}

/// Fails when the service manager is not told in time that the sensor lives, or is told so although
/// its packet loop hangs.
#[test]
fn the_watchdog_is_fed_by_a_loop_that_runs() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "-i eth1");
    let fed = || sensor.notifications.times("WATCHDOG=1");
    wait::until("fed five times", SOON, || (fed().len() >= 5).then_some(()));
    let longest = fed().windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    // Half of what the service manager was asked for.
    assert!(longest < Duration::from_millis(2500), "{longest:?} without a sign of life");
    assert_eq!(sensor.notifications.times("READY=1").len(), 1);
    sensor.signal(Signal::STOP);
    let stopped = fed().len();
    std::thread::sleep(Duration::from_secs(2));
    assert!(fed().len() <= stopped + 1, "a stopped process says nothing");
    sensor.signal(Signal::CONT);
    wait::until("fed again", SOON, || (fed().len() > stopped + 1).then_some(()));
    assert!(sensor.stop(SOON).success());
    assert!(sensor.notifications.has("STOPPING=1"));
}

/// Fails when one worker that hangs takes the others with it, is not noticed, or costs frames that
/// are not counted.
#[test]
fn a_worker_that_hangs_is_noticed_and_holds_nobody_up() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    // In the kernel nothing is lost while a worker hangs.
    let arguments = "-i eth1 --backend afpacket --set capture.workers=2";
    let mut sensor = installation(ASSET).start(&machine, arguments);
    let frozen = sensor.freeze("egret-work-0");
    // Some conversations are the other worker's: their alerts come all the same.
    let mut sent = Hellos::new().to(0..40).send_once(&switch, "m0").tx_packets;
    let alerts = |samples: &Samples| samples.count("egret_alerts_total", &[]);
    let samples = sensor.until_metrics("alerts", SOON, |samples| alerts(samples) >= 10);
    assert!(alerts(&samples) < 40, "one of two workers stands still");
    // More than the ring of the one that hangs can hold.
    sent += Frames::datagrams(50_000, 1400, 1000).send(&switch, "m0", 100_000, None).tx_packets;

    let healthy = || sensor.get("/healthz").status == 200;
    wait::until("it says that it is ill", SOON, || (!healthy()).then_some(()));
    let fed = || sensor.notifications.times("WATCHDOG=1").len();
    // The service manager hears nothing any more, and starts it anew when its patience ends.
    wait::settled("the watchdog is fed no more", Duration::from_secs(4), SOON, fed);

    drop(frozen);
    wait::until("it is well again", SOON, || healthy().then_some(()));
    let samples = accounted(&sensor, sent);
    let ring = samples.count("egret_capture_dropped_packets_total", &[("reason", "ring")]);
    assert!(ring > 0, "{samples}");
    assert_eq!(ring, dropped(&samples), "under another reason");
    sensor.until_metrics("all alerts", SOON, |samples| alerts(samples) == 40);
    assert!(sensor.stop(SOON).success());
}

/// Fails when a sensor that cannot work looks as if it did, or does not say what to do.
#[test]
fn it_says_why_it_cannot_start() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let installation = installation("");
    let mut sensor = installation.begin(&machine, "-i nothing0");
    assert_eq!(sensor.wait(SOON).code(), Some(1), "{}", sensor.said());
    assert!(sensor.said().contains("nothing0"), "{}", sensor.said());
    assert!(!sensor.notifications.has("READY=1"));
}
