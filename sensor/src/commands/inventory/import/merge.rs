//! Lines of several sheets put together: one machine a name, one owner an address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::sheet::{Entry, MAX_EACH};
use super::{Counts, Problems};
use crate::config::{Asset, Role};
use crate::text::printable;

/// The most vCenters an import knows.
const MAX_SERVERS: usize = 256;

/// The machines of all files so far, by name.
#[derive(Debug, Default)]
pub(super) struct Machines {
    by_name: BTreeMap<String, Entry>,
    /// The vCenters that were asked, by name or address, in small letters.
    servers: BTreeSet<String>,
}

impl Machines {
    /// Takes a line; why not, where it cannot.
    pub(super) fn add(&mut self, entry: Entry, limit: usize) -> Result<(), String> {
        if let Some(server) = &entry.server
            && self.servers.len() < MAX_SERVERS
        {
            self.servers.insert(server.to_lowercase());
        }
        let full = self.by_name.len() >= limit;
        match self.by_name.get_mut(&entry.name) {
            Some(known) => join(known, entry),
            None if full => Err(format!("more than {limit} machines; the line is left out")),
            None => {
                self.by_name.insert(entry.name.clone(), entry);
                Ok(())
            }
        }
    }

    /// All of them as assets that agree with each other.
    pub(super) fn assets(self, counts: &mut Counts, problems: &mut Problems) -> Vec<Asset> {
        let Self { by_name, servers } = self;
        let mut machines: Vec<Entry> = by_name.into_values().collect();
        settle(&mut machines, |machine| &mut machine.addresses, address_text, problems);
        settle(
            &mut machines,
            |machine| &mut machine.macs,
            |mac| format!("MAC address {mac}"),
            problems,
        );
        let mut assets = Vec::new();
        for machine in machines {
            if machine.addresses.is_empty() && machine.macs.is_empty() {
                counts.without_address += 1;
                continue;
            }
            counts.powered_off += u64::from(machine.off);
            let role = match machine.role.unwrap_or(Role::Other) {
                Role::Guest if is_server(&machine, &servers) => Role::Vcenter,
                role => role,
            };
            assets.push(Asset {
                name: machine.name.into(),
                role,
                addresses: machine.addresses,
                macs: machine.macs,
                host: machine.host,
            });
        }
        assets
    }
}

/// Adds what another line says of the same machine.
fn join(known: &mut Entry, other: Entry) -> Result<(), String> {
    let Entry { role, addresses, macs, host, off, dns, uuid, name, .. } = other;
    known.off |= off;
    known.role = known.role.or(role);
    known.host = known.host.take().or(host);
    known.dns = known.dns.take().or(dns);
    let all_fit = add(&mut known.addresses, addresses) & add(&mut known.macs, macs);
    let same_role = role.is_none() || known.role == role;
    let same_machine = known.uuid.is_none() || uuid.is_none() || known.uuid == uuid;
    known.uuid = known.uuid.take().or(uuid);
    if !all_fit {
        return Err(format!(
            "\"{}\" has more than {MAX_EACH} addresses; the others are left out",
            printable(&name)
        ));
    }
    if same_role && same_machine {
        return Ok(());
    }
    let what = if same_role { "machine" } else { "kind of machine" };
    Err(format!(
        "\"{}\" is the name of another {what} too; both are taken as one asset",
        printable(&name)
    ))
}

/// Adds those of `items` that are new; whether all of them fit.
fn add<T: PartialEq>(known: &mut Vec<T>, items: Vec<T>) -> bool {
    for item in items {
        if known.contains(&item) {
            continue;
        }
        if known.len() >= MAX_EACH {
            return false;
        }
        known.push(item);
    }
    true
}

/// Leaves what several machines claim to the only one of them that runs, else to none.
fn settle<T: Ord + Copy>(
    machines: &mut [Entry],
    of: fn(&mut Entry) -> &mut Vec<T>,
    shown: fn(&T) -> String,
    problems: &mut Problems,
) {
    let mut claims = BTreeMap::<T, Vec<usize>>::new();
    for (at, machine) in machines.iter_mut().enumerate() {
        for item in of(machine) {
            claims.entry(*item).or_default().push(at);
        }
    }
    claims.retain(|_, owners| owners.len() > 1);
    for (item, owners) in claims {
        let entries = || owners.iter().filter_map(|at| machines.get(*at).map(|entry| (*at, entry)));
        let mut running = entries().filter(|(_, entry)| !entry.off);
        let winner = running.next().filter(|_| running.next().is_none()).map(|(at, _)| at);
        let mut names = entries().map(|(_, entry)| printable(&entry.name).to_string());
        let (first, second) = (names.next(), names.next());
        let others = match owners.len() {
            2 => String::new(),
            count => format!(" and {} more", count - 2),
        };
        let verdict = match winner.and_then(|at| machines.get(at)) {
            Some(winner) => format!("left to {}, which runs", printable(&winner.name)),
            None => "left to none, because the wire cannot tell whose it is".to_owned(),
        };
        problems.add(format!(
            "{} is claimed by {}, {}{others}: {verdict}",
            shown(&item),
            first.unwrap_or_default(),
            second.unwrap_or_default(),
        ));
        for at in owners.into_iter().filter(|at| Some(*at) != winner) {
            if let Some(machine) = machines.get_mut(at) {
                of(machine).retain(|one| *one != item);
            }
        }
    }
}

fn address_text(net: &IpNet) -> String {
    format!("address {}", super::address(net))
}

/// Whether this is a vCenter that the export was made from.
fn is_server(machine: &Entry, servers: &BTreeSet<String>) -> bool {
    let called = |name: &str| servers.contains(&name.to_lowercase());
    let has_address = |server: &String| {
        let address = server.parse::<IpAddr>();
        address.is_ok_and(|address| machine.addresses.iter().any(|net| net.addr() == address))
    };
    called(&machine.name)
        || machine.dns.as_deref().is_some_and(called)
        || servers.iter().any(has_address)
}
