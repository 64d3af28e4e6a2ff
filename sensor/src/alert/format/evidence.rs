//! A piece of evidence in words.

use std::net::SocketAddr;
use std::time::Duration;

use super::{mirroring, operations, usual};
use crate::alert::{Alert, Channel, Evidence, Fact};
use crate::mirror::corrected;
use crate::text::{counted, grouped, printable};
use crate::time::{ByteSize, Elapsed};

/// What a piece of evidence says, in one line.
pub(super) fn sentence(fact: &Fact) -> String {
    match fact {
        Fact::VolumeSpike {
            direction,
            scope,
            window_seconds,
            observed_bytes,
            expected_bytes,
            score,
            ..
        } => {
            let window = Elapsed(Duration::from_secs(*window_seconds));
            let verb = if *direction == "in" { "received" } else { "sent" };
            let (amount, usual) =
                (ByteSize(*observed_bytes), usual(*observed_bytes, *expected_bytes));
            format!("{verb} {amount} {scope} in {window}, {usual}, {score:.1} deviations above")
        }
        Fact::SlowEgress { observed_bytes, expected_bytes, score, bound } => {
            let (amount, usual) =
                (ByteSize(*observed_bytes), usual(*observed_bytes, *expected_bytes));
            format!(
                "sent {amount} outside little by little, {usual}; sum {score:.1}, told from {bound}"
            )
        }
        Fact::FirstSeen { what, value, other_assets } => {
            let what = if *what == "ja4" { "TLS client" } else { &**what };
            let what = format!("{} {}", printable(what), printable(value));
            format!("never used {what} before; {}", shared_with(*other_assets))
        }
        Fact::TlsSession { .. } => session(fact),
        Fact::FirstSeenDestination { destination, other_assets, hours_known } => {
            let destination = printable(destination);
            let before = match hours_known {
                0 => format!("never went to {destination} before"),
                hours => format!("went to {destination} in {} before", counted(*hours, "hour")),
            };
            format!("{before}; {}", shared_with(*other_assets))
        }
        Fact::DnsAnswer { query, answer } => {
            format!("DNS answered {} with {}", printable(query), printable(answer))
        }
        Fact::PortMatch { port, formula, probability } => {
            format!("port {port} = {}, by chance {}", printable(formula), chance(*probability))
        }
        Fact::Formula { expression, pairs, misses, next_port } => {
            let expression = printable(expression);
            let next = next_port.map_or(String::new(), |port| format!("; next port {port}"));
            format!("{expression} gives {}{next}", explained_ports(*pairs, *misses))
        }
        Fact::Connection { address, port, protocol, source, .. } => {
            let place = SocketAddr::new(*address, *port);
            let said = source.as_ref().map(|by| format!(", as {} logged it", printable(by)));
            format!("connected to {place} over {protocol}{}", said.unwrap_or_default())
        }
        Fact::GuestOperation(group) => operations::sentence(group),
        Fact::AuditEvent(event) => mirroring::change(event),
        Fact::MirroredTraffic(traffic) => mirroring::traffic(traffic),
        Fact::Channel(channel) => channel_sentence(channel),
        Fact::Mirror(facts) => facts.sentence(),
        Fact::Baseline { statement } => printable(statement).to_string(),
    }
}

fn session(fact: &Fact) -> String {
    let Fact::TlsSession {
        bytes_out, usual_bytes_out, days, sessions, notes, source, one_in, ..
    } = fact
    else {
        return String::new();
    };
    let (amount, usual) = (ByteSize(*bytes_out), usual(*bytes_out, *usual_bytes_out));
    let sessions = counted(*sessions, "TLS session");
    let over = days.map_or(String::new(), |days| format!(" over {}", counted(days, "day")));
    let mut text = format!("sent {amount}{over} in {sessions}, {usual}");
    if let Some(one_in) = one_in {
        text += &format!("; an estimate: {}", corrected(*bytes_out, *one_in));
    }
    if let Some(by) = source {
        text += &format!("; TLS by its port, as only records of {} show it", printable(by));
    }
    for note in notes {
        text += "; ";
        text += &explained(note);
    }
    text
}

fn channel_sentence(channel: &Channel) -> String {
    let counted = printable(&channel.counted);
    let mut text = if channel.bound <= 1.0 {
        format!("told from the first of such {counted} on")
    } else {
        format!(
            "{} {counted} in {}, told from {} on",
            number(channel.observed),
            Elapsed(Duration::from_secs(channel.seconds)),
            number(channel.bound)
        )
    };
    if let Some(usual) = channel.usual {
        text += &format!(", usually {}", number(usual));
    }
    if !channel.examples.is_empty() {
        text += &format!(": {}", printable(&channel.examples.join(", ")));
    }
    text
}

/// A count as it is; what is no whole number with two digits behind the point.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { grouped(value as u64).to_string() } else { format!("{value:.2}") }
}

/// How much moved, where the piece tells.
pub(super) fn amount(piece: &Evidence) -> Option<String> {
    match &piece.fact {
        Fact::TlsSession { bytes_out, usual_bytes_out, .. } => {
            let usual = usual(*bytes_out, *usual_bytes_out);
            Some(format!("{} out, {usual}", ByteSize(*bytes_out)))
        }
        Fact::Formula { pairs, misses, .. } => {
            Some(format!("{} follow from DNS answers", explained_ports(*pairs, *misses)))
        }
        Fact::GuestOperation(group) if group.finding == "operations" => {
            Some(operations::amount(group))
        }
        Fact::MirroredTraffic(traffic) => Some(mirroring::amount(traffic)),
        _ => None,
    }
}

/// How an amount was estimated of what was seen, where a mirror does not show all.
pub(super) fn correction(alert: &Alert) -> Option<String> {
    let one_in = alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::Mirror(facts) => facts.one_in,
        _ => None,
    })?;
    alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::TlsSession { bytes_out, .. } => {
            Some(format!("an estimate: {}", corrected(*bytes_out, one_in)))
        }
        _ => None,
    })
}

/// The community ID of the conversation a piece is about.
pub(super) fn community_id(piece: &Evidence) -> Option<&str> {
    match &piece.fact {
        Fact::TlsSession { community_id, .. } | Fact::Connection { community_id, .. } => {
            Some(community_id)
        }
        Fact::Channel(channel) => channel.community_id.as_deref(),
        _ => None,
    }
}

fn shared_with(others: u64) -> String {
    match others {
        0 => "no other asset does".to_owned(),
        1 => "1 other asset does".to_owned(),
        others => format!("{} other assets do", grouped(others)),
    }
}

fn explained_ports(pairs: u64, misses: u64) -> String {
    format!("{} of {}", grouped(pairs), counted(pairs.saturating_add(misses), "port"))
}

fn explained(note: &str) -> String {
    match note {
        "no_sni" => "no server name".to_owned(),
        "sni_not_in_dns" => "its server name was not in a DNS answer".to_owned(),
        "never_resolved" => "its address was not in a DNS answer".to_owned(),
        "odd_port" => "unusual port".to_owned(),
        "new_network" => "nobody went to its network lately".to_owned(),
        "ech" => "server name encrypted (ECH)".to_owned(),
        other => printable(&other.replace('_', " ")).to_string(),
    }
}

/// A probability as people compare it.
pub(super) fn chance(probability: f64) -> String {
    match 1.0 / probability {
        odds @ 2.0..1e12 => format!("1 in {}", grouped(odds as u64)),
        1e12.. => "less than 1 in a trillion".to_owned(),
        _ => format!("{probability:.2}"),
    }
}
