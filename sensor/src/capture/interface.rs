//! Facts about network interfaces: for those who check the machine, and for the way of capture.
//! None of it needs a privilege; what the system does not tell is `None`.

use std::fs;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::str::FromStr;

use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};

mod ethtool;
mod listing;
mod pick;

pub use ethtool::{Channels, Feature, RingSizes};
use listing::Hardware;
pub use pick::{Pick, is_card, pick};

/// The names of all interfaces, in the system's order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in listing::entries() {
        if !names.contains(&entry.name) {
            names.push(entry.name);
        }
    }
    names
}

/// The number of the interface of that name.
pub fn index(name: &str) -> Option<u32> {
    netdevice::name_to_index(control()?, name).ok()
}

/// The name that the interface of that number has now.
pub fn name(index: u32) -> Option<String> {
    netdevice::index_to_name(control()?, index).ok()
}

/// What to tell people who asked for an interface that is not there.
pub fn missing(name: &str) -> String {
    let names = names();
    if names.is_empty() {
        return format!("there is no interface {name}, and no other");
    }
    format!("there is no interface {name}; there are: {}", names.join(", "))
}

/// Whether an interface can receive now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number, which it keeps for as long as it lives, whatever its name is.
    pub index: u32,
    /// Whether it was set up (`ip link set … up`).
    pub up: bool,
    /// Whether it has a carrier.
    pub running: bool,
}

impl Link {
    /// How the interface of that name is.
    pub fn of(name: &str) -> Option<Self> {
        let flags = listing::entries().into_iter().find(|entry| entry.name == name)?.flags;
        let has = |flag: i32| flags & flag as u32 != 0;
        Some(Self { index: index(name)?, up: has(libc::IFF_UP), running: has(libc::IFF_RUNNING) })
    }
}

/// The addresses of the interface of that name.
pub fn addresses(name: &str) -> Vec<IpAddr> {
    let entries = listing::entries().into_iter().filter(|entry| entry.name == name);
    entries.filter_map(|entry| entry.address).collect()
}

/// The addresses of this host, on whichever interface.
pub fn own_addresses() -> Vec<IpAddr> {
    listing::entries().into_iter().filter_map(|entry| entry.address).collect()
}

/// Whether the interface is in the path of traffic, not at its side: this host has an address there,
/// or other interfaces of it (a bridge, a bond, a VLAN, a container) get what comes. Whoever ended its
/// frames would cut somebody off; so it also is where the system does not tell.
pub fn is_in_path(name: &str) -> bool {
    is_loopback(name) || is_part(name) != Some(false) || !addresses(name).iter().all(is_usual)
}

/// Every IPv6 interface has such an address, also where nobody gave it one.
fn is_usual(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Whether it leads nowhere but back to this host.
pub fn is_loopback(name: &str) -> bool {
    hardware(name).is_some_and(|hardware| hardware.kind == libc::ARPHRD_LOOPBACK)
}

/// Whether its frames begin with an Ethernet header.
pub fn is_ethernet(name: &str) -> bool {
    let kinds = [libc::ARPHRD_ETHER, libc::ARPHRD_LOOPBACK];
    hardware(name).is_some_and(|hardware| kinds.contains(&hardware.kind))
}

/// Its own address, where it is of Ethernet.
pub fn hardware_address(name: &str) -> Option<[u8; 6]> {
    is_ethernet(name).then(|| hardware(name).map(|hardware| hardware.address))?
}

fn hardware(name: &str) -> Option<Hardware> {
    let mut entries = listing::entries().into_iter().filter(|entry| entry.name == name);
    entries.find_map(|entry| entry.hardware)
}

/// Whether it bridges, or another interface is made of it; `None` where /sys shows other interfaces
/// than this process has.
fn is_part(name: &str) -> Option<bool> {
    let entries = fs::read_dir(file(name, "")).ok()?;
    let mut names = entries.flatten().map(|entry| entry.file_name());
    Some(names.any(|name| {
        ["bridge", "brport", "master"].iter().any(|what| name == *what)
            || name.as_encoded_bytes().starts_with(b"upper_")
    }))
}

/// What is known of an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The largest packet it takes, in bytes.
    pub mtu: Option<u32>,
    /// Whether it passes on frames for others now, whoever asked for that.
    pub promiscuous: Option<bool>,
    /// Megabits a second.
    pub speed: Option<u32>,
    /// This host's addresses there.
    pub addresses: Vec<IpAddr>,
    /// The driver's name.
    pub driver: Option<String>,
    /// What the card or driver may do to frames (`ethtool -k`).
    pub features: Vec<Feature>,
    /// Frames that wait in the card for the driver (`ethtool -g`).
    pub ring: Option<RingSizes>,
    /// Queues of the card (`ethtool -l`).
    pub channels: Option<Channels>,
    /// What it has received and lost.
    pub counters: Counters,
}

impl Facts {
    /// What is known of the interface of that name now.
    pub fn of(name: &str) -> Self {
        let ethtool = ethtool::Device::new(name);
        let ethtool = ethtool.as_ref();
        let flags = text(name, "flags");
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok());
        Self {
            mtu: number(name, "mtu"),
            promiscuous: flags.map(|flags| flags & libc::IFF_PROMISC as u32 != 0),
            speed: number(name, "speed"),
            addresses: addresses(name),
            driver: ethtool.and_then(ethtool::Device::driver),
            features: ethtool.and_then(ethtool::Device::features).unwrap_or_default(),
            ring: ethtool.and_then(ethtool::Device::ring),
            channels: ethtool.and_then(ethtool::Device::channels),
            counters: Counters::of(name),
        }
    }

    /// Whether a feature is on, by the kernel's name for it: `rx-gro`, `rx-lro`, `rx-gro-hw`,
    /// `rx-vlan-hw-parse`.
    pub fn is_on(&self, feature: &str) -> Option<bool> {
        self.features.iter().find(|known| known.name == feature).map(|known| known.active)
    }
}

/// What the kernel has counted of an interface since it came to be. Which loss a driver counts
/// where differs between drivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received.
    pub packets: Option<u64>,
    /// Their bytes.
    pub bytes: Option<u64>,
    /// Frames with an error on the wire.
    pub errors: Option<u64>,
    /// Frames that the driver or the kernel had no room for.
    pub dropped: Option<u64>,
    /// Frames that the card had no room for.
    pub missed: Option<u64>,
    /// Frames lost to an overrun of the card's queue.
    pub fifo_errors: Option<u64>,
    /// Frames that nobody on this host wanted: usual on a mirror port, and no loss.
    pub nohandler: Option<u64>,
}

impl Counters {
    /// What is counted for the interface of that name.
    pub fn of(name: &str) -> Self {
        let read = |what: &str| number(name, &format!("statistics/rx_{what}"));
        Self {
            packets: read("packets"),
            bytes: read("bytes"),
            errors: read("errors"),
            dropped: read("dropped"),
            missed: read("missed_errors"),
            fifo_errors: read("fifo_errors"),
            nohandler: read("nohandler"),
        }
    }
}

/// A socket to ask the kernel through.
fn control() -> Option<OwnedFd> {
    socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()
}

fn file(name: &str, what: &str) -> PathBuf {
    // A name with a slash is no interface's, and would lead elsewhere.
    let name = name.replace('/', "");
    PathBuf::from("/sys/class/net").join(name).join(what)
}

fn text(name: &str, what: &str) -> Option<String> {
    fs::read_to_string(file(name, what)).ok().map(|text| text.trim().to_owned())
}

fn number<T: FromStr>(name: &str, what: &str) -> Option<T> {
    text(name, what)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_found_by_name_and_by_number() {
        let index = index("lo").expect("every machine has one");
        assert_eq!(name(index).as_deref(), Some("lo"));
        assert!(names().contains(&"lo".to_owned()));
        assert_eq!(Link::of("lo").map(|link| link.index), Some(index));
    }

    #[test]
    fn loopback_is_in_the_path_of_what_this_host_says_to_itself() {
        assert!(is_loopback("lo") && is_in_path("lo") && is_ethernet("lo"));
        assert_eq!(hardware_address("lo"), Some([0; 6]));
    }

    #[test]
    fn what_is_not_there_has_no_facts_and_the_message_names_what_is() {
        for name in ["egret-none", "", "a-name-longer-than-any-interface-has", "../../etc", "lo\0"]
        {
            assert_eq!(index(name), None, "{name}");
            assert_eq!(Link::of(name), None, "{name}");
            assert_eq!(Facts::of(name), Facts::default(), "{name}");
            assert!(!is_ethernet(name), "{name}");
            assert_eq!(hardware_address(name), None, "{name}");
            assert!(missing(name).contains("there are: lo") || missing(name).contains(", lo"));
        }
        assert_eq!(name(u32::MAX), None);
    }

    #[test]
    fn facts_agree_with_what_is_certain_of_loopback() {
        let facts = Facts::of("lo");
        assert!(facts.mtu.is_some_and(|mtu| mtu >= 1500), "{facts:?}");
        // Whether it is, depends on who else captures from it now.
        assert!(facts.promiscuous.is_some());
        assert!(facts.counters.packets.is_some() && facts.counters.missed == Some(0));
        // Its frames never leave memory, so that it can always hold them together.
        assert_eq!(facts.is_on("loopback"), Some(true), "{facts:?}");
        assert_eq!(facts.is_on("no-such-feature"), None);
    }
}
