//! Guest operations in words.

use std::time::Duration;

use super::evidence::chance;
use crate::alert::{Compared, Operations, UNNAMED};
use crate::text::{counted, listed, printable};
use crate::time::Elapsed;

/// What a group of operations says, in one line.
pub(super) fn sentence(group: &Operations) -> String {
    let who = who(group);
    let vms = vms(group);
    match &*group.finding {
        "operations" => format!("{who}: {} on {vms}{}", amount(group), origin(group)),
        "unexpected_account" => format!("{who} is not expected to use guest operations"),
        "first_seen_account" => format!("{who} was never seen to use guest operations before"),
        "outside_business_hours" => {
            format!("{} on {vms} outside business hours", counted(group.scripts, "script"))
        }
        "odd_hour" => {
            format!("{} on {vms} at an hour {who} hardly uses", counted(group.scripts, "script"))
        }
        "vm_not_authorised" => format!("guest operations are not expected on {vms}"),
        "first_seen_vm" => format!("{who} never used {vms} before"),
        "first_seen_client" => match group.client {
            Some(client) => format!("{who} never came from {client} before"),
            None => format!("{who} never came from there before"),
        },
        "frequency" => format!("{}, usually at most {}", observed(group, "script"), usual(group)),
        "threshold" => {
            format!("{}, at most {} allowed", observed(group, "operation"), usual(group))
        }
        "refused_credentials" => {
            format!("{} refused by the guest on {vms}", counted(group.count, "credential"))
        }
        "files_pulled" => format!("{} out of {vms}", counted(group.count, "file transfer")),
        "guest_alias" => {
            format!("{} on {vms}: a way in that lasts", counted(group.count, "guest alias change"))
        }
        "before_egress" => format!("{who}: {} on {vms} before it", amount(group)),
        other => format!("{}: {}", printable(&other.replace('_', " ")), amount(group)),
    }
}

/// How many operations, and which.
pub(super) fn amount(group: &Operations) -> String {
    let mut text = counted(group.count, "guest operation");
    if !group.operations.is_empty() {
        text += &format!(" ({})", names(&group.operations, group.operations.len() as u64));
    }
    if group.scripts > 1 {
        text += &format!(" in {}", counted(group.scripts, "script"));
    }
    text
}

fn who(group: &Operations) -> String {
    match (&group.account, &group.host) {
        (Some(account), _) => printable(account).to_string(),
        (None, Some(host)) => format!("an account unknown on {}", printable(host)),
        (None, None) => "an account unknown".to_owned(),
    }
}

fn origin(group: &Operations) -> String {
    let client = group.client.map(|client| format!(" from {client}")).unwrap_or_default();
    if group.sources.is_empty() {
        return client;
    }
    let sources: Vec<_> =
        group.sources.iter().map(|source| printable(source).to_string()).collect();
    format!("{client}, logged by {}", sources.join(" and "))
}

fn vms(group: &Operations) -> String {
    if group.vm_count == 0 { UNNAMED.to_owned() } else { names(&group.vms, group.vm_count) }
}

fn names(names: &[String], count: u64) -> String {
    listed(names.iter().map(|name| printable(name)), count)
}

fn observed(group: &Operations, noun: &str) -> String {
    let Some(Compared { observed, window_seconds, probability, .. }) = group.compared else {
        return counted(group.count, noun);
    };
    let window = Elapsed(Duration::from_secs(window_seconds));
    let odds = probability.map(|chance_of| format!(" (by habit {})", chance(chance_of)));
    format!("{} in {window}{}", counted(observed, noun), odds.unwrap_or_default())
}

fn usual(group: &Operations) -> String {
    group.compared.map_or_else(String::new, |compared| {
        let rounded = (compared.expected * 10.0).round() / 10.0;
        rounded.to_string()
    })
}
