//! An alert as people read it on a terminal: who, where, how much against what, since when,
//! why, and what to look at next.
//!
//! Names come from the wire: everything that is not ours goes through [`crate::text`].

use std::fmt;
use std::net::SocketAddr;

use super::{Alert, Destination, Evidence, Fact, Severity};
use crate::text::{grouped, printable, printable_within};
use crate::time::{ByteSize, Elapsed, Timestamp};

mod evidence;
mod explained;
mod mirroring;
mod next;
mod operations;

pub use explained::{Explained, explained};

/// How an alert is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With the colours of a terminal (ECMA-48).
    Colour,
}

/// `alert` in a few aligned lines, an empty one behind them.
pub fn human(alert: &Alert, style: Style) -> impl fmt::Display {
    fmt::from_fn(move |f| Layout { alert, style }.write(f))
}

/// The most pieces of evidence shown, those that weigh most; the rest is counted.
const MOST_EVIDENCE: usize = 8;

/// The longest title shown, in bytes: our sentence, with names from the wire in it.
const LONGEST_TITLE: usize = 200;

/// The longest summary shown, in bytes.
const LONGEST_SUMMARY: usize = 700;

struct Layout<'a> {
    alert: &'a Alert,
    style: Style,
}

impl Layout<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alert = self.alert;
        self.heading(f)?;
        writeln!(f, "  {}\n", printable_within(&alert.summary, LONGEST_SUMMARY))?;
        self.line(f, "who", self.who())?;
        if let Some(destination) = &alert.destination {
            self.line(f, "where", place(destination))?;
        }
        if let Some(amount) = alert.evidence.iter().find_map(evidence::amount) {
            self.line(f, "how much", amount)?;
            if let Some(correction) = evidence::correction(alert) {
                self.line(f, "", correction)?;
            }
        }
        self.line(f, "since", self.since())?;
        self.because(f)?;
        for (i, advice) in next::steps(alert).into_iter().enumerate() {
            self.line(f, if i == 0 { "next" } else { "" }, advice)?;
        }
        self.line(f, "alert", alert.id)?;
        f.write_str("\n")
    }

    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alert = self.alert;
        let severity = alert.severity.name().to_uppercase();
        self.paint(f, colour(alert.severity), severity)?;
        f.write_str("  ")?;
        self.paint(f, BOLD, printable_within(&alert.title, LONGEST_TITLE))?;
        let sure = (alert.confidence * 100.0).clamp(0.0, 100.0);
        let techniques = alert.techniques.join(", ");
        let origin = format_args!("  {sure:.0}% sure, {:?}, {techniques}", alert.analytic);
        self.paint(f, DIM, origin)?;
        f.write_str("\n")
    }

    fn who(&self) -> String {
        let asset = &self.alert.asset;
        let name = printable(&asset.name).to_string();
        // A discovered asset is named by its address.
        let address = asset.address.map(|address| address.to_string());
        let mut who = match address.filter(|address| *address != name) {
            Some(address) => format!("{name}, {address}"),
            None => name,
        };
        who += &format!(", {}", asset.role);
        if let Some(mac) = &asset.mac {
            who += &format!(", {}", printable(mac));
        }
        who
    }

    fn since(&self) -> String {
        let Alert { first_seen, last_seen, count, .. } = self.alert;
        let mut since = format!("{} UTC", first_seen.people());
        if last_seen > first_seen {
            since += &format!(", for {}", Elapsed(last_seen.since(*first_seen)));
        }
        if *count > 1 {
            since += &format!(", seen {} times", grouped(*count));
        }
        since
    }

    fn because(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = heaviest(&self.alert.evidence);
        for (i, piece) in shown.iter().enumerate() {
            let weight = match piece.weight {
                // What only tells the story, such as the DNS answer that a port follows from.
                -0.05..0.05 => String::new(),
                -99.9..99.9 => format!("{:+.1}", piece.weight),
                weight => format!("{weight:+.0}"),
            };
            let fact = evidence::sentence(&piece.fact);
            let text = format!("{weight:>5}  {}  {fact}", clock(piece.time));
            self.line(f, if i == 0 { "because" } else { "" }, text)?;
        }
        match self.alert.evidence.len() - shown.len() {
            0 => Ok(()),
            rest => {
                let text = format!("and {rest} more that weigh less; all are in the JSON");
                self.line(f, "", text)
            }
        }
    }

    fn line(
        &self,
        f: &mut fmt::Formatter<'_>,
        label: &str,
        text: impl fmt::Display,
    ) -> fmt::Result {
        f.write_str("  ")?;
        self.paint(f, DIM, format_args!("{label:<8}"))?;
        writeln!(f, "  {text}")
    }

    fn paint(
        &self,
        f: &mut fmt::Formatter<'_>,
        code: &str,
        text: impl fmt::Display,
    ) -> fmt::Result {
        match self.style {
            Style::Plain => write!(f, "{text}"),
            Style::Colour => write!(f, "\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";

/// Readable on dark and light screens: black or white on a ground of its own.
pub(crate) const fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "1;97;45",
        Severity::High => "1;97;41",
        Severity::Medium => "30;43",
        Severity::Low => "30;46",
        Severity::Informational => "30;47",
    }
}

/// The pieces that weigh most, either way, in their order; how far the numbers can be trusted is
/// always among them.
fn heaviest(evidence: &[Evidence]) -> Vec<&Evidence> {
    let mut shown: Vec<(usize, &Evidence)> = evidence.iter().enumerate().collect();
    let weight = |piece: &Evidence| match piece.fact {
        Fact::Mirror(_) => f64::INFINITY,
        _ => piece.weight.abs(),
    };
    shown.sort_by(|(_, a), (_, b)| weight(b).total_cmp(&weight(a)));
    shown.truncate(MOST_EVIDENCE);
    shown.sort_by_key(|(i, _)| *i);
    shown.into_iter().map(|(_, piece)| piece).collect()
}

fn place(destination: &Destination) -> String {
    let mut place = match destination.port {
        0 => destination.address.to_string(),
        port => SocketAddr::new(destination.address, port).to_string(),
    };
    if let Some(sni) = &destination.sni {
        place = format!("{}, {place}", printable(sni));
    }
    if let Some(ja4) = &destination.ja4 {
        place += &format!(", JA4 {}", printable(ja4));
    }
    place
}

fn clock(time: Timestamp) -> String {
    let text = time.people().to_string();
    text.split_once(' ').map_or(text.clone(), |(_, clock)| clock.to_owned())
}

/// What is usual, compared with what was seen.
fn usual(seen: u64, usual: u64) -> String {
    if usual == 0 {
        return "usually nothing".to_owned();
    }
    let size = ByteSize(usual);
    let times = seen as f64 / usual as f64;
    match times {
        10.0.. => format!("usually {size} ({} times)", grouped(times as u64)),
        1.05.. => format!("usually {size} ({times:.1} times)"),
        _ => format!("usually {size}"),
    }
}

#[cfg(test)]
mod tests;
