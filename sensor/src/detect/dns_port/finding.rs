//! What the tests of a domain found, and the alert that is made of it.

use std::sync::Arc;

use super::pairs::PairSet;
use super::sequence::Sequence;
use super::solve::{Formula, Solution};
use super::trial::{Group, Trial};
use crate::alert::{Alert, Analytic, Destination, Evidence, Fact, SCHEMA, Severity, Status};
use crate::decode::protocol;
use crate::detect::answers::Value;
use crate::detect::estate::Estate;
use crate::detect::statistics::{confidence, shown};
use crate::eve::community_id::CommunityId;
use crate::event::{Flow, Service};
use crate::inventory::AssetId;
use crate::text::grouped;
use crate::time::Timestamp;

/// How much evidence an alert needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// In nats.
    pub nats: f64,
    /// False alarms a year that this leaves room for.
    pub yearly: f64,
}

/// Matches that are kept to be shown: the first two and the last three.
const KEPT: usize = 5;

/// A connection whose port follows from an answer.
#[derive(Debug, Clone)]
pub(super) struct Match {
    name: Arc<str>,
    answer: Value,
    answered: Timestamp,
    flow: Flow,
    source: Option<Service>,
    time: Timestamp,
    weight: f64,
    /// The chance of the match by accident, for a known formula.
    chance: Option<f64>,
}

impl Match {
    pub(super) fn new(
        trial: &Trial<'_>,
        group: &Group,
        answer: Value,
        weight: f64,
        chance: Option<f64>,
    ) -> Self {
        Self {
            name: Arc::clone(&group.name),
            answer,
            answered: group.newest,
            flow: trial.flow.clone(),
            source: trial.source,
            time: trial.time,
            weight,
            chance,
        }
    }
}

/// The matches that are shown, and what those that are not weighed.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    matches: Vec<Match>,
    unshown: f64,
}

impl Kept {
    pub(super) fn push(&mut self, one: Match) {
        if self.matches.len() >= KEPT {
            self.unshown += self.matches.remove(2).weight;
        }
        self.matches.push(one);
    }
}

/// What was found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) domain: Arc<str>,
    pub(super) time: Timestamp,
    /// In nats.
    pub(super) evidence: f64,
    /// The most it may be, when the answers lie close together.
    pub(super) narrow: Option<Severity>,
    formula: Formula,
    pairs: usize,
    misses: usize,
    kept: Kept,
}

impl Finding {
    /// A known expression.
    pub(super) fn known(sequence: &Sequence, group: &Group, trial: &Trial<'_>) -> Self {
        Self {
            domain: Arc::clone(&sequence.domain),
            time: trial.time,
            evidence: sequence.evidence,
            narrow: None,
            pairs: sequence.pairs(),
            misses: sequence.misses as usize,
            kept: sequence.kept.clone(),
            ..Self::of(sequence.expression().into(), group, trial)
        }
    }

    /// A formula solved for.
    pub(super) fn solved(
        set: &PairSet,
        solution: Solution,
        narrow: Option<Severity>,
        group: &Group,
        trial: &Trial<'_>,
    ) -> Self {
        Self {
            evidence: solution.evidence,
            narrow,
            pairs: set.len().saturating_sub(solution.misses),
            misses: solution.misses,
            kept: set.kept.clone(),
            ..Self::of(solution.formula, group, trial)
        }
    }

    fn of(formula: Formula, group: &Group, trial: &Trial<'_>) -> Self {
        Self {
            domain: Arc::clone(&group.domain),
            time: trial.time,
            evidence: 0.0,
            narrow: None,
            formula,
            pairs: 0,
            misses: 0,
            kept: Kept::default(),
        }
    }
}

/// An alert that was told.
#[derive(Debug)]
pub(super) struct Raised {
    /// Stays when names change.
    id: Option<uuid::Uuid>,
    finding: Finding,
    bound: Bound,
    severity: Severity,
    count: u64,
    /// When its first pair was seen: what makes it this alert and no other.
    first_seen: Timestamp,
    /// Pairs told last.
    told: usize,
}

impl Raised {
    pub(super) fn new(finding: Finding, bound: Bound, severity: Severity) -> Self {
        let first = finding.kept.matches.first().map_or(finding.time, |first| first.answered);
        Self { id: None, finding, bound, severity, count: 0, first_seen: first, told: 0 }
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        self.finding.time
    }

    /// More was found: told at once when it is worse.
    pub(super) fn update(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        finding: Finding,
        bound: Bound,
        severity: Severity,
        alerts: &mut Vec<Alert>,
    ) {
        let now = finding.time;
        if finding.evidence >= self.finding.evidence {
            (self.finding, self.bound) = (finding, bound);
        } else {
            self.finding.time = now;
        }
        let sum = self.finding.evidence - self.bound.nats;
        let is_admitted = self.id.is_some_and(|id| estate.budget.admits(id, sum));
        if severity > self.severity || is_admitted {
            self.severity = self.severity.max(severity);
            self.tell(estate, asset, now, alerts);
        }
    }

    /// Another asset has the same: a service in several parts, not a beacon.
    pub(super) fn excuse(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        if self.severity > Severity::Low {
            self.severity = Severity::Low;
            self.tell(estate, asset, now, alerts);
        }
    }

    /// The last word, if there is more than was told.
    pub(super) fn close(&mut self, estate: &Estate, asset: AssetId, alerts: &mut Vec<Alert>) {
        if self.finding.pairs > self.told {
            self.tell(estate, asset, self.finding.time, alerts);
        }
    }

    pub(super) fn tell(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        self.count += 1;
        self.told = self.finding.pairs;
        let Some(last) = self.finding.kept.matches.last() else { return };
        let described = estate.describe(asset, &last.flow);
        let id = *self.id.get_or_insert_with(|| {
            let since = self.first_seen.to_string();
            estate.alert_id(&["AN0731", &described.name, &self.finding.domain, &since])
        });
        let mut held = estate.answers.held(asset);
        let newest = held.find(|answer| answer.domain() == &*self.finding.domain);
        let next_port = newest.and_then(|answer| self.finding.formula.port(answer.value));
        let next_port = next_port.filter(|port| *port != last.flow.server.port);
        alerts.push(Alert {
            schema: SCHEMA.into(),
            id,
            time: now,
            sensor: estate.sensor.clone(),
            analytic: Analytic::AN0731,
            techniques: vec!["T1568.003".into()],
            title: "Ports calculated from DNS answers".to_owned(),
            summary: self.summary(&described.name, last),
            severity: self.severity,
            confidence: confidence(self.finding.evidence - self.bound.nats),
            asset: described,
            destination: Some(Destination {
                address: last.flow.server.address,
                port: last.flow.server.port,
                sni: None,
                ja4: None,
            }),
            evidence: self.evidence(estate, next_port),
            first_seen: self.first_seen,
            last_seen: self.finding.time,
            count: self.count,
            status: Status::Open,
            flow: Some(Box::new(last.flow.clone())),
        });
    }

    fn summary(&self, who: &str, last: &Match) -> String {
        let Finding { formula, pairs, misses, domain, .. } = &self.finding;
        format!(
            "{who} connected to {} on port {}, which is {formula} of what DNS answered for {domain}, \
             as were {pairs} of {} such ports it used; chance alone does this {} in all this sensor sees",
            last.flow.server.address,
            last.flow.server.port,
            pairs + misses,
            self.by_chance(),
        )
    }

    /// How often chance alone would raise this alert: the bound stands for the budget of the year,
    /// and each nat beyond it for e times less.
    fn by_chance(&self) -> String {
        const MOST_YEARS: f64 = 1e6;
        let years = (self.finding.evidence - self.bound.nats).exp() / self.bound.yearly;
        if years >= MOST_YEARS {
            "less than once in a million years".to_owned()
        } else {
            format!("about once in {} years", grouped(years.max(1.0) as u64))
        }
    }

    fn evidence(&self, estate: &Estate, next_port: Option<u16>) -> Vec<Evidence> {
        let finding = &self.finding;
        let mut evidence = vec![Evidence {
            time: self.first_seen,
            weight: shown(-self.bound.nats),
            fact: Fact::Baseline {
                statement: format!(
                    "needed before this is an alert, so that chance raises {} false alarms a year",
                    self.bound.yearly
                ),
            },
        }];
        let shown_weight: f64 = finding.kept.matches.iter().map(|one| one.weight).sum();
        for one in &finding.kept.matches {
            evidence.extend(one.evidence(&finding.formula));
        }
        evidence.push(Evidence {
            time: finding.time,
            weight: shown(finding.evidence - shown_weight),
            fact: Fact::Formula {
                expression: finding.formula.to_string(),
                pairs: finding.pairs as u64,
                misses: finding.misses as u64,
                next_port,
            },
        });
        let last = finding.kept.matches.last();
        evidence.extend(last.and_then(|last| estate.mirror_evidence(&last.flow)));
        evidence
    }
}

impl Match {
    /// The answer, the connection and, for a known formula, the chance that they fit.
    fn evidence(&self, formula: &Formula) -> impl Iterator<Item = Evidence> {
        let at = |time, weight, fact| Evidence { time, weight: shown(weight), fact };
        let answer =
            Fact::DnsAnswer { query: self.name.to_string(), answer: self.answer.to_string() };
        let connection = Fact::Connection {
            community_id: CommunityId::new(&self.flow).to_string(),
            address: self.flow.server.address,
            port: self.flow.server.port,
            protocol: if self.flow.protocol == protocol::UDP { "udp" } else { "tcp" }.into(),
            source: self.source.map(|source| source.name().into()),
        };
        let port_match = self.chance.map(|probability| {
            let port = self.flow.server.port;
            at(
                self.time,
                self.weight,
                Fact::PortMatch { port, formula: formula.to_string(), probability },
            )
        });
        [at(self.answered, 0.0, answer), at(self.time, 0.0, connection)]
            .into_iter()
            .chain(port_match)
    }
}
