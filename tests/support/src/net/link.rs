//! Interfaces: pairs of them, what is set on them, what the kernel counted.

use serde_json::Value;

use super::{Namespace, run};

/// What the kernel counted at an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Frames that were received and dropped.
    pub rx_dropped: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// Frames that were not sent, because the other end had no room.
    pub tx_dropped: u64,
}

/// A cable between two namespaces, both ends up.
///
/// # Panics
/// When there is such an interface already.
pub fn veth((left, left_name): (&Namespace, &str), (right, right_name): (&Namespace, &str)) {
    // `name` and `dev` are written out: a short name may be a keyword's beginning.
    left.ip(&format!(
        "link add name {left_name} type veth peer name {right_name} netns {}",
        right.name()
    ));
    left.up(left_name);
    right.up(right_name);
}

impl Namespace {
    /// Brings an interface up.
    pub fn up(&self, interface: &str) {
        self.ip(&format!("link set dev {interface} up"));
    }

    /// Takes an interface down.
    pub fn down(&self, interface: &str) {
        self.ip(&format!("link set dev {interface} down"));
    }

    /// Gives an interface another name; it is down for a moment, as most kernels ask for.
    pub fn rename(&self, interface: &str, name: &str) {
        self.down(interface);
        self.ip(&format!("link set dev {interface} name {name}"));
        self.up(name);
    }

    /// Removes an interface, and with it the other end of a cable.
    pub fn delete(&self, interface: &str) {
        self.ip(&format!("link delete dev {interface}"));
    }

    /// Gives an interface an address, such as `10.0.0.1/24`.
    pub fn address(&self, interface: &str, address: &str) {
        self.ip(&format!("address add {address} dev {interface}"));
    }

    /// Gives an interface a MAC address, such as `00:50:56:80:00:01`.
    pub fn mac(&self, interface: &str, mac: &str) {
        self.ip(&format!("link set dev {interface} address {mac}"));
    }

    /// `ethtool` with this option, such as `-K`, and these settings of an interface.
    pub fn ethtool(&self, option: &str, interface: &str, settings: &str) {
        let mut command = self.command("ethtool");
        run(command.args([option, interface]).args(settings.split_whitespace()));
    }

    /// Lets an interface send every segment as a frame of its own with its checksum filled in, as
    /// they are on a real wire.
    pub fn no_offloads(&self, interface: &str) {
        self.ethtool("-K", interface, "tx off tso off gso off gro off");
    }

    /// What the kernel counted at an interface.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn counters(&self, interface: &str) -> Counters {
        let text = self.ip(&format!("-s -j link show dev {interface}"));
        let value: Value = serde_json::from_str(&text).expect("ip -j prints JSON");
        let count = |way: &str, what: &str| {
            let counted = &value[0]["stats64"][way][what];
            counted.as_u64().unwrap_or_else(|| panic!("no {way} {what} in {text}"))
        };
        Counters {
            rx_packets: count("rx", "packets"),
            rx_bytes: count("rx", "bytes"),
            rx_dropped: count("rx", "dropped"),
            tx_packets: count("tx", "packets"),
            tx_bytes: count("tx", "bytes"),
            tx_dropped: count("tx", "dropped"),
        }
    }
}
