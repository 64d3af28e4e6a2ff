//! `[[asset]]` and `[[approve]]`, whose entries must also agree with each other.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::keys::Keys;
use super::kinds::{MAC, NAME_PATTERN, PORT, PREFIX, ROLE, TEXT};
use super::problem::Origin;
use crate::config::{Approve, Asset, Role};
use crate::decode::Mac;

/// What assets have claimed so far, each for one of them only.
#[derive(Default)]
struct Claims {
    names: BTreeMap<String, Origin>,
    addresses: BTreeMap<IpNet, String>,
    macs: BTreeMap<Mac, String>,
}

/// Reads every `[[asset]]`.
pub(super) fn assets(top: &mut Keys<'_, '_>) -> Vec<Asset> {
    let mut claims = Claims::default();
    top.tables("asset", |keys| asset(keys, &mut claims))
}

fn asset(keys: &mut Keys<'_, '_>, claims: &mut Claims) -> Option<Asset> {
    let name = keys.need("name", &TEXT);
    let mut role = Role::Other;
    keys.set("role", &ROLE, &mut role);
    let addresses = keys.placed_list("address", &PREFIX);
    let macs = keys.placed_list("mac", &MAC);
    let mut host = None;
    keys.set("host", &TEXT, &mut host);

    if !keys.is_given("address") && !keys.is_given("mac") {
        let advice = "has neither address nor mac; give one, or it can never be seen";
        keys.note_table(advice);
    }
    let name = name?;
    claim_name(keys, &name, claims);
    let addresses = claim(keys, "address", &name, addresses, &mut claims.addresses);
    let macs = claim(keys, "mac", &name, macs, &mut claims.macs);
    Some(Asset { name: name.into(), role, addresses, macs, host })
}

fn claim_name(keys: &mut Keys<'_, '_>, name: &str, claims: &mut Claims) {
    let at = keys.origin("name");
    if let Some(first) = claims.names.insert(name.to_owned(), at) {
        let place = match first {
            Origin::Line(line) => format!("on line {line}"),
            Origin::Flag => "in --set".to_owned(),
        };
        let advice = format!("\"{name}\" is an asset {place} already; give each its own name");
        keys.note(at, "name", &advice);
    }
}

/// Notes those of `items` that another asset has, or this one twice. A prefix may lie within
/// another: the longest one decides whose an address is.
fn claim<T: Ord + Copy + ToString>(
    keys: &mut Keys<'_, '_>,
    key: &str,
    name: &str,
    items: Option<Vec<(T, Origin)>>,
    claimed: &mut BTreeMap<T, String>,
) -> Vec<T> {
    let mut all = Vec::new();
    for (item, at) in items.unwrap_or_default() {
        if let Some(owner) = claimed.insert(item, name.to_owned()) {
            let item = item.to_string();
            let advice = format!("{item} is given to \"{owner}\" already; leave it at one of them");
            keys.note(at, key, &advice);
        }
        all.push(item);
    }
    all
}

/// Reads one `[[approve]]`.
pub(super) fn approve(keys: &mut Keys<'_, '_>) -> Option<Approve> {
    let mut entry = Approve::default();
    keys.list("role", &ROLE, &mut entry.roles);
    keys.list("asset", &TEXT, &mut entry.assets);
    keys.list("sni", &NAME_PATTERN, &mut entry.sni);
    keys.list("destination", &PREFIX, &mut entry.destinations);
    keys.list("port", &PORT, &mut entry.ports);
    keys.set("note", &TEXT, &mut entry.note);
    let conditions = ["role", "asset", "sni", "destination", "port"];
    if !conditions.iter().any(|key| keys.is_given(key)) {
        let advice =
            format!("would approve everything; give at least one of {}", conditions.join(", "));
        keys.note_table(&advice);
    }
    Some(entry)
}
