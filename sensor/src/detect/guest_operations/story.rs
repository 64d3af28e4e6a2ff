//! A case as an alert tells it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::case::Case;
use super::weigh::{Finding, Found, PRIOR};
use crate::alert::{
    self, Alert, Analytic, Compared, Evidence, Fact, Operations, SCHEMA, Severity, Status, UNNAMED,
};
use crate::config::Role;
use crate::detect::estate::Estate;
use crate::detect::operations::SHOWN;
use crate::detect::statistics::{confidence, shown};
use crate::text::{counted, grouped, listed};

/// Who tells what.
pub(super) struct Story<'a> {
    pub(super) case: &'a Case,
    pub(super) estate: &'a Estate,
    /// The business hours of the config.
    pub(super) hours: &'a str,
}

impl Story<'_> {
    /// The alert but for its id, severity, count and time.
    pub(super) fn alert(&self, sum: f64) -> Alert {
        let case = self.case;
        Alert {
            schema: SCHEMA.into(),
            id: uuid::Uuid::nil(),
            time: case.last_seen,
            sensor: self.estate.sensor.clone(),
            analytic: Analytic::AN0646,
            techniques: vec!["T1675".into()],
            title: self.title(),
            summary: self.summary(),
            severity: Severity::Medium,
            confidence: confidence(sum),
            asset: self.asset(),
            destination: None,
            evidence: self.evidence(),
            first_seen: case.first_seen,
            last_seen: case.last_seen,
            count: 1,
            status: Status::Open,
            flow: None,
        }
    }

    fn title(&self) -> String {
        let place = match self.case.vms.len() {
            0 | 1 => "in a guest".to_owned(),
            vms => format!("in {} guests", grouped(vms as u64)),
        };
        if self.case.found.contains_key(&Finding::FilesPulled) {
            return format!("Unusual guest operations {place}, files taken out");
        }
        format!("Unusual guest operations {place}")
    }

    /// The guest where it is one, else the host that an unknown account used, else the guest with
    /// most of it.
    fn asset(&self) -> alert::Asset {
        let case = self.case;
        if (case.vms.is_empty() || case.account.is_none() && case.vms.len() > 1)
            && let Some(host) = most(&case.hosts).first()
        {
            return self.estate.describe_name(host, Role::Esxi);
        }
        let vms = most(&case.vms);
        let vm = vms.first().map_or("", |vm| &***vm);
        self.estate.describe_name(vm, Role::Guest)
    }

    fn who(&self) -> String {
        let case = self.case;
        match (&case.account, most(&case.hosts).first()) {
            (Some(account), _) => account.to_string(),
            (None, Some(host)) => format!("An account unknown, on {host},"),
            (None, None) => "An account unknown".to_owned(),
        }
    }

    fn summary(&self) -> String {
        let case = self.case;
        let operations = case.counts.names();
        let vms: Vec<String> = most(&case.vms).iter().map(ToString::to_string).collect();
        let mut text = format!(
            "{} ran {} on {}",
            self.who(),
            format_args!(
                "{} ({})",
                counted(case.count, "guest operation"),
                listed(&operations, operations.len() as u64)
            ),
            named(&vms),
        );
        if let Some(client) = most(&case.clients).first() {
            text += &format!(" from {client}");
        }
        let (from, to) =
            (case.first_seen.people().to_string(), case.last_seen.people().to_string());
        text += &match (from == to, to.split_once(' ')) {
            (false, Some((day, clock))) if from.starts_with(day) => {
                format!(" between {from} and {clock} UTC")
            }
            (false, _) => format!(" between {from} and {to} UTC"),
            (true, _) => format!(" at {from} UTC"),
        };
        let mut reasons: Vec<_> = case.weights().collect();
        reasons.sort_by(|(.., one), (.., other)| other.total_cmp(one));
        let reasons: Vec<String> = reasons
            .iter()
            .filter(|(.., weight)| *weight >= 0.3)
            .map(|(finding, found, _)| self.reason(*finding, found))
            .collect();
        text + ": " + &reasons.join("; ")
    }

    fn reason(&self, finding: Finding, found: &Found) -> String {
        let vms: Vec<String> = found.vms.keys().map(ToString::to_string).collect();
        let vms = named(&vms);
        let observed = |noun: &str| {
            let Compared { observed, expected, window_seconds, .. } = found.compared?;
            let minutes = window_seconds / 60;
            Some((counted(observed, noun), minutes, (expected * 10.0).round() / 10.0))
        };
        match finding {
            Finding::UnexpectedAccount => "the account is not one of those expected".to_owned(),
            Finding::FirstSeenAccount => "the account is new to guest operations".to_owned(),
            Finding::OutsideBusinessHours => {
                format!(
                    "{} outside business hours ({})",
                    counted(found.scripts, "script"),
                    self.hours
                )
            }
            Finding::OddHour => "at an hour of the week it hardly ever uses".to_owned(),
            Finding::VmNotAuthorised => format!("they are not expected on {vms}"),
            Finding::FirstSeenVm => format!("never on {vms} before"),
            Finding::FirstSeenClient => match found.client {
                Some(client) => format!("never from {client} before"),
                None => "never from there before".to_owned(),
            },
            Finding::Frequency => {
                observed("script").map_or_else(String::new, |(seen, minutes, usual)| {
                    format!("{seen} in {minutes} min, {usual} at most in its last 28 days")
                })
            }
            Finding::Threshold => {
                observed("operation").map_or_else(String::new, |(seen, minutes, limit)| {
                    format!("{seen} in {minutes} min, more than the limit of {limit}")
                })
            }
            Finding::RefusedCredentials => {
                let then = if found.level > 0.0 { ", then they were accepted" } else { "" };
                format!("guest credentials refused {} times in 10 min{then}", grouped(found.count))
            }
            Finding::FilesPulled => {
                format!("{} out of {vms}", counted(found.count, "file transfer"))
            }
            Finding::GuestAlias => format!("a guest alias changed on {vms}, a way in that lasts"),
        }
    }

    fn evidence(&self) -> Vec<Evidence> {
        let case = self.case;
        let prior = Evidence {
            time: case.first_seen,
            weight: shown(PRIOR),
            fact: Fact::Baseline {
                statement: "most of what is done in guests is harmless".to_owned(),
            },
        };
        let all = Operations {
            finding: "operations".into(),
            client: most(&case.clients).first().copied().copied(),
            operations: case.counts.names(),
            sources: case.sources.iter().map(|source| (*source).into()).collect(),
            vms: most(&case.vms).iter().take(SHOWN).map(ToString::to_string).collect(),
            vm_count: case.vms.len() as u64,
            count: case.count,
            scripts: case.scripts,
            ..self.group()
        };
        let story = Evidence {
            time: case.first_seen,
            weight: 0.0,
            fact: Fact::GuestOperation(Box::new(all)),
        };
        let mut evidence = vec![prior, story];
        evidence.extend(case.weights().map(|(finding, found, weight)| Evidence {
            time: found.first,
            weight: shown(weight),
            fact: Fact::GuestOperation(Box::new(self.found(finding, found))),
        }));
        evidence.sort_by_key(|piece| piece.time);
        evidence
    }

    fn found(&self, finding: Finding, found: &Found) -> Operations {
        Operations {
            finding: finding.name().into(),
            client: found.client,
            vms: found.vms.keys().take(SHOWN).map(ToString::to_string).collect(),
            vm_count: found.vms.len() as u64,
            count: found.count,
            scripts: found.scripts,
            compared: found.compared,
            ..self.group()
        }
    }

    /// Who, and where that was logged.
    fn group(&self) -> Operations {
        let case = self.case;
        Operations {
            account: case.account.as_ref().map(ToString::to_string),
            basis: case.basis.filter(|_| case.account.is_some()).map(|basis| basis.name().into()),
            host: most(&case.hosts).first().map(ToString::to_string),
            ..Operations::default()
        }
    }
}

/// The most frequent first.
fn most<K: Ord>(counts: &BTreeMap<K, u64>) -> Vec<&K> {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by_key(|(key, count)| (Reverse(**count), *key));
    all.into_iter().map(|(key, _)| key).collect()
}

/// Guests by their names, as far as logs have them.
fn named(vms: &[String]) -> String {
    if vms.is_empty() { UNNAMED.to_owned() } else { listed(vms, vms.len() as u64) }
}
