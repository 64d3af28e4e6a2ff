//! Prints what an evaluation came to, and says what is below the bar.

use std::collections::BTreeMap;

use egret_tests::scenario::truth::Attack;

use super::judge::{Found, Line, Severity, Verdict};

/// The most false alerts of medium severity a judged estate-day may have; above there may be none.
const MEDIUM_A_DAY: f64 = 0.5;
/// By this connection a required beacon has to be found.
const BEACON_CONNECTIONS: usize = 4;

/// Prints tables, misses and false alerts.
pub(super) fn print(verdicts: &[Verdict]) {
    print_detection(verdicts);
    print_false_alerts(verdicts);
    print_misses(verdicts);
}

/// What is below the bar, one line each.
pub(super) fn below_the_bar(verdicts: &[Verdict]) -> Vec<String> {
    let mut below = Vec::new();
    for (verdict, attack, found) in attacks(verdicts).filter(|(_, attack, _)| attack.required) {
        let what = format!("{}: {} of {}", verdict.name, attack.kind, attack.asset.name);
        match found {
            None => below.push(format!("{what} not found")),
            Some(found)
                if attack.analytic == "AN0731" && found.connections > BEACON_CONNECTIONS =>
            {
                below.push(format!("{what} found at connection {}", found.connections));
            }
            Some(found)
                if (attack.operations.is_some() || attack.mirror.is_some())
                    && found.alerts != 1 =>
            {
                below.push(format!("{what} raised {} alerts", found.alerts));
            }
            Some(found) if !found.is_complete => {
                below.push(format!("{what}: not all is said of it"));
            }
            Some(_) => {}
        }
    }
    let days: f64 = everyday(verdicts).map(|verdict| verdict.days).sum();
    let count = |wanted: &dyn Fn(Severity) -> bool| {
        false_alerts(verdicts)
            .filter(|(verdict, line, _)| verdict.is_everyday && wanted(line.severity))
            .count()
    };
    let high = count(&|severity| severity >= Severity::High);
    if high > 0 {
        below.push(format!("{high} false alerts at high or above"));
    }
    let medium = count(&|severity| severity == Severity::Medium) as f64 / days;
    if medium > MEDIUM_A_DAY {
        below.push(format!("{medium:.2} false alerts at medium an estate-day"));
    }
    for verdict in verdicts.iter().filter(|verdict| !verdict.is_everyday) {
        let loud = &verdict.false_alerts;
        if !loud.is_empty() {
            below.push(format!("{}: {} alerts about what is harmless", verdict.name, loud.len()));
        }
    }
    below
}

/// The others have logs and mirrors only, and a bar of their own: no false alert at all.
fn everyday(verdicts: &[Verdict]) -> impl Iterator<Item = &Verdict> {
    verdicts.iter().filter(|verdict| verdict.is_everyday)
}

fn attacks(verdicts: &[Verdict]) -> impl Iterator<Item = (&Verdict, &Attack, Option<Found>)> {
    verdicts.iter().flat_map(|verdict| {
        let pairs = verdict.truth.attacks.iter().zip(&verdict.found);
        pairs.map(move |(attack, found)| (verdict, attack, *found))
    })
}

fn false_alerts(verdicts: &[Verdict]) -> impl Iterator<Item = (&Verdict, &Line, Option<&str>)> {
    verdicts.iter().flat_map(|verdict| {
        let lines = verdict.false_alerts.iter();
        lines.map(move |(line, harmless)| (verdict, line, harmless.as_deref()))
    })
}

fn print_detection(verdicts: &[Verdict]) {
    let mut rows: BTreeMap<(&str, String), Vec<Option<Found>>> = BTreeMap::new();
    for (_, attack, found) in attacks(verdicts) {
        let name = format!("{}{}", attack.kind, if attack.required { " *" } else { "" });
        rows.entry((&attack.analytic, name)).or_default().push(found);
    }
    println!(
        "\n{:8} {:34} {:>7} {:>5} {:>12} {:>9} {:>11}  severity",
        "analytic", "attack (* promised)", "planted", "found", "delay median", "max", "connections"
    );
    let mut total: BTreeMap<&str, Vec<Option<Found>>> = BTreeMap::new();
    for ((analytic, name), found) in &rows {
        print_row(analytic, name, found);
        total.entry(analytic).or_default().extend(found);
    }
    for (analytic, found) in &total {
        print_row(analytic, "all", found);
    }
}

fn print_row(analytic: &str, kind: &str, attacks: &[Option<Found>]) {
    let mut found: Vec<Found> = attacks.iter().flatten().copied().collect();
    found.sort_by(|one, other| one.delay.total_cmp(&other.delay));
    let delay = |found: Option<&Found>| found.map_or("-".into(), |found| seconds(found.delay));
    let connections = found.iter().map(|found| found.connections).max();
    let mut severities: BTreeMap<Severity, usize> = BTreeMap::new();
    for found in &found {
        *severities.entry(found.severity).or_default() += 1;
    }
    let severities: Vec<String> =
        severities.iter().rev().map(|(severity, count)| format!("{severity:?} {count}")).collect();
    println!(
        "{analytic:8} {kind:34} {:>7} {:>5} {:>12} {:>9} {:>11}  {}",
        attacks.len(),
        found.len(),
        delay(found.get(found.len() / 2)),
        delay(found.last()),
        connections.map_or("-".into(), |count| count.to_string()),
        severities.join(", ").to_lowercase(),
    );
}

fn print_false_alerts(verdicts: &[Verdict]) {
    let days: f64 = everyday(verdicts).map(|verdict| verdict.days).sum();
    let related: usize = verdicts.iter().map(|verdict| verdict.related).sum();
    println!(
        "\nFalse alerts in {days:.1} judged estate-days (and {related} about an attack by another analytic):"
    );
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for (_, line, _) in false_alerts(verdicts).filter(|(verdict, ..)| verdict.is_everyday) {
        *counts.entry((line.analytic.as_str(), line.severity)).or_default() += 1;
    }
    for ((analytic, severity), count) in counts.iter().rev() {
        let severity = format!("{severity:?}").to_lowercase();
        println!(
            "  {analytic} {severity:13} {count:>4}  {:.2} an estate-day",
            *count as f64 / days
        );
    }
    for verdict in verdicts.iter().filter(|verdict| !verdict.is_everyday) {
        println!(
            "  {}: {} in {:.0} days with {} guest operations and {} harmless changes of mirrors",
            verdict.name,
            verdict.false_alerts.len(),
            verdict.days,
            verdict.truth.operations,
            verdict.truth.changes,
        );
    }
    for (verdict, line, harmless) in false_alerts(verdicts) {
        if line.severity >= Severity::Medium || !verdict.is_everyday {
            println!(
                "  {} {} {:?} {} {}: {} [{}]",
                verdict.name,
                line.time,
                line.severity,
                line.analytic,
                line.asset.name,
                line.summary,
                harmless.unwrap_or("everyday traffic"),
            );
        }
    }
}

fn print_misses(verdicts: &[Verdict]) {
    println!("\nMissed:");
    for (verdict, attack, _) in attacks(verdicts).filter(|(.., found)| found.is_none()) {
        println!(
            "  {} {} {}{} of {} ({} connections, {} bytes)",
            verdict.name,
            attack.first,
            attack.kind,
            if attack.required { " *" } else { "" },
            attack.asset.name,
            attack.connections.len(),
            attack.bytes_out,
        );
    }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}
