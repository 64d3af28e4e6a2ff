//! What was learned beside destinations: who uses guest operations, and which mirrors are usual.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::list::{day, minute};
use crate::account::Account as Name;
use crate::baseline::{
    Acquaintance, Baseline, MirrorSession, Operator, Pair, USUAL_DAYS, account_key, host_key,
};
use crate::commands::table::{Cell, Table};
use crate::config::{Config, MirrorDestination};
use crate::text::{grouped, listed};
use crate::time::Timestamp;

/// Leaves only what is known of an asset, an account or host, or mirrors to an address, of that name.
pub(super) fn retain(known: &mut Baseline, name: &str) {
    known.assets.retain(|asset, _| asset == name);
    let keys = [account_key(&Name::new(name)), host_key(name)];
    // An asset's own page is not about who uses it.
    let is_asset = !known.assets.is_empty();
    known.operators.retain(|key, _| !is_asset && keys.contains(key));
    let address = name.parse().ok();
    known.mirrors.since = 0;
    known.mirrors.pairs.retain(|_, pair| !is_asset && Some(pair.destination) == address);
    known.mirrors.sessions.retain(|_, session| {
        !is_asset && address.is_some_and(|address| session.addresses.contains(&address))
    });
}

/// Who uses guest operations.
pub(super) struct Account<'a> {
    name: &'a str,
    /// Whether it is a host whose logs name no account.
    is_host: bool,
    learned: &'a Operator,
}

impl<'a> Account<'a> {
    pub(super) fn all(known: &'a Baseline) -> impl Iterator<Item = Self> {
        known.operators.iter().map(|(key, learned)| {
            let (kind, name) = key.split_once(':').unwrap_or(("account", key));
            Self { name, is_host: kind == "host", learned }
        })
    }

    /// Whether the config could expect it: a name that is usual.
    pub(super) fn expected(&self) -> Option<&'a str> {
        (!self.is_host && self.learned.known.familiarity() >= 1.0).then_some(self.name)
    }

    pub(super) fn object(&self) -> Value {
        let Operator { first_seen, last_seen, known, vms, clients, .. } = self.learned;
        let time = |seconds| Timestamp::from_parts(seconds, 0);
        let met = |known: &Acquaintance| json!({ "trusted": known.familiarity() >= 1.0, "why": why(known), "days": known.days });
        let vms: serde_json::Map<_, _> =
            vms.iter().map(|(vm, known)| (vm.clone(), met(known))).collect();
        let clients: serde_json::Map<_, _> =
            clients.iter().map(|(client, known)| (client.to_string(), met(known))).collect();
        json!({
            (if self.is_host { "host" } else { "account" }): self.name,
            "first_seen": time(*first_seen),
            "last_seen": time(*last_seen),
            "trusted": known.familiarity() >= 1.0,
            "why": why(known),
            "vms": vms,
            "clients": clients,
            "queries": self.learned.queries,
            "acts": self.learned.acts,
            "pulls": self.learned.pulls,
            "aliases": self.learned.aliases,
            "most_scripts_an_hour": self.learned.most_scripts(),
        })
    }

    /// It, and with `in_full` the machines it works on and where it comes from.
    fn rows(&self, in_full: bool) -> Vec<[Cell; 7]> {
        let Operator { first_seen, last_seen, known, vms, clients, .. } = self.learned;
        let name = if self.is_host { format!("host {}", self.name) } else { self.name.to_owned() };
        let done = self.learned.acts.saturating_add(self.learned.pulls);
        let asked = u64::from(self.learned.queries);
        let mut rows = vec![[
            Cell::name(&name, 28),
            Cell::text(why(known)),
            Cell::text(day(*first_seen)),
            Cell::text(day(*last_seen)),
            Cell::number(grouped(asked)),
            Cell::number(grouped(done.into())),
            Cell::name(&listed(clients.keys(), clients.len() as u64), 60),
        ]];
        let met = |name: String, known: &Acquaintance| {
            let [first, last, asked, done] = [(); 4].map(|()| Cell::text(""));
            [
                Cell::name(&name, 28),
                Cell::text(why(known)),
                first,
                last,
                asked,
                done,
                Cell::text(""),
            ]
        };
        if in_full {
            rows.extend(vms.iter().map(|(vm, known)| met(format!("  on {vm}"), known)));
            rows.extend(clients.iter().map(|(from, known)| met(format!("  from {from}"), known)));
        }
        rows
    }
}

/// Why it is usual, or how far it is from that.
fn why(known: &Acquaintance) -> String {
    let days = known.days;
    let mut why = match known.learned {
        true => "learned".to_owned(),
        false if known.familiarity() >= 1.0 => format!("{days} days"),
        false => format!("{days} of {USUAL_DAYS} days"),
    };
    if known.is_tainted() {
        why += ", alert on the last day";
    }
    why
}

/// All accounts, a line each.
pub(super) fn accounts(known: &Baseline, in_full: bool) -> String {
    let mut table =
        Table::new(["ACCOUNT", "WHY", "FIRST SEEN", "LAST SEEN", "ASKED", "DONE", "FROM"]);
    Account::all(known).flat_map(|account| account.rows(in_full)).for_each(|row| table.row(row));
    table.under("").to_string()
}

/// A mirror that is usual.
pub(super) enum Mirror<'a> {
    /// Wrapped packets on the wire.
    Pair(&'a str, &'a Pair, &'static str),
    /// A session that audit logs told of.
    Session(&'a str, &'a MirrorSession),
}

impl<'a> Mirror<'a> {
    pub(super) fn all(known: &'a Baseline, config: &Config) -> impl Iterator<Item = Self> {
        let pairs = known.mirrors.pairs.iter().map(|(name, pair)| {
            let approved = config.mirror_policy.destinations.iter().any(|approved| {
                matches!(approved, MirrorDestination::Net(net) if net.contains(&pair.destination))
            });
            Self::Pair(name, pair, if approved { "approved: config" } else { "learned" })
        });
        let sessions = known.mirrors.sessions.iter();
        pairs.chain(sessions.map(|(name, session)| Self::Session(name, session)))
    }

    pub(super) fn object(&self) -> Value {
        let time = |seconds| Timestamp::from_parts(seconds, 0);
        match self {
            Self::Pair(name, pair, why) => json!({
                "mirror": name,
                "destination": pair.destination,
                "why": why,
                "first_seen": time(pair.first_seen),
                "last_seen": time(pair.last_day.saturating_mul(86_400)),
            }),
            Self::Session(name, session) => json!({
                "mirror_session": name,
                "targets": session.targets,
                "addresses": session.addresses,
                "why": "configured",
                "changed": Timestamp::from_nanos(session.changed),
            }),
        }
    }

    fn row(&self) -> [Cell; 4] {
        match self {
            Self::Pair(name, pair, why) => [
                Cell::name(name, 60),
                Cell::text(why),
                Cell::text(minute(pair.first_seen)),
                Cell::text(day(pair.last_day.saturating_mul(86_400))),
            ],
            Self::Session(name, session) => {
                let ends = session.addresses.iter().map(ToString::to_string);
                let ends: Vec<String> = session.targets.iter().cloned().chain(ends).collect();
                let to = listed(&ends, ends.len() as u64);
                let changed = Timestamp::from_nanos(session.changed).as_secs();
                let (name, changed) = (format!("session {name} to {to}"), minute(changed));
                [
                    Cell::name(&name, 60),
                    Cell::text("configured"),
                    Cell::text(changed),
                    Cell::text(""),
                ]
            }
        }
    }
}

/// All mirrors, a line each.
pub(super) fn mirrors(known: &Baseline, config: &Config) -> String {
    let mut table = Table::new(["MIRROR", "WHY", "SINCE (UTC)", "LAST SEEN"]);
    Mirror::all(known, config).for_each(|mirror| table.row(mirror.row()));
    table.under("").to_string()
}

/// Addresses that usual mirrors lead to and the config does not approve.
pub(super) fn unapproved(known: &Baseline, config: &Config) -> BTreeSet<String> {
    Mirror::all(known, config)
        .filter_map(|mirror| match mirror {
            Mirror::Pair(_, pair, "learned") => Some(pair.destination.to_string()),
            _ => None,
        })
        .collect()
}
