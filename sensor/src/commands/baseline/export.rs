//! `egret baseline export`: what is trusted, as the config would have it.

use std::io::{self, Write};

use ipnet::IpNet;

use super::BaselineError;
use super::others::{self, Account};
use crate::baseline::{AssetBaseline, Baseline};
use crate::config::{Approve, Config, NamePattern, file};
use crate::store::{Approval, Store};
use crate::text::printable;

pub(super) fn export(
    store: &Store,
    config: &Config,
    asset: Option<&str>,
    to: &mut impl Write,
) -> Result<(), BaselineError> {
    let mut known = store.baseline()?.unwrap_or_default();
    let mut given = store.approval_list()?;
    if let Some(asset) = asset {
        others::retain(&mut known, asset);
        if known.assets.is_empty() && known.operators.is_empty() && known.mirrors.is_empty() {
            return Err(BaselineError::Asset(asset.to_owned()));
        }
        given.retain(|approval| approval.entry.assets.iter().any(|name| name == asset));
    }
    write(&known, &given, to)?;
    write_others(&known, config, to)?;
    Ok(())
}

/// Approvals first, then what each asset was learned to reach. What the config could not hold is
/// named in a comment.
pub(super) fn write(known: &Baseline, given: &[Approval], to: &mut impl Write) -> io::Result<()> {
    writeln!(
        to,
        "# What `egret baseline` holds. Read it before it becomes config: an entry here is"
    )?;
    writeln!(to, "# never doubted again, while what was only learned still is.")?;
    for approval in given {
        let person = printable(&approval.person);
        writeln!(to, "\n# approved {} UTC by {person}", approval.given.people())?;
        write!(to, "{}", approval.entry)?;
    }
    for (asset, learned) in &known.assets {
        let (entries, left_out) = entries(asset, learned);
        for entry in entries {
            write!(to, "\n{entry}")?;
        }
        for destination in left_out {
            let (asset, destination) = (printable(asset), printable(destination));
            writeln!(to, "\n# {asset} at {destination}: cannot be said in the config")?;
        }
    }
    Ok(())
}

/// Accounts and mirrors that are usual, in comments: their place is in tables of which a config has one
/// each, so that what is appended to it must not begin them again.
pub(super) fn write_others(
    known: &Baseline,
    config: &Config,
    to: &mut impl Write,
) -> io::Result<()> {
    let accounts: Vec<String> =
        Account::all(known).filter_map(|account| account.expected().map(str::to_owned)).collect();
    let mirrors: Vec<String> = others::unapproved(known, config).into_iter().collect();
    let lists = [
        (
            "guest_operations",
            "accounts",
            "Once any is named here, all others are unexpected.",
            accounts,
        ),
        (
            "mirror_policy",
            "destinations",
            "Usual while it was learned; is each of them yours?",
            mirrors,
        ),
    ];
    for (table, key, advice, values) in lists.into_iter().filter(|(.., values)| !values.is_empty())
    {
        writeln!(to, "\n# For [detect.{table}], which a config has once. {advice}")?;
        writeln!(to, "# {key} = {}", toml::Value::from(values))?;
    }
    Ok(())
}

/// What the asset may reach by name, what by address, and what cannot be said.
fn entries<'a>(asset: &str, learned: &'a AssetBaseline) -> (Vec<Approve>, Vec<&'a str>) {
    let entry = || Approve {
        assets: vec![asset.to_owned()],
        note: Some("learned".to_owned()),
        ..Approve::default()
    };
    let (mut names, mut networks, mut left_out) = (entry(), entry(), Vec::new());
    let trusted = learned.destinations.iter().filter(|(_, habit)| habit.is_trusted());
    for (destination, _) in trusted {
        if let Ok(network) = destination.parse::<IpNet>() {
            networks.destinations.push(network);
            continue;
        }
        let patterns =
            [NamePattern::new(destination), NamePattern::new(&format!("*.{destination}"))];
        let alone = Approve { sni: patterns.to_vec(), ..entry() };
        if is_config(&alone) {
            names.sni.extend(patterns);
        } else {
            left_out.push(destination.as_str());
        }
    }
    let said = [names, networks].into_iter().filter(|entry| {
        !(entry.sni.is_empty() && entry.destinations.is_empty()) && is_config(entry)
    });
    (said.collect(), left_out)
}

/// Whether Egret would read it back as it is.
fn is_config(entry: &Approve) -> bool {
    let read = file::parse("export", &entry.to_string(), &[], Config::default());
    read.is_ok_and(|config| config.approve == [entry.clone()])
}
