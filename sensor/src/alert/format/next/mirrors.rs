//! What to look at next where traffic is mirrored: whom to ask, how to end it, how to approve it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::is_plain;
use crate::alert::{Alert, AuditEvent, Fact, MirroredTraffic};
use crate::config::quoted;
use crate::text::printable;

/// The steps, first one first.
pub(super) fn steps(alert: &Alert) -> Vec<String> {
    let change = changes(alert).next();
    let mut steps = vec![ask(alert, change)];
    steps.extend(change.and_then(end));
    steps.push(approval(alert));
    steps
}

fn changes(alert: &Alert) -> impl Iterator<Item = &AuditEvent> {
    alert.evidence.iter().filter_map(|piece| match &piece.fact {
        Fact::AuditEvent(event) => Some(&**event),
        _ => None,
    })
}

fn traffic(alert: &Alert) -> Option<&MirroredTraffic> {
    alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::MirroredTraffic(traffic) => Some(&**traffic),
        _ => None,
    })
}

fn ask(alert: &Alert, change: Option<&AuditEvent>) -> String {
    let since = format!("{} UTC", alert.first_seen.people());
    match (change.and_then(|change| change.principal.as_ref()), traffic(alert)) {
        (Some(who), _) => {
            format!(
                "ask {} whether this was meant, and what else they did since {since}",
                printable(who)
            )
        }
        (None, Some(traffic)) => format!(
            "find the mirror on {} that sends to {}: port mirroring of its switch, a session of its \
             cloud, or a program on it, set up before {since}",
            traffic.source, traffic.destination
        ),
        (None, None) => format!("find who changed it: the log names nobody; logins before {since}"),
    }
}

/// How the provider's tools end it. A command is copied: names that are no plain ones are not in it.
fn end(change: &AuditEvent) -> Option<String> {
    if change.failure.is_some() || change.action == "delete" {
        return None;
    }
    let id = change.id.as_deref().filter(|_| change.object == "session").unwrap_or_default();
    // Of resources of a cloud the last part is the name.
    let name = id.rsplit('/').next().filter(|name| is_plain(name) && !name.starts_with('-'));
    Some(match (&*change.source, name) {
        ("cloudtrail", Some(name)) => format!(
            "to end it: aws ec2 delete-traffic-mirror-session --traffic-mirror-session-id {name}"
        ),
        ("cloudtrail", None) => "to end it: delete the sessions that lead there (aws ec2 \
                                 describe-traffic-mirror-sessions)"
            .to_owned(),
        ("gcp_audit", Some(name)) => {
            format!("to end it: gcloud compute packet-mirrorings delete {name}")
        }
        ("gcp_audit", None) => "to end it: gcloud compute packet-mirrorings delete".to_owned(),
        ("azure_activity", _) => "to end it: az network nic vtap-config delete".to_owned(),
        ("nsx", _) => "to end it: delete the port mirroring session in the NSX manager".to_owned(),
        ("device", Some(name)) => {
            format!("to end it: \"no monitor session {name}\" on the switch or router")
        }
        ("device", None) => "to end it: \"no monitor session\" on the switch or router".to_owned(),
        _ => "to end it: the distributed switch in vCenter, Configure, Port mirroring".to_owned(),
    })
}

/// What to put in the config. It will be copied: what is a network to the config, or a name with more in
/// it than ids have, could approve more than this one place, and is not in it.
fn approval(alert: &Alert) -> String {
    let is_id = |id: &&String| {
        id.parse::<IpAddr>().is_err()
            && id.parse::<IpNet>().is_err()
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte))
    };
    let found = |finding: &str| changes(alert).find(|change| change.finding == finding);
    let principal = found("unapproved_principal").and_then(|change| change.principal.as_ref());
    let is_place = found("unapproved_destination").is_some() || traffic(alert).is_some();
    if let Some(who) = principal.filter(|_| !is_place) {
        return format!(
            "if they may: [detect.mirror_policy] principals = [{}]",
            quoted(&printable(who).to_string())
        );
    }
    let address = alert.destination.as_ref().map(|to| to.address.to_string());
    let mut targets = changes(alert).flat_map(|change| &change.targets);
    let place = address.or_else(|| targets.find(is_id).cloned());
    match place {
        Some(place) => {
            format!("if it may: [detect.mirror_policy] destinations = [{}]", quoted(&place))
        }
        None => "if it may: [detect.mirror_policy] destinations and principals".to_owned(),
    }
}
