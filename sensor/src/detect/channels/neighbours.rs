//! Who has which address on a link: addresses that two claim, servers of DHCP, and hosts that are new there.
//!
//! Only assets are told of: the one that claims, or whose address is claimed. Bounds: [`HOLDERS`] addresses
//! of all links in each of two generations of a day, [`CLIENTS`] hosts that were given an address in each
//! of two of a month, and of [`LINKS`] links [`SERVERS`] servers each; what is not seen for as long is
//! forgotten. None of it lasts from one run to the next: the first server of a link is taken for its own.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use arrayvec::ArrayVec;

use super::finding::{Finding, crosses};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::decode::dhcp::Addresses;
use crate::decode::{Mac, Vlans};
use crate::detect::recent::Recent;
use crate::event::{Binding, Endpoint, Flow, Neighbour};
use crate::inventory::{AssetId, Inventory};
use crate::time::Timestamp;

/// An address that goes to and fro.
pub(super) const ADDRESS_CONFLICT: Detector = Detector {
    name: "address_conflict",
    title: "Two hosts claim one address",
    detects: "two MAC addresses claim one address by ARP in turns: a poisoned cache, or an address that was \
              given twice",
    techniques: &["T1557.002"],
    most: Severity::Medium,
    prior: (-0.5, "a host with two cards on one link answers by either"),
    reads: &[Reads::Links],
    bound: "3 changes of its holder within 10 min",
    learns: Learns::Usual,
};

/// An address that is another's now.
pub(super) const ADDRESS_MOVED: Detector = Detector {
    name: "address_moved",
    title: "An address is claimed by another host",
    detects: "a MAC address claims by ARP an address that another one held for an hour and more",
    techniques: &["T1557.002"],
    most: Severity::Informational,
    prior: (-3.0, "a service that fails over, or a host that was replaced, does this once"),
    reads: &[Reads::Links],
    bound: "once",
    learns: Learns::Usual,
};

/// A server beside the link's own.
pub(super) const DHCP_SERVER: Detector = Detector {
    name: "dhcp_server",
    title: "A new DHCP server beside the link's own",
    detects: "a DHCP server offers addresses on a link that had another one for an hour and more",
    techniques: &["T1557.003"],
    most: Severity::Medium,
    prior: (-1.5, "servers come in pairs, and a link gets a new one now and then"),
    reads: &[Reads::Links],
    bound: "the first offer; one that names another router or resolver than the server before it weighs more",
    learns: Learns::Usual,
};

/// A host that was given an address.
pub(super) const DHCP_CLIENT: Detector = Detector {
    name: "dhcp_client",
    title: "An address was given to a host that is new",
    detects: "a DHCP server that is an asset gives an address to a MAC address that was given none for a \
              month and is no asset's",
    techniques: &["T1200"],
    most: Severity::Informational,
    prior: (-4.0, "new hosts are somebody's work"),
    reads: &[Reads::Links],
    bound: "the first time in a month",
    learns: Learns::Usual,
};

const TURNS: u32 = 3;
const IN_TURNS: Duration = Duration::from_secs(600);
const SETTLED: Duration = Duration::from_secs(3600);
/// What another router or resolver adds, in nats.
const DIFFERS: f64 = 1.6;
const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);
const HOLDERS: usize = 32_768;
const CLIENTS: usize = 32_768;
const LINKS: usize = 1024;
const SERVERS: usize = 4;

/// Where ARP and DHCP reach: an interface of this sensor and a VLAN.
type Link = (Option<u16>, Vlans);

/// Who has an address, and who else claimed it of late.
#[derive(Debug, Clone, Copy)]
struct Holder {
    mac: Mac,
    since: Timestamp,
    other: Option<Mac>,
    turns: u32,
    turning: Timestamp,
}

/// A server of a link, and what it tells its clients.
#[derive(Debug, Clone)]
struct Server {
    address: Ipv4Addr,
    since: Timestamp,
    gives: [Addresses; 2],
}

/// The memory.
#[derive(Debug)]
pub(super) struct Neighbours {
    holders: Recent<(Link, Ipv4Addr), Holder>,
    servers: Recent<Link, ArrayVec<Server, SERVERS>>,
    clients: Recent<Mac, ()>,
}

impl Neighbours {
    pub(super) fn new() -> Self {
        Self {
            holders: Recent::new(DAY, HOLDERS),
            servers: Recent::new(MONTH, LINKS),
            clients: Recent::new(MONTH, CLIENTS),
        }
    }

    /// Somebody said whose an address is.
    pub(super) fn said(&mut self, inventory: &Inventory, said: &Neighbour) -> [Option<Finding>; 2] {
        match &said.binding {
            Binding::Arp { .. } => [self.claimed(inventory, said), None],
            Binding::Dhcp { server, from, is_granted, routers, resolvers } => {
                let gives = [routers.clone(), resolvers.clone()];
                let by = inventory.at((*server).into()).or_else(|| inventory.at(*from));
                let offered = self.offered(inventory, said, (*server, by), &gives);
                let granted = is_granted.then(|| self.granted(inventory, said, by)).flatten();
                [offered, granted]
            }
        }
    }

    /// A host claims an address.
    fn claimed(&mut self, inventory: &Inventory, said: &Neighbour) -> Option<Finding> {
        let Neighbour { time, address, mac, .. } = *said;
        let key = (link(said), address);
        let first = Holder { mac, since: time, other: None, turns: 0, turning: time };
        let Some(holder) = self.holders.get_mut(key) else {
            self.holders.insert(time, key, first);
            return None;
        };
        if holder.mac == mac {
            return None;
        }
        let before = *holder;
        if time.since(before.turning) > IN_TURNS || before.other.is_none() {
            (holder.turns, holder.turning) = (0, time);
        }
        holder.turns += 1;
        (holder.mac, holder.since, holder.other) = (mac, time, Some(before.mac));
        let asset = whose(inventory, mac, address).or_else(|| inventory.with_mac(before.mac))?;
        let is_back = before.other == Some(mac);
        let examples = vec![before.mac.to_string(), mac.to_string()];
        if crosses(holder.turns, TURNS) && is_back {
            let (turns, since) = (holder.turns, holder.turning);
            let what =
                format!("is at odds over {address}: {} and {mac} claim it in turns", before.mac);
            let counted = ("changes of who claims it", f64::from(turns), f64::from(TURNS));
            let found = Finding::new(&ADDRESS_CONFLICT, asset, since, counted);
            return Some(found.about(address.to_string(), what).with(examples));
        }
        let is_settled = before.other.is_none() && time.since(before.since) >= SETTLED;
        is_settled.then(|| {
            let what = format!("is told of: {mac} claims {address}, which was at {}", before.mac);
            let found = Finding::new(&ADDRESS_MOVED, asset, time, ("changes of holder", 1.0, 1.0));
            found.about(address.to_string(), what).with(examples)
        })
    }

    /// A server offers or gives an address.
    fn offered(
        &mut self,
        inventory: &Inventory,
        said: &Neighbour,
        (server, by): (Ipv4Addr, Option<AssetId>),
        gives: &[Addresses; 2],
    ) -> Option<Finding> {
        let (link, time) = (link(said), said.time);
        if self.servers.get_mut(link).is_none() {
            self.servers.insert(time, link, ArrayVec::new());
        }
        let servers = self.servers.get_mut(link)?;
        if servers.iter().any(|known| known.address == server) {
            return None;
        }
        let own = servers.first().cloned();
        // Of many, the link's own is never forgotten.
        if servers.is_full() {
            servers.remove(1);
        }
        servers.push(Server { address: server, since: time, gives: gives.clone() });
        let own = own.filter(|own| time.since(own.since) >= SETTLED)?;
        let asset = by.or_else(|| whose(inventory, said.mac, said.address))?;
        let differs = own.gives.iter().zip(gives).any(|(own, other)| own != other);
        let what = format!(
            "is told of: {server} gives addresses on a link that {} served{}",
            own.address,
            if differs { ", with another router or resolver" } else { "" }
        );
        let mut found = Finding::new(&DHCP_SERVER, asset, time, ("new servers", 1.0, 1.0));
        found.weight += if differs { DIFFERS } else { 0.0 };
        let given = gives.iter().flatten().map(Ipv4Addr::to_string);
        Some(found.about(server.to_string(), what).with(given.collect()))
    }

    /// A host was given an address.
    fn granted(
        &mut self,
        inventory: &Inventory,
        said: &Neighbour,
        by: Option<AssetId>,
    ) -> Option<Finding> {
        let mac = said.mac;
        let is_known = self.clients.get_mut(mac).is_some() || inventory.with_mac(mac).is_some();
        self.clients.insert(said.time, mac, ());
        let asset = by.filter(|_| !is_known)?;
        let what = format!("gave {} to {mac}, which was given no address before", said.address);
        let found = Finding::new(&DHCP_CLIENT, asset, said.time, ("new hosts", 1.0, 1.0));
        Some(found.about(mac.to_string(), what))
    }
}

/// A conversation that stands for what was said: of the address with itself.
pub(super) fn flow(said: &Neighbour) -> Flow {
    let end = Endpoint { address: IpAddr::V4(said.address), port: 0, mac: Some(said.mac) };
    let (vlans, interface) = (said.vlans, said.interface);
    Flow { vlans, interface, ..Flow::of_nobody(end, said.time) }
}

fn link(said: &Neighbour) -> Link {
    (said.interface, said.vlans)
}

/// The asset that is at a MAC address, else that has the address.
fn whose(inventory: &Inventory, mac: Mac, address: Ipv4Addr) -> Option<AssetId> {
    inventory.with_mac(mac).or_else(|| inventory.at(IpAddr::V4(address)))
}

#[cfg(test)]
mod tests;
