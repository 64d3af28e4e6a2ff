//! Joins what was raised with what was planted.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::Context;
use egret_tests::scenario::HOUR;
use egret_tests::scenario::truth::{Attack, Time, Truth};
use serde::Deserialize;

mod mirrors;
mod operations;

/// How bad an alert is, as it names it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// From here on an attack counts as found: what is below is looked at when there is time.
const FOUND: Severity = Severity::Medium;

/// An alert that began after an attack ended is about it for this long.
const AFTERWARDS: u64 = HOUR;

/// What is read of a line of the alert schema `egret.alert/1`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Line {
    id: String,
    pub(super) time: Time,
    pub(super) analytic: String,
    pub(super) severity: Severity,
    pub(super) summary: String,
    pub(super) asset: Asset,
    destination: Option<Destination>,
    #[serde(default)]
    evidence: Vec<Piece>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asset {
    pub(super) name: String,
    /// Of a machine that only logs name it may not be known.
    address: Option<IpAddr>,
}

#[derive(Debug, Clone, Deserialize)]
struct Destination {
    address: IpAddr,
    sni: Option<String>,
}

/// What is read of a piece of evidence; those of some kinds have none of it.
#[derive(Debug, Clone, Deserialize)]
struct Piece {
    time: Time,
    finding: Option<String>,
    account: Option<String>,
    #[serde(default)]
    vms: Vec<String>,
    /// The id of an audit record.
    record: Option<String>,
    /// Of mirrored traffic.
    packets: Option<u64>,
}

/// All lines of one alert, in order.
pub(super) type Alert = Vec<Line>;

/// Reads JSON lines and brings those of one alert together, in order of the first lines.
pub(super) fn alerts(text: &str) -> anyhow::Result<Vec<Alert>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut alerts: Vec<Alert> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line: Line =
            serde_json::from_str(line).with_context(|| format!("alert line {}", number + 1))?;
        let place = *places.entry(line.id.clone()).or_insert(alerts.len());
        match alerts.get_mut(place) {
            Some(alert) => alert.push(line),
            None => alerts.push(vec![line]),
        }
    }
    Ok(alerts)
}

/// What came of one estate.
pub(super) struct Verdict {
    pub(super) name: String,
    /// Whether there was everyday traffic; of others, nothing but what was planted may be raised.
    pub(super) is_everyday: bool,
    pub(super) truth: Truth,
    /// Days that were judged.
    pub(super) days: f64,
    /// For each attack of the truth, what found it.
    pub(super) found: Vec<Option<Found>>,
    /// The last line of each alert that is about no attack, and what harmless thing it is about.
    pub(super) false_alerts: Vec<(Line, Option<String>)>,
    /// Alerts of one analytic about an attack that another one has to find.
    pub(super) related: usize,
}

/// How an attack was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Seconds from its first packet to the first line that counts.
    pub(super) delay: f64,
    /// Connections it had opened by then.
    pub(super) connections: usize,
    /// Severity of the last line.
    pub(super) severity: Severity,
    /// How many alerts of its analytic are about it.
    pub(super) alerts: usize,
    /// Whether one says all that the truth asks for: who, where and what is wrong with it.
    pub(super) is_complete: bool,
}

/// Joins an estate's alerts with its truth.
pub(super) fn judge(
    name: String,
    truth: Truth,
    days: f64,
    is_everyday: bool,
    alerts: Vec<Alert>,
) -> Verdict {
    let mut verdict = Verdict {
        name,
        is_everyday,
        found: truth.attacks.iter().map(|attack| find(attack, &alerts)).collect(),
        false_alerts: Vec::new(),
        related: 0,
        days,
        truth,
    };
    for alert in alerts {
        let about: Vec<&Attack> = verdict
            .truth
            .attacks
            .iter()
            .filter(|attack| alert.iter().any(|line| is_about(line, attack)))
            .collect();
        let Some(last) = alert.last() else { continue };
        if about.iter().any(|attack| attack.analytic == last.analytic) {
            continue;
        }
        // That an attack stands out to another analytic too is no mistake.
        let is_of_one =
            |attack: &&Attack| last.analytic == "AN0646" || names_a_destination(last, attack);
        if about.iter().any(is_of_one) || operations::follows(last, &verdict.truth) {
            verdict.related += 1;
            continue;
        }
        let harmless = hard_negative(last, &verdict.truth);
        verdict.false_alerts.push((last.clone(), harmless));
    }
    verdict
}

fn find(attack: &Attack, alerts: &[Alert]) -> Option<Found> {
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
                delay: first.time.0.saturating_sub(attack.first.0) as f64 / 1e9,
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
}

/// Whether asset, time and destination (where the line has one) are an attack's.
fn is_about(line: &Line, attack: &Attack) -> bool {
    let is_in_time =
        line.time >= microsecond(attack.first) && line.time.0 <= attack.last.0 + AFTERWARDS;
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
        let by_name = attack.kind != "exfiltration.usual_sni"
            && attack.sni.is_some()
            && destination.sni == attack.sni;
        by_name || attack.destinations.iter().any(|known| known.address == destination.address)
    })
}

fn is_asset(line: &Line, asset: &egret_tests::scenario::truth::Asset) -> bool {
    line.asset.name == asset.name
        || line.asset.address.is_some_and(|address| asset.addresses.contains(&address))
}

/// What harmless thing a false alert is about, where that was noted: a visit, else a habit.
fn hard_negative(line: &Line, truth: &Truth) -> Option<String> {
    let destination = line.destination.as_ref();
    let mut of_asset =
        truth.hard_negatives.iter().filter(|negative| is_asset(line, &negative.asset));
    let visit = of_asset.clone().find(|negative| {
        destination.is_some_and(|destination| {
            negative.destination.is_some_and(|known| known.address == destination.address)
                || (negative.sni.is_some() && negative.sni == destination.sni)
        })
    });
    match visit {
        Some(visit) => Some(format!("{} of {} bytes", visit.kind, visit.bytes_out)),
        None => of_asset.find(|habit| habit.destination.is_none()).map(|habit| habit.kind.clone()),
    }
}

/// Captures and alerts have microseconds: the truth must not seem later than they are.
const fn microsecond(time: Time) -> Time {
    Time(time.0 - time.0 % 1000)
}

#[cfg(test)]
mod tests {
    use egret_tests::scenario::truth;

    use super::*;

    const START: u64 = 1_772_409_600_000_000_000;

    fn attack(kind: &str, analytic: &str) -> Attack {
        Attack {
            kind: kind.into(),
            analytic: analytic.into(),
            required: true,
            asset: truth::Asset {
                name: "app-02".into(),
                addresses: vec!["10.20.0.12".parse().unwrap()],
            },
            first: Time(START),
            last: Time(START + 600_000_000_000),
            connections: (0..3).map(|n| Time(START + n * 60_000_000_000)).collect(),
            destinations: vec![truth::Destination {
                address: "198.51.100.7".parse().unwrap(),
                port: 443,
            }],
            sni: Some("www.new.example".into()),
            bytes_out: 1,
            operations: None,
            mirror: None,
            evasion: None,
            prepared: None,
            exfiltration: None,
            beacon: None,
        }
    }

    fn line(id: &str, seconds: u64, analytic: &str, severity: &str, address: &str) -> String {
        format!(
            r#"{{"id":"{id}","time":"{}","analytic":"{analytic}","severity":"{severity}","summary":"s","asset":{{"name":"10.20.0.12","role":"guest","address":"10.20.0.12"}},"destination":{{"address":"{address}","port":443}},"count":1}}"#,
            Time(START + seconds * 1_000_000_000)
        )
    }

    fn verdict(attacks: Vec<Attack>, lines: &[String]) -> Verdict {
        let truth = Truth {
            seed: 1,
            start: Time(START - 1),
            learned: Time(START - 1),
            end: Time(START + 1),
            attacks,
            hard_negatives: Vec::new(),
            operations: 0,
            changes: 0,
            assets: 1,
            harsh: Vec::new(),
        };
        judge("estate-1".into(), truth, 2.0, true, alerts(&lines.join("\n")).unwrap())
    }

    #[test]
    fn the_delay_is_that_of_the_first_line_that_counts_and_the_severity_the_last_ones() {
        let verdict = verdict(
            vec![attack("exfiltration.one_session", "AN1416")],
            &[
                line("a", 5, "AN1416", "low", "198.51.100.7"),
                line("b", 6, "AN1416", "low", "192.0.2.1"),
                line("a", 70, "AN1416", "medium", "198.51.100.7"),
                line("a", 90, "AN1416", "critical", "198.51.100.7"),
            ],
        );
        let found = verdict.found[0].unwrap();
        assert_eq!((found.delay, found.connections), (70.0, 2));
        assert_eq!(found.severity, Severity::Critical);
        assert_eq!(verdict.false_alerts.len(), 1, "another destination is another story");
    }

    #[test]
    fn too_early_too_late_or_too_low_finds_nothing() {
        let early = Time(START - 1_000_000_000).to_string();
        let late = Time(START + 4_300_000_000_000).to_string();
        let made = |time: &str| {
            line("a", 0, "AN1416", "high", "198.51.100.7").replace(&Time(START).to_string(), time)
        };
        for lines in [
            vec![made(&early)],
            vec![made(&late)],
            vec![line("a", 0, "AN1416", "low", "198.51.100.7")],
        ] {
            let verdict = verdict(vec![attack("exfiltration.pieces", "AN1416")], &lines);
            assert_eq!(verdict.found, [None]);
        }
    }

    #[test]
    fn what_the_other_analytic_says_about_an_attack_is_related_not_false() {
        let verdict = verdict(
            vec![attack("dns_port.apt12", "AN0731")],
            &[line("a", 5, "AN1416", "medium", "198.51.100.7")],
        );
        assert_eq!((verdict.related, verdict.false_alerts.len()), (1, 0));
        assert_eq!(verdict.found, [None]);
    }
}
