//! What was raised beside: false alerts, those of the usual detectors, and how sure alerts say they are.

use std::fmt::Write;

use super::super::judge::{Days, Severity, Verdict};
use super::super::measures::{Bin, by_cause, calibration, calibration_error, false_alerts};
use super::super::text::{self, Table};
use super::super::watched::Watched;
use super::usual;

/// All sections about alerts.
pub(super) fn sections(verdicts: &[Verdict], folder: &str) -> String {
    let mut text = rates(verdicts);
    text += &causes(verdicts);
    text += &others(verdicts);
    text += &usual::section(verdicts, folder);
    text += &confidence(verdicts, folder);
    text
}

const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Informational];

fn rates(verdicts: &[Verdict]) -> String {
    let mut section = String::from("## False alerts\n\n");
    section += &by_severity(&Watched::everyday(verdicts));
    let peaceful = Watched::peaceful(verdicts);
    if !peaceful.is_empty() {
        section += "In estates without an attack alone, where the budget is the default:\n\n";
        section += &by_severity(&peaceful);
    }
    section + &held(verdicts) + &yearly(verdicts)
}

/// What the site's budget held back.
fn held(verdicts: &[Verdict]) -> String {
    let sum = |number: usize| -> usize {
        verdicts.iter().filter_map(|verdict| verdict.held.get(number)).sum()
    };
    format!(
        "Alerts that the site's budget held back in all estates: {}, of which {} are about an attack. They are \
         listed and not sent, so that they are neither found nor false here. What a person confirms to be an \
         incident takes nothing from the budget; nobody does here, so that in estates with attacks it has room for one \
         more for each.\n\n",
        sum(0),
        sum(1),
    )
}

fn by_severity(watched: &Watched<'_>) -> String {
    let mut table =
        Table::new(&["severity", "false alerts", "for 100 assets a week", "for a site a week"]);
    let mut row = |name: &str, is_counted: &dyn Fn(Severity) -> bool| {
        let count = watched.count(|alert| is_counted(alert.severity));
        table.row(&[
            name,
            &count.to_string(),
            &text::rate(watched.for_100_assets_a_week(count)),
            &text::rate(watched.for_a_site_a_week(count)),
        ]);
    };
    for severity in SEVERITIES {
        row(&severity.to_string(), &|other| other == severity);
    }
    row("medium or above", &|severity| severity >= Severity::Medium);
    row("high or above", &|severity| severity >= Severity::High);
    format!(
        "In {:.0} days of an estate, {:.0} of an asset.\n\n{}",
        watched.estate_days,
        watched.asset_days,
        table.finish()
    )
}

/// By analytic; days of odd ports show what AN0731 raises, too.
fn yearly(verdicts: &[Verdict]) -> String {
    let mut table = Table::new(&[
        "analytic",
        "days",
        "at high or above",
        "at medium",
        "for a site a year, at medium or above",
    ]);
    let with_ports =
        || Watched::of(verdicts, |it| matches!(it.days, Days::Everyday | Days::OddPorts));
    for analytic in ["AN0646", "AN0731", "AN1131", "AN1416"] {
        let watched = match analytic {
            "AN0731" => with_ports(),
            _ => Watched::everyday(verdicts),
        };
        let count = |is: &dyn Fn(Severity) -> bool| {
            watched.count(|alert| alert.line.analytic == analytic && is(alert.severity))
        };
        let high = count(&|severity| severity >= Severity::High);
        let medium = count(&|severity| severity == Severity::Medium);
        let yearly = watched.for_a_site_a_week(high + medium).scaled(365.25 / 7.0);
        table.row(&[
            analytic,
            &format!("{:.0}", watched.estate_days),
            &high.to_string(),
            &medium.to_string(),
            &text::rate(yearly),
        ]);
    }
    let days = with_ports().estate_days;
    format!(
        "{}No false alert in D days bounds the rate by 3/D (95 %): in {days:.0} days, by {} in a year of a site.\n\n",
        table.finish(),
        text::figure(3.0 / days * 365.25),
    )
}

fn causes(verdicts: &[Verdict]) -> String {
    let mut table =
        Table::new(&["analytic", "cause", "severity", "false alerts", "for 100 assets a week"]);
    let watched = Watched::everyday(verdicts);
    for ((analytic, cause, severity), count) in by_cause(verdicts) {
        table.row(&[
            analytic,
            &cause.replace('_', " "),
            &severity.to_string(),
            &count.to_string(),
            &text::rate(watched.for_100_assets_a_week(count)),
        ]);
    }
    format!("What caused them:\n\n{}", table.finish())
}

/// Estates of odd ports, of logs and of mirrors alone.
fn others(verdicts: &[Verdict]) -> String {
    let mut table = Table::new(&[
        "estate without everyday traffic",
        "days",
        "guest operations",
        "harmless changes of mirrors",
        "false at high or above",
        "at medium",
        "below",
    ]);
    let others: Vec<&Verdict> =
        verdicts.iter().filter(|verdict| verdict.days != Days::Everyday).collect();
    for verdict in &others {
        let one = std::slice::from_ref(*verdict);
        let count = |is: &dyn Fn(Severity) -> bool| {
            false_alerts(one).filter(|(_, alert)| is(alert.severity)).count().to_string()
        };
        table.row(&[
            &verdict.name,
            &format!("{:.0}", verdict.length),
            &verdict.truth.operations.to_string(),
            &verdict.truth.changes.to_string(),
            &count(&|severity| severity >= Severity::High),
            &count(&|severity| severity == Severity::Medium),
            &count(&|severity| severity < Severity::Medium),
        ]);
    }
    if others.is_empty() { String::new() } else { table.finish() }
}

fn confidence(verdicts: &[Verdict], folder: &str) -> String {
    let mut section = format!(
        "## Confidence\n\nWhat alerts say of themselves in `confidence` beside the share of them that was about an \
         attack, alerts at all severities. The share depends on how many attacks are planted: sites with fewer see \
         a lower one.\n\n![Stated confidence against the share that was right]({folder}/confidence.svg)\n\n"
    );
    let mut table = Table::new(&["analytic", "stated", "on average", "alerts", "about an attack"]);
    let mut off = Vec::new();
    for analytic in ["AN1416", "AN0731"] {
        let bins = calibration(verdicts, analytic);
        off.extend(calibration_error(&bins).map(|error| format!("{error:.3} for {analytic}")));
        for bin in bins {
            let Bin { from, to, stated, right, alerts } = bin;
            table.row(&[
                analytic,
                &format!("{from} to {to}"),
                &format!("{stated:.2}"),
                &alerts.to_string(),
                &text::share(right, alerts),
            ]);
        }
    }
    section += &table.finish();
    let _ = writeln!(
        section,
        "On average over the alerts, bin by bin, stated confidence and share differ by {}.\n",
        if off.is_empty() { "nothing, as there are none".into() } else { off.join(" and ") }
    );
    section
}
