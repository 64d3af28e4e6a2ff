//! What stands in the way of the fast path: each is told in the log and the status, and the next best
//! way of capture is taken, never none.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use egret_tests::net::{Namespace, Program};
use egret_tests::sensor::{Installation, Sensor};

use super::endings::{backend, cable, program, until_captured};
use super::pair::COUNTS;
use super::{SOON, installation, turn};

/// Fails when it is not the next best way that captures, or nobody is told why.
fn captures_by_ring(sensor: &mut Sensor, switch: &Namespace, interface: &str, why: &[&str]) {
    until_captured(sensor, switch);
    let labels = [("interface", interface), ("backend", "afpacket")];
    let by_ring = sensor.metrics().count("egret_capture_backend", &labels);
    let way = backend(sensor, interface);
    assert_eq!(by_ring, 1, "{way}");
    assert!(way.contains("AF_PACKET"), "{way}");
    for part in why {
        assert!(way.contains(part), "{part:?} is not in the status: {way}");
        sensor.until_said(part, SOON);
    }
    assert_eq!(sensor.stop(SOON).code(), Some(0), "{}", sensor.said());
}

/// Fails when somebody else's program is replaced or taken off.
#[test]
fn a_program_of_others_stays() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let _theirs = Program::new(&machine, "eth1");
    let before = program(&machine, "eth1");
    assert!(before.is_some());
    for way in [COUNTS, "auto"] {
        let mut sensor = installation("").start(&machine, &format!("-i eth1 --backend {way}"));
        assert_eq!(program(&machine, "eth1"), before);
        captures_by_ring(&mut sensor, &switch, "eth1", &["another XDP program"]);
        assert_eq!(program(&machine, "eth1"), before);
    }
}

/// Fails when a driver without XDP is an end, or its frames are counted by generic XDP unasked.
#[test]
fn a_driver_without_xdp_is_captured_from_by_the_ring() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    machine.ip("link add name span0 link eth1 type macvlan mode passthru");
    machine.up("span0");
    for way in [COUNTS, "auto"] {
        let mut sensor = installation("").start(&machine, &format!("-i span0 --backend {way}"));
        assert_eq!(program(&machine, "span0"), None);
        captures_by_ring(&mut sensor, &switch, "span0", &["XDP", "macvlan"]);
    }
}

/// Fails when a missing right is an end, or it is not named.
#[test]
fn a_missing_right_is_named() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let folder = tempfile::tempdir().unwrap();
    for missing in ["bpf", "net_admin"] {
        // What root may do is what the bounding set leaves.
        let poorer = folder.path().join(missing);
        let text = format!(
            "#!/bin/sh\nexec setpriv --bounding-set=-sys_admin,-{missing} {} \"$@\"\n",
            env!("CARGO_BIN_EXE_egret")
        );
        std::fs::write(&poorer, text).unwrap();
        std::fs::set_permissions(&poorer, std::fs::Permissions::from_mode(0o755)).unwrap();
        let installation = Installation::new(poorer.to_str().unwrap(), "");
        for way in [COUNTS, "auto"] {
            let mut sensor = installation.start(&machine, &format!("-i eth1 --backend {way}"));
            let right = format!("CAP_{}", missing.to_uppercase());
            captures_by_ring(&mut sensor, &switch, "eth1", &[&right]);
        }
    }
}

/// Fails when `auto` takes a slower way than there is, or one that ends packets of a host in the path.
#[test]
fn the_fastest_way_is_taken_unasked() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let in_use = |sensor: &Sensor, way: &str| {
        let labels = [("interface", "eth1"), ("backend", way)];
        sensor.metrics().count("egret_capture_backend", &labels) == 1
    };
    let mut sensor = installation("").start(&machine, "-i eth1");
    assert!(in_use(&sensor, "xdp"), "{}", backend(&sensor, "eth1"));
    until_captured(&sensor, &switch);
    assert!(sensor.stop(SOON).success());

    machine.address("eth1", "10.0.0.1/24");
    switch.address("m0", "10.0.0.2/24");
    let mut sensor = installation("").start(&machine, "-i eth1");
    assert!(in_use(&sensor, "tc"), "{}", backend(&sensor, "eth1"));
    until_captured(&sensor, &switch);
    let listener = machine.enter(|| TcpListener::bind("10.0.0.1:7000")).unwrap();
    let mut call = switch.enter(|| TcpStream::connect("10.0.0.1:7000")).unwrap();
    call.write_all(b"packets of a host in the path pass").unwrap();
    drop(call);
    let mut heard = String::new();
    listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
    assert!(heard.ends_with("pass"), "{heard}");
    assert!(sensor.stop(SOON).success());
}
