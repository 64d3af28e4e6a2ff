//! Interfaces that go and come back: capture goes on, and whoever watches is told.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use egret_tests::frames::Frames;
use egret_tests::net::{Namespace, veth};
use egret_tests::sensor::Sensor;

use super::accounting::cable;
use super::{SOON, installation, packets, turn};

/// How long capture may take to go on when an interface is back.
const BACK: Duration = Duration::from_secs(5);

/// Waits until what is sent to the sensor is captured; gives how long that took.
fn until_captured(sensor: &Sensor, switch: &Namespace) -> Duration {
    let frames = Frames::datagrams(10, 60, 10);
    let (start, before) = (Instant::now(), packets(&sensor.metrics()));
    sensor.until_metrics("captured again", SOON, |samples| {
        frames.send(switch, "m0", 10, None);
        packets(samples) > before
    });
    start.elapsed()
}

fn until_up(sensor: &Sensor, up: bool) {
    let what = if up { "the interface is up" } else { "the interface is away" };
    sensor.until_metrics(what, SOON, |samples| {
        samples.count("egret_interface_up", &[("interface", "eth1")]) == u64::from(up)
    });
}

/// Fails when a sensor that was just installed, and has no card, ends, says that it is ready, or does not
/// say what to set.
#[test]
fn without_an_interface_it_runs_and_says_what_to_set() {
    let Some(_turn) = turn(&[]) else { return };
    let [_switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "");
    let ready = sensor.get("/readyz");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains("capture.interface"), "{ready:?}");
    assert_eq!(packets(&sensor.metrics()), 0);
    sensor.until_said("name one in capture.interface", SOON);
    assert!(sensor.stop(SOON).success());
}

/// Fails when capture does not outlive its interface, or nobody is told.
#[test]
fn capture_goes_on_when_an_interface_comes_back() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "-i eth1");
    until_captured(&sensor, &switch);
    // The kernel takes up to a second to notice a carrier.
    until_up(&sensor, true);

    machine.down("eth1");
    until_up(&sensor, false);
    sensor.until_said("eth1: is down", SOON);
    machine.up("eth1");
    let took = until_captured(&sensor, &switch);
    assert!(took < BACK, "{took:?} after it was down");
    until_up(&sensor, true);
    sensor.until_said("eth1: is up", SOON);

    machine.rename("eth1", "span7");
    let took = until_captured(&sensor, &switch);
    assert!(took < BACK, "{took:?} after it was renamed");
    sensor.until_said("span7", SOON);
    machine.rename("span7", "eth1");
    let took = until_captured(&sensor, &switch);
    assert!(took < BACK, "{took:?} after it was renamed back");
    until_up(&sensor, true);

    for _ in 0..3 {
        machine.delete("eth1");
        until_up(&sensor, false);
        sensor.until_said("eth1: is gone", SOON);
        veth((&switch, "m0"), (&machine, "eth1"));
        let took = until_captured(&sensor, &switch);
        assert!(took < BACK, "{took:?} after it was made again");
        until_up(&sensor, true);
    }
    // What replaced the first interface is promiscuous as that was.
    let flags = machine.ip("-d link show dev eth1");
    assert!(flags.contains("promiscuity 1") || flags.contains("promiscuity 2"), "{flags}");
    assert!(sensor.stop(SOON).success());
}

/// Fails when a host that becomes part of the path stays cut off, because its packets end in the driver.
#[test]
fn packets_pass_once_the_interface_has_an_address() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let mut sensor = installation("").start(&machine, "-i eth1 --backend xdp");
    sensor.until_said("which end here", SOON);
    switch.address("m0", "10.98.0.1/24");
    machine.address("eth1", "10.98.0.2/24");
    // To everyone: what is for this host alone passes in any case.
    let to = switch.enter(|| UdpSocket::bind("10.98.0.1:0")).unwrap();
    to.set_broadcast(true).unwrap();
    let at = machine.enter(|| UdpSocket::bind("0.0.0.0:9898")).unwrap();
    at.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    egret_tests::wait::until("packets pass", BACK, || {
        to.send_to(b"?", "10.98.0.255:9898").unwrap();
        at.recv(&mut [0; 8]).ok()
    });
    assert!(sensor.said().contains("eth1: is in the path of traffic now"), "{}", sensor.said());
    assert!(sensor.stop(SOON).success());
}

/// Fails when one interface's frames are lost, or counted as the other's.
#[test]
fn two_interfaces_are_captured_at_once() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    veth((&switch, "m1"), (&machine, "eth2"));
    let mut sensor = installation("").start(&machine, "-i eth1 -i eth2");
    let frames = Frames::datagrams(1000, 60, 100);
    frames.send(&switch, "m0", 3000, Some(20_000));
    frames.send(&switch, "m1", 5000, Some(20_000));
    super::accounting::accounted(&sensor, 8000);
    let by_name = |name: &str| {
        let status = sensor.get("/api/status").json();
        let interfaces = status["interfaces"].as_array().unwrap().clone();
        interfaces.into_iter().find(|one| one["name"] == name).unwrap()["packets"].as_u64().unwrap()
    };
    let soon = |name: &str, count: u64| {
        egret_tests::wait::until(name, SOON, || (by_name(name) == count).then_some(()));
    };
    soon("eth1", 3000);
    soon("eth2", 5000);
    // One that goes takes nothing with it.
    switch.delete("m1");
    sensor.until_said("eth2: is gone", SOON);
    frames.send(&switch, "m0", 1000, Some(20_000));
    super::accounting::accounted(&sensor, 9000);
    assert!(sensor.stop(SOON).success());
}
