//! The estate: hosts, a vCenter, guests, and the servers of the house they all use.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::{Plan, truth};
use crate::rng::Rng;
use crate::tls::Client;
use crate::wire::{Endpoint, Path};

/// The resolver of the house.
pub(super) const RESOLVER: IpAddr = v4(10, 0, 0, 53);
/// The time server of the house.
pub(super) const TIME_SERVER: IpAddr = v4(10, 0, 0, 123);
/// A filer: NFS, SMB and their helpers.
pub(super) const FILER: IpAddr = v4(10, 0, 8, 10);
/// Where backups go.
pub(super) const BACKUP_SERVER: IpAddr = v4(10, 0, 8, 20);
/// Where they go once they have moved.
pub(super) const OTHER_BACKUP_SERVER: IpAddr = v4(10, 0, 9, 20);

/// The first hop to all that is not in the asset's own segment.
const GATEWAY: [u8; 6] = [0x00, 0x00, 0x0c, 0x07, 0xac, 0x14];
const MANAGEMENT_VLAN: u16 = 10;
const GUEST_VLAN: u16 = 20;
/// Where guests are after a move.
const MOVED_VLAN: u16 = 21;
const SERVICE_VLAN: u16 = 100;

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// VLAN tags on the mirrored port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagging {
    /// None: an access port, or a mirror that takes them off.
    None,
    /// 802.1Q: management and guests each in their own.
    Vlan,
    /// The same inside of an 802.1ad tag.
    Stacked,
}

/// What an asset is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Esxi,
    Vcenter,
    /// A guest where people work.
    Desktop,
    /// A guest that serves, and calls other services.
    Server,
    /// A guest with old software.
    Legacy,
    /// A guest that holds data and rarely calls anyone.
    Database,
}

impl Role {
    pub(super) const fn is_management(self) -> bool {
        matches!(self, Self::Esxi | Self::Vcenter)
    }

    /// Its name in the config.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Esxi => "esxi",
            Self::Vcenter => "vcenter",
            Self::Desktop | Self::Server | Self::Legacy | Self::Database => "guest",
        }
    }

    /// The TLS client it runs.
    pub(super) const fn client(self) -> Client {
        match self {
            Self::Desktop => Client::Browser,
            Self::Legacy => Client::Legacy,
            Self::Esxi | Self::Vcenter | Self::Server | Self::Database => Client::Agent,
        }
    }
}

/// A host or a guest.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) mac: [u8; 6],
    pub(super) v4: Ipv4Addr,
    /// The address it had before it moved.
    former: Option<Ipv4Addr>,
    pub(super) v6: Option<Ipv6Addr>,
    /// Whether the config names it.
    pub(super) configured: bool,
    /// Whether it resolves names over HTTPS, where nobody sees the answers.
    pub(super) asks_over_https: bool,
    vlans: [Option<u16>; 2],
}

impl Asset {
    /// Its address of the same version as `peer`.
    pub(super) fn address_for(&self, peer: IpAddr) -> IpAddr {
        match peer {
            IpAddr::V4(_) => self.v4.into(),
            IpAddr::V6(_) => self.v6.expect("only dual-stack assets use IPv6").into(),
        }
    }

    /// As the truth names it.
    pub(super) fn truth(&self) -> truth::Asset {
        let v6 = self.v6.map(IpAddr::from);
        let former = self.former.map(IpAddr::from);
        let addresses = [IpAddr::from(self.v4)].into_iter().chain(v6).chain(former).collect();
        truth::Asset { name: self.name.clone(), addresses }
    }

    /// The same behind another VLAN, and at another address where one is given.
    pub(super) fn moved(&self, address: Option<Ipv4Addr>) -> Self {
        let [outer, inner] = self.vlans;
        Self {
            name: self.name.clone(),
            v4: address.unwrap_or(self.v4),
            former: address.map(|_| self.v4),
            vlans: [outer, inner.map(|_| MOVED_VLAN)],
            ..*self
        }
    }
}

/// All assets.
#[derive(Debug)]
pub(super) struct Estate {
    pub(super) hosts: Vec<Rc<Asset>>,
    pub(super) vcenter: Rc<Asset>,
    pub(super) guests: Vec<Rc<Asset>>,
    /// MAC addresses of all that are in a segment with others, by address.
    neighbours: BTreeMap<IpAddr, (bool, [u8; 6])>,
}

impl Estate {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut rng = Rng::new(plan.seed).stream("estate");
        let outer = (plan.tagging == Tagging::Stacked).then_some(SERVICE_VLAN);
        let vlans = |id| match plan.tagging {
            Tagging::None => [None, None],
            Tagging::Vlan | Tagging::Stacked => [outer, Some(id)],
        };
        let management = |name: String, role, mac, last| Asset {
            name,
            role,
            mac,
            v4: Ipv4Addr::new(10, 10, 0, last),
            former: None,
            v6: None,
            configured: true,
            asks_over_https: false,
            vlans: vlans(MANAGEMENT_VLAN),
        };
        let hosts = (1..=plan.hosts as u8)
            .map(|n| {
                let mac = [0x00, 0x50, 0x56, 0x6a, 0x00, n];
                management(format!("esxi-{n:02}"), Role::Esxi, mac, 10 + n).into()
            })
            .collect();
        let vcenter_mac = [0x00, 0x50, 0x56, 0x81, 0x00, 0x01];
        let vcenter = management("vcenter-01".into(), Role::Vcenter, vcenter_mac, 10).into();
        let guests = (1..=plan.guests as u16)
            .map(|n| Rc::new(guest(plan, n, vlans(GUEST_VLAN), &mut rng)))
            .collect();
        let mut estate = Self { hosts, vcenter, guests, neighbours: BTreeMap::new() };
        for asset in estate.assets().cloned().collect::<Vec<_>>() {
            estate.place(&asset);
        }
        estate
    }

    /// Puts a guest that moved where it was.
    pub(super) fn replace(&mut self, moved: Asset) {
        self.place(&moved);
        if let Some(guest) = self.guests.iter_mut().find(|guest| guest.name == moved.name) {
            *guest = moved.into();
        }
    }

    fn place(&mut self, asset: &Asset) {
        let is_management = asset.role.is_management();
        for address in [Some(asset.v4.into()), asset.v6.map(IpAddr::from)].into_iter().flatten() {
            self.neighbours.insert(address, (is_management, asset.mac));
        }
    }

    /// Hosts, vCenter and guests.
    pub(super) fn assets(&self) -> impl Iterator<Item = &Rc<Asset>> {
        self.hosts.iter().chain([&self.vcenter]).chain(&self.guests)
    }

    /// The path from a port of an asset to a server inside or outside.
    pub(super) fn path(&self, asset: &Asset, port: u16, to: IpAddr, to_port: u16) -> Path {
        let mac = match self.neighbours.get(&to) {
            Some((is_management, mac)) if *is_management == asset.role.is_management() => *mac,
            _ => GATEWAY,
        };
        Path {
            from: Endpoint { mac: asset.mac, ip: asset.address_for(to), port },
            to: Endpoint { mac, ip: to, port: to_port },
            vlans: asset.vlans,
        }
    }
}

fn guest(plan: &Plan, number: u16, vlans: [Option<u16>; 2], rng: &mut Rng) -> Asset {
    // One of each first, so that every role is there in the smallest estate.
    let role = match number % 10 {
        1 | 5 | 6 | 8 => Role::Desktop,
        3 => Role::Database,
        4 => Role::Legacy,
        _ => Role::Server,
    };
    let kind = match role {
        Role::Desktop => "vdi",
        Role::Database => "db",
        Role::Legacy => "old",
        _ => "app",
    };
    let [high, low] = number.to_be_bytes();
    let has_v6 = rng.chance(plan.ipv6_share);
    let v6 = Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0x250, 0x56ff, 0xfe80, number);
    Asset {
        name: format!("{kind}-{number:02}"),
        role,
        mac: [0x00, 0x50, 0x56, 0x80, high, low],
        v4: Ipv4Addr::new(10, 20, high, low.wrapping_add(10)),
        former: None,
        v6: has_v6.then_some(v6),
        configured: rng.chance(plan.configured_share),
        asks_over_https: number % 9 == 8,
        vlans,
    }
}
