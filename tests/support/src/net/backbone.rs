//! Machines at one switch that talk with each other, each of which can be cut off.

use std::net::IpAddr;

use super::{Namespace, veth};

/// The network that all of them are in.
const PREFIX: &str = "10.98.0";

/// A switch, and machines at it with an interface `eth0` and an address of one network.
#[derive(Debug)]
pub struct Backbone {
    switch: Namespace,
}

impl Backbone {
    /// Without machines.
    ///
    /// # Panics
    /// When the machine does not allow it.
    #[expect(clippy::new_without_default, reason = "it makes something outside this process")]
    pub fn new() -> Self {
        let switch = Namespace::new("backbone");
        switch.ip("link add br0 type bridge mcast_snooping 0");
        switch.up("br0");
        Self { switch }
    }

    /// A machine, whose address ends with this number.
    ///
    /// # Panics
    /// When there is one of this name already.
    pub fn machine(&self, name: &str, number: u8) -> Namespace {
        let machine = Namespace::new(name);
        self.connect(&machine, name, number);
        machine
    }

    /// Connects a machine that is there.
    ///
    /// # Panics
    /// When there is one of this name already.
    pub fn connect(&self, machine: &Namespace, name: &str, number: u8) {
        veth((&self.switch, name), (machine, "eth0"));
        self.switch.ip(&format!("link set {name} master br0"));
        machine.address("eth0", &format!("{}/24", Self::address(number)));
    }

    /// The address that ends with this number.
    ///
    /// # Panics
    /// Never: it is one.
    pub fn address(number: u8) -> IpAddr {
        format!("{PREFIX}.{number}").parse().expect("an address")
    }

    /// Pulls the cable of a machine.
    pub fn cut(&self, name: &str) {
        self.switch.down(name);
    }

    /// Plugs it in again.
    pub fn mend(&self, name: &str) {
        self.switch.up(name);
    }
}
