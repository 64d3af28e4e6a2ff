//! Prints what an evaluation came to.

use std::collections::BTreeMap;

use super::document::channels::lines;
use super::judge::{About, Days, Found, Missed, Severity, Verdict};
use super::measures::{delays, false_alerts, outcomes};
use super::text;
use super::watched::Watched;

/// Prints tables, misses and false alerts.
pub(super) fn print(verdicts: &[Verdict]) {
    print_detection(verdicts);
    print_false_alerts(verdicts);
    print_misses(verdicts);
}

fn print_detection(verdicts: &[Verdict]) {
    let mut rows: BTreeMap<(&str, String), Vec<&Result<Found, Missed>>> = BTreeMap::new();
    for (_, attack, outcome) in outcomes(verdicts) {
        let name = format!("{}{}", attack.kind, if attack.required { " *" } else { "" });
        rows.entry((&attack.analytic, name)).or_default().push(outcome);
    }
    println!(
        "\n{:8} {:34} {:>7} {:>5} {:>12} {:>9} {:>11}  severity",
        "analytic", "attack (* promised)", "planted", "found", "delay median", "max", "connections"
    );
    let mut total: BTreeMap<&str, Vec<&Result<Found, Missed>>> = BTreeMap::new();
    for ((analytic, name), outcomes) in &rows {
        print_row(analytic, name, outcomes);
        total.entry(analytic).or_default().extend(outcomes);
    }
    for (analytic, outcomes) in &total {
        print_row(analytic, "all", outcomes);
    }
}

fn print_row(analytic: &str, kind: &str, outcomes: &[&Result<Found, Missed>]) {
    let found: Vec<&Found> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    let delays = delays(found.iter().map(|found| found.delay));
    let delay = |seconds: Option<f64>| seconds.map_or("-".into(), text::seconds);
    let connections = found.iter().map(|found| found.connections).max();
    let mut severities: BTreeMap<Severity, usize> = BTreeMap::new();
    for found in &found {
        *severities.entry(found.severity).or_default() += 1;
    }
    let severities: Vec<String> =
        severities.iter().rev().map(|(severity, count)| format!("{severity} {count}")).collect();
    println!(
        "{analytic:8} {kind:34} {:>7} {:>5} {:>12} {:>9} {:>11}  {}",
        outcomes.len(),
        found.len(),
        delay(delays.map(|delays| delays.median)),
        delay(delays.map(|delays| delays.longest)),
        connections.map_or("-".into(), |count| count.to_string()),
        severities.join(", "),
    );
}

fn print_false_alerts(verdicts: &[Verdict]) {
    let days = Watched::everyday(verdicts).estate_days;
    let alerts = verdicts.iter().flat_map(|verdict| &verdict.alerts);
    let related = alerts.filter(|alert| alert.about == About::Related).count();
    println!(
        "\nFalse alerts in {days:.1} judged estate-days (and {related} about an attack by another analytic):"
    );
    let mut counts: BTreeMap<(&str, Severity), usize> = BTreeMap::new();
    for (_, alert) in false_alerts(verdicts).filter(|(verdict, ..)| verdict.days == Days::Everyday)
    {
        *counts.entry((alert.line.analytic.as_str(), alert.severity)).or_default() += 1;
    }
    for ((analytic, severity), count) in counts.iter().rev() {
        println!(
            "  {analytic} {severity:13} {count:>4}  {:.2} an estate-day",
            *count as f64 / days
        );
    }
    for line in lines(verdicts) {
        let [count, medium] = line.counts;
        println!("    {:22} {count:>4}, {medium} of them medium or above", line.of.name);
    }
    for verdict in verdicts.iter().filter(|verdict| verdict.days != Days::Everyday) {
        println!(
            "  {}: {} in {:.0} days with {} guest operations and {} harmless changes of mirrors",
            verdict.name,
            false_alerts(std::slice::from_ref(verdict)).count(),
            verdict.length,
            verdict.truth.operations,
            verdict.truth.changes,
        );
    }
    for (verdict, alert) in false_alerts(verdicts) {
        let About::Harmless(cause) = &alert.about else { continue };
        if alert.severity >= Severity::Medium || verdict.days != Days::Everyday {
            println!(
                "  {} {} {} {} {}: {} [{}]",
                verdict.name,
                alert.line.time,
                alert.severity,
                alert.line.analytic,
                alert.line.asset.name,
                alert.line.summary,
                cause.as_ref().map_or("everyday traffic".into(), ToString::to_string),
            );
        }
    }
}

fn print_misses(verdicts: &[Verdict]) {
    println!("\nMissed:");
    for (verdict, attack, outcome) in outcomes(verdicts) {
        let Err(missed) = outcome else { continue };
        println!(
            "  {} {} {}{} of {} ({} connections, {} bytes): {missed}",
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
