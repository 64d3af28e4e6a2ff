//! `egret alerts show`.

use std::io::{self, Write};

use serde_json::json;

use super::{short, write_json};
use crate::alert::Status;
use crate::alert::format::{Style, human};
use crate::evidence::Missing;
use crate::logging::has_colour;
use crate::store::{Owed, Stored};
use crate::text::{printable, printable_within};

pub(super) fn show(
    stored: &Stored,
    owed: &[Owed],
    missing: Option<&Missing>,
    as_json: bool,
    to: &mut impl Write,
) -> io::Result<()> {
    if as_json {
        return write_json(&object(stored, owed, missing), to);
    }
    let style = if has_colour(&io::stdout()) { Style::Colour } else { Style::Plain };
    write_text(stored, owed, missing, style, to)
}

/// The alert as it was told, then what happened to it.
pub(super) fn write_text(
    stored: &Stored,
    owed: &[Owed],
    missing: Option<&Missing>,
    style: Style,
    to: &mut impl Write,
) -> io::Result<()> {
    let text = human(&stored.alert, style).to_string();
    writeln!(to, "{}", text.trim_end())?;
    line(to, "stored", &format!("{} UTC, first raised", stored.raised.people()))?;
    line(to, "status", &status(stored))?;
    if let Some(note) = &stored.note {
        line(to, "note", &printable_within(note, 1000).to_string())?;
    }
    match missing {
        None => {
            let id = short(stored.alert.id);
            line(to, "packets", &format!("kept: egret alerts show {id} --pcap FILE"))?;
        }
        Some(missing) => line(to, "packets", &missing.to_string())?,
    }
    if owed.is_empty() {
        line(to, "deliver", "nobody waits for it")?;
    }
    for (i, owed) in owed.iter().enumerate() {
        line(to, if i == 0 { "deliver" } else { "" }, &delivery(owed))?;
    }
    writeln!(to)
}

fn line(to: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(to, "  {label:<8}  {text}")
}

fn status(stored: &Stored) -> String {
    let name = stored.alert.status.name();
    let Some((at, person)) = &stored.seen else { return name.to_owned() };
    let seen = format!("{} UTC by {}", at.people(), printable(person));
    match stored.alert.status {
        Status::Acknowledged => match stored.verdict {
            Some(verdict) => format!("{name} {seen} as {}", verdict.name()),
            None => format!("{name} {seen}"),
        },
        Status::Suppressed => format!("{name}; it was acknowledged {seen}"),
        Status::Open => format!("{name} again: it became worse after it was acknowledged {seen}"),
    }
}

fn delivery(owed: &Owed) -> String {
    let target = printable(&owed.target);
    let Some(error) = &owed.last_error else { return format!("{target} waits for it") };
    let attempts = match owed.attempts {
        1 => "1 attempt".to_owned(),
        attempts => format!("{attempts} attempts"),
    };
    let (next, error) = (owed.not_before.people(), printable_within(error, 400));
    format!("{target} waits for it, {attempts} failed, the next is at {next} UTC: {error}")
}

fn object(stored: &Stored, owed: &[Owed], missing: Option<&Missing>) -> serde_json::Value {
    let deliveries: Vec<_> = owed
        .iter()
        .map(|owed| {
            json!({
                "target": owed.target,
                "failed_attempts": owed.attempts,
                "not_before": (owed.attempts > 0).then_some(owed.not_before),
                "last_error": owed.last_error,
            })
        })
        .collect();
    json!({
        "alert": stored.alert,
        "raised": stored.raised,
        "note": stored.note,
        "acknowledged": stored.seen.as_ref().map(|(at, person)| json!({"time": at, "by": person})),
        "deliveries": deliveries,
        "packets": missing.is_none(),
    })
}
