//! Mirrors as evidence, in words.

use std::time::Duration;

use crate::alert::{AuditEvent, MirroredTraffic};
use crate::text::{counted, listed, printable, printable_within};
use crate::time::{ByteSize, Elapsed};

/// The longest sentence, in bytes: many names of somebody else's are in one.
const LONGEST: usize = 700;

/// What a change says, in one line.
pub(super) fn change(event: &AuditEvent) -> String {
    printable_within(&found(event), LONGEST).to_string()
}

fn found(event: &AuditEvent) -> String {
    let who = who(event);
    let targets = names(&event.targets);
    match &*event.finding {
        "change" => whole(event),
        "own_mirror_deleted" => format!("{} fed the SOC until {}", mirror(event), call(event)),
        "unapproved_destination" => format!("{targets} is no approved destination of a mirror"),
        "unapproved_principal" => format!("{who} is not approved to change what is mirrored"),
        "unknown_destination" => "the log does not say where the mirror leads".to_owned(),
        "retargeted" => format!("{} led elsewhere before", mirror(event)),
        "opened_wide" => format!("{} lets everything through now", mirror(event)),
        "foreign_account" => {
            "the mirror, its target and who changed it are not of one account".into()
        }
        "console" => "changed by the provider's console, not by a program".to_owned(),
        "failed" => {
            let why = event.failure.as_deref().unwrap_or("the log does not say why");
            format!("{} failed: {}", call(event), printable(why))
        }
        other => format!("{}: {}", printable(&other.replace('_', " ")), whole(event)),
    }
}

/// What mirrored traffic says, in one line.
pub(super) fn traffic(traffic: &MirroredTraffic) -> String {
    let port = traffic.port.map_or_else(String::new, |port| format!(", UDP port {port}"));
    let id = traffic.wire_id.map_or_else(String::new, |id| format!(" id {id}"));
    let wrapping = match &*traffic.wrapping {
        "unknown" => "an unknown wrapping".to_owned(),
        name => printable(name).to_string(),
    };
    let mut text = format!("{} in {wrapping}{id}{port}", amount(traffic));
    text = format!("{} -> {}: {text}", traffic.source, traffic.destination);
    if traffic.copies > 0 {
        text += &format!("; {} seen bare, too", counted(traffic.copies, "packet"));
    }
    if let Some(inside) = &traffic.inside {
        text += &format!("; inside: {}", printable(inside));
    }
    if traffic.witness != "packets" {
        text += &format!(", as {} has it", printable(&traffic.witness));
    }
    printable_within(&text, LONGEST).to_string()
}

/// How much was mirrored.
pub(super) fn amount(traffic: &MirroredTraffic) -> String {
    format!(
        "{} in {}, {}/s",
        ByteSize(traffic.bytes),
        counted(traffic.packets, "packet"),
        ByteSize(traffic.bytes_per_second),
    )
}

/// All that is to be said of a change.
fn whole(event: &AuditEvent) -> String {
    let mut text = format!("{}: {} called {}", printable(&event.source), who(event), call(event));
    if let Some(id) = &event.id {
        text += &format!(" for {}", printable(id));
    }
    if !event.sources.is_empty() {
        text += &format!(", of {}", names(&event.sources));
    }
    if !event.targets.is_empty() {
        text += &format!(", to {}", names(&event.targets));
    }
    if let Some(id) = event.wire_id {
        text += &format!(", id {id} on the wire");
    }
    if let Some(seconds) = event.late_seconds {
        text += &format!("; its record came {} later", Elapsed(Duration::from_secs(seconds)));
    }
    text
}

fn who(event: &AuditEvent) -> String {
    let who = event.principal.as_deref().unwrap_or("somebody whom the record does not name");
    let from =
        event.from.as_deref().map_or_else(String::new, |from| format!(" from {}", printable(from)));
    format!("{}{from}", printable(who))
}

fn call(event: &AuditEvent) -> String {
    printable(&event.call).to_string()
}

/// The mirror, by its id where it has one.
fn mirror(event: &AuditEvent) -> String {
    let object = match &*event.object {
        "target" => "the target",
        "filter" => "the filter",
        "filter_rule" => "the filter rule",
        _ => "the mirror",
    };
    event.id.as_ref().map_or_else(|| object.to_owned(), |id| format!("{object} {}", printable(id)))
}

fn names(names: &[String]) -> String {
    listed(names.iter().map(|name| printable(name)), names.len() as u64)
}
