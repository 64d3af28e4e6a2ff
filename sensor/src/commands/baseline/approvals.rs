//! Approvals in words.

use std::io::{self, Write};

use serde_json::json;

use crate::commands::table::{Cell, Table};
use crate::config::Approve;
use crate::store::Approval;
use crate::text::printable;

/// Lists what the config approves, then what was approved beside it.
pub(super) fn list(
    config: &[Approve],
    given: &[Approval],
    as_json: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    if as_json {
        for entry in config {
            writeln!(to, "{}", object(entry, None))?;
        }
        for approval in given {
            writeln!(to, "{}", object(&approval.entry, Some(approval)))?;
        }
        return Ok(());
    }
    if config.is_empty() && given.is_empty() {
        return writeln!(to, "nothing is approved; egret baseline approve --help says how to");
    }
    let mut table = Table::new(["NUMBER", "GIVEN (UTC)", "BY", "FOR", "TO", "NOTE"]);
    let note = |entry: &Approve| Cell::name(entry.note.as_deref().unwrap_or_default(), 200);
    let who = |entry: &Approve| Cell::name(&entry.who(), 24);
    let place = |entry: &Approve| Cell::name(&entry.place(), 30);
    for entry in config {
        let (number, time, person) = (Cell::number("config"), Cell::text(""), Cell::text(""));
        table.row([number, time, person, who(entry), place(entry), note(entry)]);
    }
    for Approval { number, given, person, entry } in given {
        let time = given.people().to_string();
        table.row([
            Cell::number(number),
            Cell::text(time.get(..16).unwrap_or(&time)),
            Cell::name(person, 10),
            who(entry),
            place(entry),
            note(entry),
        ]);
    }
    write!(to, "{}", table.under(""))
}

/// What an approval allows.
pub(super) fn sentence(entry: &Approve) -> String {
    let note = entry.note.as_ref().map_or(String::new(), |note| format!(" ({})", printable(note)));
    format!("{} may reach {}{note}", printable(&entry.who()), printable(&entry.place()))
}

fn object(entry: &Approve, given: Option<&Approval>) -> serde_json::Value {
    let roles: Vec<_> = entry.roles.iter().map(|role| role.name()).collect();
    let names: Vec<_> = entry.sni.iter().map(ToString::to_string).collect();
    let networks: Vec<_> = entry.destinations.iter().map(ToString::to_string).collect();
    json!({
        "number": given.map(|approval| approval.number),
        "given": given.map(|approval| approval.given),
        "by": given.map_or("config", |approval| approval.person.as_str()),
        "asset": entry.assets,
        "role": roles,
        "sni": names,
        "destination": networks,
        "port": entry.ports,
        "note": entry.note,
    })
}
