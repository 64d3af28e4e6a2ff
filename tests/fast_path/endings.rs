//! What the sensor leaves on an interface: nothing of its own, and everything of others.

use std::time::{Duration, Instant};

use egret_tests::frames::Frames;
use egret_tests::net::{Namespace, veth};
use egret_tests::sensor::Sensor;
use egret_tests::wait;
use rustix::process::Signal;

use super::pair::COUNTS;
use super::{SOON, installation, packets, turn};

/// A switch and a sensor's machine, with a cable between `m0` and `eth1`.
pub(crate) fn cable() -> [Namespace; 2] {
    let ends = [Namespace::new("switch"), Namespace::new("sensor")];
    veth((&ends[0], "m0"), (&ends[1], "eth1"));
    ends
}

/// The mode and number of the XDP program on an interface.
pub(crate) fn program(machine: &Namespace, interface: &str) -> Option<(u64, u64)> {
    let text = machine.ip(&format!("-d -j link show dev {interface}"));
    let link: serde_json::Value = serde_json::from_str(&text).unwrap();
    let xdp = &link[0]["xdp"];
    Some((xdp["mode"].as_u64()?, xdp["prog"]["id"].as_u64()?))
}

fn until_off(machine: &Namespace) {
    wait::until("no program", SOON, || program(machine, "eth1").is_none().then_some(()));
}

/// How an interface is captured from, as the status says it.
pub(crate) fn backend(sensor: &Sensor, interface: &str) -> String {
    let status = sensor.get("/api/status").json();
    let interfaces = status["interfaces"].as_array().unwrap();
    let it = interfaces.iter().find(|one| one["name"] == interface);
    it.unwrap_or_else(|| panic!("{status}"))["backend"].as_str().unwrap().to_owned()
}

/// Waits until what is sent to the sensor is counted.
pub(crate) fn until_captured(sensor: &Sensor, switch: &Namespace) {
    let frames = Frames::datagrams(10, 60, 10);
    let before = packets(&sensor.metrics());
    sensor.until_metrics("captured", SOON, |samples| {
        frames.send(switch, "m0", 10, None);
        packets(samples) > before
    });
}

/// Fails when a program stays on the interface after an end in order or without, and ends packets
/// there for nobody; or a reload takes it off.
#[test]
fn no_end_leaves_a_program_behind() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let installation = installation("");
    let arguments = format!("-i eth1 --backend {COUNTS}");
    let start = || {
        let sensor = installation.start(&machine, &arguments);
        assert!(program(&machine, "eth1").is_some(), "{}", sensor.said());
        until_captured(&sensor, &switch);
        sensor
    };
    let mut sensor = start();
    let before = program(&machine, "eth1");
    sensor.signal(Signal::HUP);
    sensor.until_said("the config was read again and is in effect", SOON);
    assert_eq!(program(&machine, "eth1"), before, "a reload changes nothing");
    until_captured(&sensor, &switch);
    assert!(sensor.stop(SOON).success());
    until_off(&machine);
    for _ in 0..3 {
        start().kill();
        until_off(&machine);
    }
    assert!(start().stop(SOON).success());
    until_off(&machine);
}

/// Fails when packets that came last are not in what is told at the end.
#[test]
fn the_end_tells_what_the_kernel_counted_last() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = super::pair::Side::start(&machine, "eth1", COUNTS, "");
    let frames = Frames::datagrams(20_000, 200, 50);
    let sent = frames.send(&switch, "m0", 20_000, Some(50_000)).tx_packets;
    // At once: most of it was never told before.
    let said = side.end();
    assert_eq!(said.sent(), (sent, sent * 200));
    assert_eq!(said.conversations.len(), 50);
}

/// Fails when capture does not outlive its interface, or nobody is told by which way it goes on.
#[test]
fn capture_goes_on_when_an_interface_comes_back() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let mut sensor = installation("").start(&machine, &format!("-i eth1 --backend {COUNTS}"));
    until_captured(&sensor, &switch);
    machine.down("eth1");
    sensor.until_said("eth1: is down", SOON);
    machine.up("eth1");
    sensor.until_said("eth1: is up", SOON);
    until_captured(&sensor, &switch);
    assert!(program(&machine, "eth1").is_some(), "a link that was down keeps its program");
    for _ in 0..2 {
        machine.delete("eth1");
        sensor.until_said("eth1: is gone", SOON);
        veth((&switch, "m0"), (&machine, "eth1"));
        let start = Instant::now();
        until_captured(&sensor, &switch);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        // The rights to load a program are given up by then.
        let way = backend(&sensor, "eth1");
        let by_xdp = program(&machine, "eth1").is_some();
        assert_eq!(way.starts_with("XDP"), by_xdp, "{way}");
        assert!(by_xdp || way.contains("AF_PACKET"), "{way}");
    }
    assert!(sensor.stop(SOON).success());
    until_off(&machine);
}

/// Fails when the second of two sensors takes the first one's program off, or captures nothing.
#[test]
fn two_sensors_share_an_interface() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let arguments = format!("-i eth1 --backend {COUNTS}");
    let [one, other] = [installation(""), installation("").at_port(9478)];
    let mut first = one.start(&machine, &arguments);
    let before = program(&machine, "eth1");
    assert!(before.is_some());
    let mut second = other.start(&machine, &arguments);
    assert_eq!(program(&machine, "eth1"), before, "it is the first one's");
    let way = backend(&second, "eth1");
    assert!(way.contains("AF_PACKET") && way.contains("program"), "{way}");
    // What the first one's program ends in the driver comes to nobody else.
    until_captured(&first, &switch);
    second.until_said("program", SOON);
    assert!(second.stop(SOON).success());
    assert_eq!(program(&machine, "eth1"), before);
    until_captured(&first, &switch);
    assert!(first.stop(SOON).success());
    until_off(&machine);
}
