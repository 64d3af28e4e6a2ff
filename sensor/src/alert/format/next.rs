//! What to look at next: the first steps of whoever has the alert in front of them.

use super::evidence;
use crate::alert::{Alert, Analytic, Destination, Fact};
use crate::config::quoted;
use crate::text::{LIMIT, printable};

mod mirrors;

/// The steps, first one first.
pub(super) fn steps(alert: &Alert) -> Vec<String> {
    let first = match alert.analytic {
        Analytic::AN1131 => return mirrors::steps(alert),
        Analytic::AN1416 => egress(alert),
        Analytic::AN0731 => calculated_port(alert),
        Analytic::AN0646 => guest_operations(alert),
        Analytic::DC0078 => channel(alert),
    };
    let mut steps = vec![first];
    if let Some(id) = alert.evidence.iter().find_map(evidence::community_id) {
        steps.push(format!("packets: community ID {}", printable(id)));
    }
    steps.push(match alert.analytic {
        Analytic::AN0646 => expectation(alert),
        Analytic::DC0078 => switch_off(alert),
        Analytic::AN1416 | Analytic::AN0731 | Analytic::AN1131 => approval(alert),
    });
    steps
}

fn channel(alert: &Alert) -> String {
    let name = printable(&alert.asset.name);
    let since = format!("{} UTC", alert.first_seen.people());
    match &alert.destination {
        Some(to) => format!("find what on {name} spoke with {} since {since}", to.address),
        None => format!("find what on {name} did this since {since}"),
    }
}

fn switch_off(alert: &Alert) -> String {
    let channels = alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::Channel(channel) => Some(printable(&channel.channel)),
        _ => None,
    });
    let name = channels.map_or_else(String::new, |name| name.to_string());
    format!("if nobody here needs to know: [detect.channels] off = [\"{name}\"]")
}

fn guest_operations(alert: &Alert) -> String {
    let since = format!("{} UTC", alert.first_seen.people());
    let name = printable(&alert.asset.name);
    match (alert.account(), alert.client()) {
        (Some(account), Some(client)) => format!(
            "ask who used {} from {client}; what ran on {name} since {since} is not in these logs, so \
             look there",
            printable(account)
        ),
        (Some(account), None) => format!(
            "ask who used {}: logins of vCenter and ESXi before {since} say where from",
            printable(account)
        ),
        (None, _) => format!(
            "find who did it: hostd does not say, tasks and events of vCenter since {since} do; none \
             there means the host itself was used"
        ),
    }
}

fn expectation(alert: &Alert) -> String {
    match alert.account() {
        Some(account) => format!(
            "if this is expected: [detect.guest_operations] accounts, vms or maintenance, for {}",
            printable(account)
        ),
        None => "if this is expected: [detect.guest_operations] vms or maintenance".to_owned(),
    }
}

fn egress(alert: &Alert) -> String {
    let name = printable(&alert.asset.name);
    let since = format!("{} UTC", alert.first_seen.people());
    match &*alert.asset.role {
        "esxi" => format!(
            "an ESXi host has almost no business outside: look at shell, SSH and hostd logs of \
             {name} before {since}"
        ),
        "vcenter" => format!(
            "a vCenter server has almost no business outside: look at tasks, events and logins of \
             {name} before {since}"
        ),
        _ => format!(
            "find the process on {name} that holds this connection, and what it read before {since}"
        ),
    }
}

fn calculated_port(alert: &Alert) -> String {
    let name = printable(&alert.asset.name);
    let query = alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::DnsAnswer { query, .. } => Some(printable(query).to_string()),
        _ => None,
    });
    let next_port = alert.evidence.iter().rev().find_map(|piece| match &piece.fact {
        Fact::Formula { next_port, .. } => *next_port,
        _ => None,
    });
    let asks = query.map_or(String::new(), |query| format!(" that asks DNS for {query}"));
    let next = next_port.map_or(String::new(), |port| format!("; expect port {port} next"));
    format!("find the process on {name}{asks}, and where else it connects{next}")
}

/// What to put in the config. It will be copied: a name that is none of a host, such as `*.com` or one
/// with quotes in it, could approve more than this one place, and is not in it.
fn approval(alert: &Alert) -> String {
    let asset = quoted(&printable(&alert.asset.name).to_string());
    let place = match &alert.destination {
        Some(Destination { sni: Some(sni), .. }) if is_plain(sni) => {
            format!(", sni = [{}]", quoted(sni))
        }
        Some(Destination { address, .. }) => format!(", destination = [\"{address}\"]"),
        None => " and what it may reach".to_owned(),
    };
    format!("if this is expected: [[approve]] with asset = [{asset}]{place}")
}

/// Whether a name has only what names of hosts have, and no more of it.
pub(super) fn is_plain(name: &str) -> bool {
    let is_of_a_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=LIMIT).contains(&name.len()) && name.bytes().all(is_of_a_host)
}
