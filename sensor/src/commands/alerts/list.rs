//! `egret alerts list`.

use std::io::{self, Write};

use super::{AlertsError, short, write_json};
use crate::alert::format::colour;
use crate::alert::{Alert, Severity, Status};
use crate::cli::AlertsList;
use crate::commands::table::{Cell, Table};
use crate::logging::has_colour;
use crate::store::Store;
use crate::store::keeper::Wanted;
use crate::system::now;
use crate::text::{counted, grouped};

pub(super) fn list(
    store: &Store,
    list: &AlertsList,
    to: &mut impl Write,
) -> Result<(), AlertsError> {
    let wanted = Wanted {
        min_severity: list.severity,
        status: list.status,
        asset: list.asset.clone(),
        analytic: None,
        since: list.since.map(|since| now().minus(since)),
        // One more tells whether there are more.
        limit: if list.limit == 0 { 0 } else { list.limit.saturating_add(1) },
    };
    let mut alerts = store.alerts(&wanted)?;
    let are_more = list.limit > 0 && alerts.len() > list.limit;
    if are_more {
        alerts.truncate(list.limit);
    }
    if list.json {
        for alert in &alerts {
            write_json(alert, to)?;
        }
        return Ok(());
    }
    let is_filtered = list.severity.is_some()
        || list.status.is_some()
        || list.asset.is_some()
        || list.since.is_some();
    let colours = has_colour(&io::stdout());
    write_table(&alerts, are_more, is_filtered, colours, to)?;
    let held = if list.status.is_none() { store.suppressed()? } else { 0 };
    if held > 0 {
        let alerts = counted(held, "weak alert");
        writeln!(
            to,
            "Held back beyond the site's budget: {alerts}; egret alerts list --status suppressed"
        )?;
    }
    Ok(())
}

/// The alerts, and below them what to do next.
pub(super) fn write_table(
    alerts: &[Alert],
    are_more: bool,
    is_filtered: bool,
    colours: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    let Some(latest) = alerts.first() else {
        let none =
            if is_filtered { "no stored alert is like that" } else { "no alerts are stored" };
        return writeln!(to, "{none}");
    };
    if alerts.iter().any(|alert| alert.sensor != latest.sensor) {
        let mut table = Table::new([
            "ALERT",
            "CHANGED (UTC)",
            "SEVERITY",
            "STATUS",
            "SENSOR",
            "ASSET",
            "WHERE",
            "WHAT",
        ]);
        for alert in alerts {
            let [id, time, severity, status, rest @ ..] = cells(alert, colours);
            let [asset, place, what] = rest;
            let sensor = Cell::name(&alert.sensor, 14);
            table.row([id, time, severity, status, sensor, asset, place, what]);
        }
        write!(to, "{}", table.under(""))?;
    } else {
        let mut table =
            Table::new(["ALERT", "CHANGED (UTC)", "SEVERITY", "STATUS", "ASSET", "WHERE", "WHAT"]);
        alerts.iter().for_each(|alert| table.row(cells(alert, colours)));
        write!(to, "{}", table.under(""))?;
    }
    let open = alerts.iter().filter(|alert| alert.status == Status::Open).count();
    let count = grouped(alerts.len() as u64);
    let shown = match alerts.len() {
        1 => "1 alert".to_owned(),
        _ if are_more => format!("the {count} latest alerts (--limit 0: all)"),
        _ => format!("{count} alerts"),
    };
    let id = short(latest.id);
    writeln!(to, "\n{shown}, {} open. Why: egret alerts show {id}", grouped(open as u64))
}

fn cells(alert: &Alert, colours: bool) -> [Cell; 7] {
    let paint = colours.then(|| colour(alert.severity));
    let time = alert.time.people().to_string();
    [
        Cell::text(short(alert.id)),
        // To the minute.
        Cell::text(time.get(..16).unwrap_or(&time)),
        Cell::text(severity(alert.severity)).coloured(paint),
        Cell::text(match alert.status {
            Status::Open => "open",
            Status::Acknowledged => "seen",
            Status::Suppressed => "held",
        }),
        Cell::name(&alert.asset.name, 18),
        place(alert),
        Cell::name(&alert.title, 200),
    ]
}

fn place(alert: &Alert) -> Cell {
    let Some(destination) = &alert.destination else { return Cell::text("") };
    match &destination.sni {
        Some(sni) => Cell::name(sni, 24),
        None => Cell::text(destination.address),
    }
}

/// Its name, in a word that leaves room for others.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "info",
        other => other.name(),
    }
}
