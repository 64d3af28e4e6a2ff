//! A mirror that is sent to the sensor's own address.

use std::fs;
use std::net::{SocketAddrV4, UdpSocket};
use std::time::Duration;

use egret_tests::egret::json_lines;
use egret_tests::net::Namespace;
use egret_tests::traffic::{end, path};
use egret_tests::wait;
use egret_tests::wire::tunnel::{self as wrap, Above};
use egret_tests::wire::{Frame, Payload};
use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};

use super::accounting::cable;
use super::{SOON, installation, packets, turn};

const SENSOR: [u8; 4] = [10, 97, 0, 2];

/// A switch that exports a mirror to the sensor's machine.
fn exporter_and_sensor() -> [Namespace; 2] {
    let [switch, machine] = cable();
    switch.address("m0", "10.97.0.1/24");
    machine.address("eth1", "10.97.0.2/24");
    [switch, machine]
}

/// What is mirrored: a datagram of a guest's, to another port in each wrapping.
fn mirrored() -> [(&'static str, u16, Above); 4] {
    type Wrap = fn(&[u8]) -> Above;
    let wrappings: [(_, Wrap); 4] = [
        ("vxlan", wrap::vxlan),
        ("geneve", |frame| wrap::geneve(0x6558, 2, frame)),
        ("gre", |frame| wrap::gre(0, 0x6558, frame)),
        ("erspan", wrap::erspan_2),
    ];
    let mut port = 9000;
    wrappings.map(|(name, wrap)| {
        port += 1;
        let way = path(end("10.20.0.21", 40_000), end("198.51.100.7", port));
        (name, port, wrap(Frame::new(1).udp(&way, Payload::whole(b"mirrored")).bytes()))
    })
}

/// Sends what is above IP as the switch's kernel does.
fn export(switch: &Namespace, above: &Above) {
    switch.enter(|| {
        let (kind, protocol) = (SocketType::RAW, ipproto::RAW);
        // Its own header is needed: the kernel makes one only for a protocol known beforehand.
        let socket = socket(AddressFamily::INET, kind, Some(protocol)).unwrap();
        let frame = wrap::outer(false, above);
        let mut packet = frame[14..].to_vec();
        packet[12..16].copy_from_slice(&[10, 97, 0, 1]);
        packet[16..20].copy_from_slice(&SENSOR);
        let to = SocketAddrV4::new(SENSOR.into(), 0);
        sendto(&socket, &packet, SendFlags::empty(), &to).unwrap();
    });
}

/// ICMP messages with which a machine has refused datagrams and protocols.
fn refusals(machine: &Namespace) -> u64 {
    let counters = machine.enter(|| fs::read_to_string("/proc/thread-self/net/snmp")).unwrap();
    let mut lines = counters.lines().filter(|line| line.starts_with("Icmp:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let mut columns = names.split(' ').zip(values.split(' '));
    columns.find(|(name, _)| *name == "OutDestUnreachs").unwrap().1.parse().unwrap()
}

/// Fails when the kernel tells the exporter that nobody is there, or when what is inside is not read.
/// Without the key it does tell so, else this test would show nothing.
#[test]
fn a_mirror_to_the_sensor_s_address_is_read_and_not_refused() {
    let Some(_turn) = turn(&[]) else { return };
    if fs::exists("/sys/module/ip_gre").unwrap() {
        egret_tests::skip("the kernel module ip_gre refuses GRE by itself");
        return;
    }
    for (config, is_refused) in
        [("", true), ("[capture]\nreceive = [\"vxlan\", \"geneve\", \"gre\"]\n", false)]
    {
        let [switch, machine] = exporter_and_sensor();
        let installation = installation(config);
        let events = installation.file("eve.json", "");
        let arguments = format!("-i eth1 --backend afpacket --events {}", events.display());
        let mut sensor = installation.start(&machine, &arguments);
        for (name, _, above) in mirrored() {
            let before = refusals(&machine);
            export(&switch, &above);
            if is_refused {
                wait::until(name, SOON, || (refusals(&machine) > before).then_some(()));
            }
        }
        sensor.until_metrics("captured", SOON, |samples| packets(samples) >= 4);
        let captured = || packets(&sensor.metrics());
        wait::settled("captured", Duration::from_millis(500), SOON, captured);
        assert!(is_refused || refusals(&machine) == 0);
        assert!(sensor.stop(SOON).success());
        let events = json_lines(&fs::read_to_string(&events).unwrap());
        for (name, port, _) in mirrored() {
            let inside = events.iter().find(|event| event["dest_port"] == port).unwrap();
            assert_eq!(inside["egret"]["tunnel"]["kind"], name);
            assert_eq!(inside["egret"]["tunnel"]["dest_ip"], "10.97.0.2");
        }
    }
}

/// Fails when a port that somebody has stops the sensor, or is not told.
#[test]
fn a_port_that_is_taken_is_told_and_captured() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = exporter_and_sensor();
    let _taken = machine.enter(|| UdpSocket::bind("0.0.0.0:4789")).unwrap();
    let installation = installation("[capture]\nreceive = [\"vxlan\"]\n");
    let mut sensor = installation.start(&machine, "-i eth1 --backend afpacket");
    sensor.until_said("UDP port 4789 is taken", SOON);
    export(&switch, &mirrored()[0].2);
    sensor.until_metrics("captured", SOON, |samples| packets(samples) > 0);
    assert!(sensor.stop(SOON).success());
}
