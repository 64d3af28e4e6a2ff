//! Approvals in words.

use std::io::{self, Write};

use ipnet::IpNet;
use serde_json::json;

use crate::commands::table::{Cell, Table};
use crate::config::{Approve, NamePattern};
use crate::store::Approval;
use crate::text::printable;

/// Lists what the config approves, then what was approved beside it.
pub(super) fn list(
    config: &[Approve],
    given: &[Approval],
    as_json: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    if as_json {
        for entry in config {
            writeln!(to, "{}", object(entry, None))?;
        }
        for approval in given {
            writeln!(to, "{}", object(&approval.entry, Some(approval)))?;
        }
        return Ok(());
    }
    if config.is_empty() && given.is_empty() {
        return writeln!(to, "nothing is approved; egret baseline approve --help says how to");
    }
    let mut table = Table::new(["NUMBER", "GIVEN (UTC)", "BY", "FOR", "TO", "NOTE"]);
    let note = |entry: &Approve| Cell::name(entry.note.as_deref().unwrap_or_default(), 200);
    let who = |entry: &Approve| Cell::name(&who(entry), 24);
    let place = |entry: &Approve| Cell::name(&place(entry), 30);
    for entry in config {
        let (number, time, person) = (Cell::number("config"), Cell::text(""), Cell::text(""));
        table.row([number, time, person, who(entry), place(entry), note(entry)]);
    }
    for Approval { number, given, person, entry } in given {
        let time = given.people().to_string();
        table.row([
            Cell::number(number),
            Cell::text(time.get(..16).unwrap_or(&time)),
            Cell::name(person, 10),
            who(entry),
            place(entry),
            note(entry),
        ]);
    }
    write!(to, "{}", table.under(""))
}

/// What an approval allows.
pub(super) fn sentence(entry: &Approve) -> String {
    let note = entry.note.as_ref().map_or(String::new(), |note| format!(" ({})", printable(note)));
    format!("{} may reach {}{note}", printable(&who(entry)), printable(&place(entry)))
}

/// Whether an approval has to do with a place, by its registered domain or network: some of the names or
/// addresses there.
pub(super) fn concerns(entry: &Approve, destination: &str) -> bool {
    let within = |name: &str| {
        name == destination
            || name.strip_suffix(destination).is_some_and(|left| left.ends_with('.'))
    };
    let names = |pattern: &NamePattern| match pattern {
        NamePattern::Exact(name) => within(name),
        NamePattern::Below(suffix) => {
            within(suffix.trim_start_matches('.')) || destination.ends_with(suffix.as_str())
        }
    };
    match destination.parse::<IpNet>() {
        Ok(network) => entry.destinations.iter().any(|approved| {
            approved.contains(&network.network()) || network.contains(&approved.network())
        }),
        Err(_) => entry.sni.iter().any(names),
    }
}

fn who(entry: &Approve) -> String {
    let roles: Vec<_> = entry.roles.iter().map(|role| role.name()).collect();
    match (entry.assets.join(", "), roles.join(", ")) {
        (assets, roles) if assets.is_empty() && roles.is_empty() => "everyone".to_owned(),
        (assets, roles) if roles.is_empty() => assets,
        (assets, roles) if assets.is_empty() => format!("role {roles}"),
        (assets, roles) => format!("{assets} as role {roles}"),
    }
}

fn place(entry: &Approve) -> String {
    let any = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(", "));
    let names = any(entry.sni.iter().map(ToString::to_string).collect());
    let networks = any(entry.destinations.iter().map(network).collect());
    let mut place = match (names, networks) {
        (Some(names), Some(networks)) => format!("{names} at {networks}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "any place".to_owned(),
    };
    if let Some(ports) = any(entry.ports.iter().map(u16::to_string).collect()) {
        place += &format!(" on port {ports}");
    }
    place
}

/// A single address without its length, as people write it.
fn network(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

fn object(entry: &Approve, given: Option<&Approval>) -> serde_json::Value {
    let roles: Vec<_> = entry.roles.iter().map(|role| role.name()).collect();
    let names: Vec<_> = entry.sni.iter().map(ToString::to_string).collect();
    let networks: Vec<_> = entry.destinations.iter().map(ToString::to_string).collect();
    json!({
        "number": given.map(|approval| approval.number),
        "given": given.map(|approval| approval.given),
        "by": given.map_or("config", |approval| approval.person.as_str()),
        "asset": entry.assets,
        "role": roles,
        "sni": names,
        "destination": networks,
        "port": entry.ports,
        "note": entry.note,
    })
}
