//! The network of the tests: hosts behind a switch, and the sensor at the switch's mirror port.
//!
//! ```text
//! guest 10.20.0.21 ──┐
//! files 10.20.0.30 ──┤ bridge ─ mirror0 ══ eth1 sensor
//! web 198.51.100.7 ──┘
//! ```

use std::net::IpAddr;

use super::{Namespace, mirror, veth};
use crate::wire::Endpoint;

/// The switch's end of the cable to the sensor.
const MIRROR: &str = "mirror0";
/// The sensor's end.
const CAPTURED: &str = "eth1";

/// A host at the switch, with its one interface `eth0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// The end of its namespace's name, and its port at the switch.
    pub name: &'static str,
    /// Its address; every other host is on its link.
    pub address: &'static str,
    /// Its MAC address.
    pub mac: &'static str,
}

impl Host {
    /// A virtual machine.
    pub const GUEST: Self = Self { name: "guest", address: "10.20.0.21", mac: "00:50:56:80:00:21" };
    /// A server inside.
    pub const FILES: Self = Self { name: "files", address: "10.20.0.30", mac: "00:50:56:80:00:30" };
    /// A server outside.
    pub const WEB: Self = Self { name: "web", address: "198.51.100.7", mac: "02:00:5e:00:53:07" };

    /// Its address, as a value.
    ///
    /// # Panics
    /// When it is none.
    pub fn ip(&self) -> IpAddr {
        self.address.parse().expect("an address")
    }

    /// An end of a conversation of it.
    ///
    /// # Panics
    /// When its MAC address is none.
    pub fn end(&self, port: u16) -> Endpoint {
        let octets = self.mac.split(':').map(|octet| u8::from_str_radix(octet, 16));
        let octets: Vec<u8> = octets.collect::<Result<_, _>>().expect("a MAC address");
        let mac = octets.try_into().expect("six octets");
        Endpoint { mac, ip: self.ip(), port }
    }
}

/// Which copies the switch makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// Both directions at the guest's port: every frame of its conversations once.
    GuestPort,
    /// Both directions at every port: every frame twice.
    BothPorts,
    /// Only what the guest sends.
    GuestSends,
}

/// The hosts, the switch and the sensor's machine.
#[derive(Debug)]
pub struct Lab {
    /// Where the sensor runs, and what it talks to.
    pub sensor: Namespace,
    /// The switch.
    pub switch: Namespace,
    hosts: Vec<(Host, Namespace)>,
}

impl Lab {
    /// Hosts guest, files and web, with the guest's port mirrored as said.
    ///
    /// # Panics
    /// When the machine does not allow it.
    pub fn new(mirrored: Mirrored) -> Self {
        let switch = Namespace::new("switch");
        let sensor = Namespace::new("sensor");
        switch.ip("link add br0 type bridge mcast_snooping 0");
        switch.up("br0");
        veth((&switch, MIRROR), (&sensor, CAPTURED));
        queue(&switch, MIRROR);
        let hosts = [Host::GUEST, Host::FILES, Host::WEB].map(|host| attach(&switch, host));
        let lab = Self { sensor, switch, hosts: hosts.into() };
        match mirrored {
            Mirrored::GuestPort => lab.mirror(Host::GUEST, &["ingress", "egress"]),
            Mirrored::GuestSends => lab.mirror(Host::GUEST, &["ingress"]),
            Mirrored::BothPorts => {
                for host in [Host::GUEST, Host::FILES, Host::WEB] {
                    lab.mirror(host, &["ingress", "egress"]);
                }
            }
        }
        lab
    }

    /// The interface that the sensor captures from.
    pub const fn captured(&self) -> &'static str {
        CAPTURED
    }

    /// The switch's end of the cable to it.
    pub const fn mirror_port(&self) -> &'static str {
        MIRROR
    }

    /// A host's namespace.
    ///
    /// # Panics
    /// When it is not in this lab.
    pub fn host(&self, host: Host) -> &Namespace {
        let found = self.hosts.iter().find(|(other, _)| *other == host);
        &found.unwrap_or_else(|| panic!("no {host:?} here")).1
    }

    /// Another machine that sees what the sensor's sees, at an interface of the same name.
    ///
    /// # Panics
    /// When the machine does not allow it, or there is one already.
    pub fn another(&self) -> Namespace {
        const ANOTHER: &str = "mirror1";
        let machine = Namespace::new("another");
        veth((&self.switch, ANOTHER), (&machine, CAPTURED));
        queue(&self.switch, ANOTHER);
        mirror(&self.switch, MIRROR, &["egress"], ANOTHER);
        machine
    }

    fn mirror(&self, host: Host, directions: &[&str]) {
        mirror(&self.switch, host.name, directions, MIRROR);
    }
}

/// Has frames wait at a mirror port while the cable to the sensor is full, as far as the kernel can: with
/// XDP at its end it holds 256 of them, and a burst of segments is more.
fn queue(switch: &Namespace, port: &str) {
    switch.tc(&format!("qdisc add dev {port} root pfifo limit 20000"));
}

/// A host at the switch, with routes to all addresses over its link.
fn attach(switch: &Namespace, host: Host) -> (Host, Namespace) {
    let namespace = Namespace::new(host.name);
    veth((switch, host.name), (&namespace, "eth0"));
    switch.ip(&format!("link set {} master br0", host.name));
    namespace.mac("eth0", host.mac);
    namespace.address("eth0", &format!("{}/32", host.address));
    namespace.ip("route add default dev eth0 scope link");
    (host, namespace)
}
