//! The sensor as a process: how it ends, what it may do, how it is watched.

use std::time::{Duration, Instant};

use egret_tests::frames::Frames;
use egret_tests::wait;
use rustix::process::Signal;

use super::accounting::cable;
use super::{SOON, installation, packets, turn};

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

/// Fails when a sensor that cannot work looks as if it did, or does not say what to do.
#[test]
fn it_says_why_it_cannot_start() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let installation = installation("");
    let mut sensor = installation.begin(&machine, "-i nothing0");
    assert_eq!(sensor.wait(SOON).code(), Some(1), "{}", sensor.said());
    assert!(sensor.said().contains("nothing0"), "{}", sensor.said());
    let mut sensor = installation.begin(&machine, "");
    assert_eq!(sensor.wait(SOON).code(), Some(2), "{}", sensor.said());
    assert!(sensor.said().contains("eth1"), "it names what there is: {}", sensor.said());
    assert!(!sensor.notifications.has("READY=1"));
}
