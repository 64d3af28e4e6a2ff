//! Joins what was raised with what was planted.

use std::fmt;

use egret_tests::scenario::truth::{Attack, HardNegative, Time, Truth};
use egret_tests::scenario::{DAY, HOUR};

use super::usual::Usual;
use line::Alert;
pub(super) use line::{Held, Line, Severity, alerts, held};

mod line;
mod mirrors;
mod operations;
#[cfg(test)]
mod tests;

/// From here on an attack counts as found: what is below is looked at when there is time.
const FOUND: Severity = Severity::Medium;

/// An alert that began after an attack ended is about it for this long.
const AFTERWARDS: u64 = HOUR;

/// What an estate's days are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// Everyday traffic, and attacks.
    Everyday,
    /// Openings of connections to odd ports, and no attack.
    OddPorts,
    /// Logs and mirrors only: nothing but what was planted may be raised.
    Quiet,
}

/// What came of one estate.
pub(super) struct Verdict {
    pub(super) name: String,
    pub(super) days: Days,
    pub(super) truth: Truth,
    /// Days that were judged.
    pub(super) length: f64,
    /// What the usual detectors made of it, where they were asked.
    pub(super) usual: Vec<Usual>,
    /// For each attack of the truth, what found it.
    pub(super) outcomes: Vec<Result<Found, Missed>>,
    /// Every alert.
    pub(super) alerts: Vec<Judged>,
    /// Alerts that were held back, and how many of them are about an attack.
    pub(super) held: [usize; 2],
}

/// How an attack was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Seconds from its first byte, where it takes some out, else from its first packet to the first line that
    /// counts; 0 where that came earlier.
    pub(super) delay: f64,
    /// Connections it had opened by then.
    pub(super) connections: usize,
    /// Severity of the last line.
    pub(super) severity: Severity,
    /// How many alerts of its analytic are about it; all but one are duplicates.
    pub(super) alerts: usize,
    /// Whether one says all that the truth asks for: who, where and what is wrong with it.
    pub(super) is_complete: bool,
}

/// What there was of an attack that was not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missed {
    /// An alert below what counts.
    TooLow(Severity),
    /// An alert that was held back, as the site had more of late than its budget allows.
    HeldBack,
    /// An alert of an analytic that need not find it.
    ByAnother(String),
    Unnoticed,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLow(severity) => write!(f, "only an alert at {severity}"),
            Self::HeldBack => f.write_str("an alert that was held back"),
            Self::ByAnother(analytic) => write!(f, "only an alert of {analytic}"),
            Self::Unnoticed => f.write_str("no alert"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        self.bytes.map_or(Ok(()), |bytes| write!(f, " of {bytes} bytes"))
    }
}

/// An alert, as it was in the end.
pub(super) struct Judged {
    /// Its last line.
    pub(super) line: Line,
    /// The highest severity it ever had: for that somebody was called.
    pub(super) severity: Severity,
    pub(super) about: About,
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum About {
    Attack,
    /// An attack that another analytic has to find: that it stands out to this one too is no mistake.
    Related,
    /// No attack: a false alert. It has the harmless thing that it is about, where that was noted.
    Harmless(Option<Cause>),
}

/// What harmless thing caused a false alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) kind: String,
    /// What it sent, where it is one visit.
    pub(super) bytes: Option<u64>,
}

/// What an estate is called, and what of it is not in its truth.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) days: Days,
    pub(super) usual: Vec<Usual>,
    pub(super) held: Vec<Held>,
}

/// Joins an estate's alerts with its truth.
pub(super) fn judge(subject: Subject, truth: Truth, alerts: &[Alert]) -> Verdict {
    let judged = alerts.iter().filter_map(|alert| {
        Some(Judged {
            line: alert.last()?.clone(),
            severity: alert.iter().map(|line| line.severity).max()?,
            about: about(alert, &truth)?,
        })
    });
    let held = subject.held.as_slice();
    let about_one = |held: &&Held| truth.attacks.iter().any(|attack| is_held_about(held, attack));
    Verdict {
        held: [held.len(), held.iter().filter(about_one).count()],
        name: subject.name,
        days: subject.days,
        usual: subject.usual,
        length: (truth.end.0 - truth.learned.0) as f64 / DAY as f64,
        outcomes: truth.attacks.iter().map(|attack| find(attack, alerts, held)).collect(),
        alerts: judged.collect(),
        truth,
    }
}

fn about(alert: &Alert, truth: &Truth) -> Option<About> {
    let last = alert.last()?;
    let attacks: Vec<&Attack> = truth
        .attacks
        .iter()
        .filter(|attack| alert.iter().any(|line| is_about(line, attack)))
        .collect();
    if attacks.iter().any(|attack| attack.analytic == last.analytic) {
        return Some(About::Attack);
    }
    let is_of_one =
        |attack: &&Attack| last.analytic == "AN0646" || names_a_destination(last, attack);
    if attacks.iter().any(is_of_one) || operations::follows(last, truth) {
        return Some(About::Related);
    }
    Some(About::Harmless(cause(last, truth)))
}

fn find(attack: &Attack, alerts: &[Alert], held: &[Held]) -> Result<Found, Missed> {
    let is_of_it = |line: &&Line| {
        line.analytic == attack.analytic && line.severity >= FOUND && is_about(line, attack)
    };
    let about: Vec<&Alert> =
        alerts.iter().filter(|alert| alert.iter().any(|line| is_of_it(&line))).collect();
    about
        .iter()
        .filter_map(|alert| {
            let first = alert.iter().find(is_of_it)?;
            Some(Found {
                delay: first.time.0.saturating_sub(begin(attack).0) as f64 / 1e9,
                connections: attack
                    .connections
                    .iter()
                    .filter(|time| microsecond(**time) <= first.time)
                    .count(),
                severity: alert.last()?.severity,
                alerts: about.len(),
                is_complete: operations::is_told(attack, alert.last()?)
                    && mirrors::is_told(attack, alert.last()?),
            })
        })
        .min_by(|one, other| one.delay.total_cmp(&other.delay))
        .ok_or_else(|| missed(attack, alerts, held))
}

fn missed(attack: &Attack, alerts: &[Alert], held: &[Held]) -> Missed {
    let lines = || alerts.iter().flatten().filter(|line| is_about(line, attack));
    let own = lines().filter(|line| line.analytic == attack.analytic).map(|line| line.severity);
    match (own.max(), lines().find(|line| line.severity >= FOUND)) {
        _ if held.iter().any(|held| is_held_about(held, attack)) => Missed::HeldBack,
        (Some(severity), _) => Missed::TooLow(severity),
        (None, Some(line)) => Missed::ByAnother(line.analytic.clone()),
        (None, None) => Missed::Unnoticed,
    }
}

/// Whether analytic, asset and time are an attack's: that is all a summary tells of them.
fn is_held_about(held: &Held, attack: &Attack) -> bool {
    let names = || attack.asset.addresses.iter().map(ToString::to_string);
    held.analytic == attack.analytic
        && (held.asset == attack.asset.name || names().any(|name| name == held.asset))
        && is_in_time(held.time, attack)
}

fn is_in_time(time: Time, attack: &Attack) -> bool {
    let from = microsecond(attack.prepared.unwrap_or(attack.first));
    time >= from && time.0 <= attack.last.0 + AFTERWARDS
}

/// What delays count from: the first byte that leaves, else the first packet.
fn begin(attack: &Attack) -> Time {
    attack.exfiltration.as_ref().map_or(attack.first, |extent| extent.first_byte)
}

/// Whether asset, time and destination (where the line has one) are an attack's.
fn is_about(line: &Line, attack: &Attack) -> bool {
    let is_in_time = is_in_time(line.time, attack);
    match line.analytic.as_str() {
        "AN0646" => return operations::is_about(line, attack),
        "AN1131" => return is_in_time && mirrors::is_about(line, attack),
        _ => {}
    }
    is_in_time
        && is_asset(line, &attack.asset)
        && (line.destination.is_none() || names_a_destination(line, attack))
}

fn names_a_destination(line: &Line, attack: &Attack) -> bool {
    line.destination.as_ref().is_some_and(|destination| {
        // An attack under a usual name is told from the usual place by its address alone.
        let is_usual =
            ["usual_sni", "spoofed_answers"].map(Some).contains(&attack.evasion.as_deref());
        let by_name = !is_usual && attack.sni.is_some() && destination.sni == attack.sni;
        by_name || attack.destinations.iter().any(|known| known.address == destination.address)
    })
}

fn is_asset(line: &Line, asset: &egret_tests::scenario::truth::Asset) -> bool {
    line.asset.name == asset.name
        || line.asset.address.is_some_and(|address| asset.addresses.contains(&address))
}

/// Habits that lead to odd ports; the others move volumes.
const OF_PORTS: [&str; 3] = ["peer_to_peer", "sharded_service", "resolver_over_https"];

/// What harmless thing a false alert is about, where that was noted: a visit to its place, else the latest habit
/// that its analytic could have stumbled over.
fn cause(line: &Line, truth: &Truth) -> Option<Cause> {
    let mut before = truth
        .hard_negatives
        .iter()
        .rev()
        .filter(|negative| is_asset(line, &negative.asset) && negative.first <= line.time);
    let visit = before.clone().find(|negative| {
        line.destination.as_ref().is_some_and(|destination| {
            negative.destination.is_some_and(|known| known.address == destination.address)
                || (negative.sni.is_some() && negative.sni == destination.sni)
        })
    });
    if let Some(visit) = visit {
        return Some(Cause { kind: visit.kind.clone(), bytes: Some(visit.bytes_out) });
    }
    let is_habit = |negative: &&HardNegative| {
        let is_of_ports = OF_PORTS.contains(&negative.kind.as_str());
        negative.destination.is_none()
            && match line.analytic.as_str() {
                "AN0731" => is_of_ports,
                "AN1416" => !is_of_ports,
                _ => false,
            }
    };
    before.find(is_habit).map(|habit| Cause { kind: habit.kind.clone(), bytes: None })
}

/// Captures and alerts have microseconds: the truth must not seem later than they are.
const fn microsecond(time: Time) -> Time {
    Time(time.0 - time.0 % 1000)
}
