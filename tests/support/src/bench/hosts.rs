//! Who talks in the captures: guests and hosts of an ESXi estate, their resolver, and the world
//! behind the gateway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rng::Rng;
use crate::wire::Endpoint;

/// How many guests there are.
const GUESTS: u64 = 4000;
const GATEWAY: [u8; 6] = [0x00, 0x1c, 0x73, 0, 0, 1];

/// A guest, at a port of its own choice.
pub(super) fn guest(rng: &mut Rng, v6: bool) -> Endpoint {
    let number = rng.below(GUESTS);
    guest_at(rng, number, v6)
}

/// An IPv4 and an IPv6 end of the same guest.
pub(super) fn dual_stack_guest(rng: &mut Rng) -> [Endpoint; 2] {
    let number = rng.below(GUESTS);
    [guest_at(rng, number, false), guest_at(rng, number, true)]
}

fn guest_at(rng: &mut Rng, number: u64, v6: bool) -> Endpoint {
    let [.., high, low] = number.to_be_bytes();
    let ip = if v6 {
        Ipv6Addr::new(0xfd00, 0x20, 0, 0, 0, 0, 0, number as u16).into()
    } else {
        Ipv4Addr::new(10, 20, (number / 250) as u8, (number % 250 + 1) as u8).into()
    };
    Endpoint { mac: [0x00, 0x50, 0x56, 0x80, high, low], ip, port: ephemeral(rng) }
}

/// The management interface of one of 32 ESXi hosts.
pub(super) fn esxi(rng: &mut Rng) -> Endpoint {
    let number = rng.below(32) as u8;
    let ip = Ipv4Addr::new(10, 10, 0, 11 + number).into();
    Endpoint { mac: [0x00, 0x50, 0x56, 0x60, 0, number], ip, port: ephemeral(rng) }
}

/// The resolver.
pub(super) const fn resolver() -> Endpoint {
    Endpoint { mac: GATEWAY, ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 53)), port: 53 }
}

/// A server behind the gateway.
pub(super) const fn server(ip: IpAddr, port: u16) -> Endpoint {
    Endpoint { mac: GATEWAY, ip, port }
}

/// A public IPv4 address.
pub(super) fn public_v4(rng: &mut Rng) -> Ipv4Addr {
    let first = *rng.pick(&[13, 23, 34, 52, 104, 142, 151, 185, 203]);
    Ipv4Addr::new(first, rng.next() as u8, rng.next() as u8, 1 + rng.below(254) as u8)
}

/// A public address.
pub(super) fn public(rng: &mut Rng, v6: bool) -> IpAddr {
    if v6 {
        let [a, b, c, d, e] = std::array::from_fn(|_| rng.next() as u16);
        Ipv6Addr::new(0x2606, a, 0, 0, b, c, d, e).into()
    } else {
        public_v4(rng).into()
    }
}

/// A host name that no other `number` has.
pub(super) fn site(rng: &mut Rng, number: u64) -> String {
    const TOP: [&str; 6] = ["com", "net", "io", "org", "de", "co.uk"];
    let (service, company, top) = (rng.pick(&WORDS), rng.pick(&WORDS), rng.pick(&TOP));
    format!("{service}-{number:x}.{company}{}.{top}", rng.below(500))
}

/// The name of a content network's edge, which many sites are aliases of.
pub(super) fn edge(rng: &mut Rng) -> String {
    format!("{}.edge-network.example", rng.pick(&WORDS))
}

fn ephemeral(rng: &mut Rng) -> u16 {
    rng.range(32_768, 60_999) as u16
}

const WORDS: [&str; 24] = [
    "api",
    "assets",
    "auth",
    "backup",
    "cdn",
    "cloud",
    "data",
    "edge",
    "login",
    "mail",
    "media",
    "metrics",
    "mirror",
    "office",
    "packages",
    "registry",
    "search",
    "static",
    "storage",
    "sync",
    "telemetry",
    "update",
    "vault",
    "video",
];
