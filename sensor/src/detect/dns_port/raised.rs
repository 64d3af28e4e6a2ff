//! An alert about a domain whose answers give ports: told, updated, checked against what comes next.

use super::finding::{Finding, Match};
use super::solve::Formula;
use super::trial::Trial;
use crate::alert::{Alert, Analytic, Destination, Evidence, Fact, SCHEMA, Severity, Status};
use crate::detect::estate::Estate;
use crate::detect::statistics::{confidence, shown};
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

/// Answers after which a formula that was solved for gave none of the ports used, and as many for each
/// one that it gave: it was chance, or somebody else's.
const REFUTED: u32 = 3;

/// What is left of the evidence where something harmless explains the ports as well: one in ten such
/// is a beacon after all.
const EXCUSED: f64 = -2.2;

/// Why a formula is no beacon's, or need be none's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excuse {
    /// Addresses of a narrow pool and their ports grow together.
    Line,
    /// Several assets use the same narrow pool.
    Shared,
    /// The pairs of a narrow pool are a closed set.
    Closed,
    /// It does not give the ports that are used next.
    Refuted,
}

impl Excuse {
    const fn statement(self) -> &'static str {
        match self {
            Self::Line => {
                "ports and the addresses of a narrow pool grow together: those of a service in several parts do, too"
            }
            Self::Shared => {
                "another asset uses the same pool of addresses by the same formula: a service in several parts has one, too"
            }
            Self::Closed => {
                "no pair was new for a day while those known went on to be used: a service in several parts, not a beacon"
            }
            Self::Refuted => "the ports that were used next are others than the formula gives",
        }
    }
}

/// What became of the answers after the alert.
#[derive(Debug, Clone, Copy, Default)]
struct Later {
    /// Answers that were followed by the port the formula gives for them.
    given: u32,
    /// Answers that were followed by other ports alone.
    others: u32,
    /// The answer of this time is not yet counted among either: it was followed by another port.
    open: Option<Timestamp>,
    /// The answer that was counted last.
    counted: Option<Timestamp>,
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
    excuse: Option<Excuse>,
    later: Later,
}

impl Raised {
    pub(super) fn new(finding: Finding, bound: Bound, severity: Severity) -> Self {
        let first_seen = finding.matches().first().map_or(finding.time, |first| first.answered);
        let (excuse, later) = (None, Later::default());
        Self { id: None, finding, bound, severity, count: 0, first_seen, told: 0, excuse, later }
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        self.finding.time
    }

    /// Whether the formula is over a narrow pool of addresses.
    pub(super) const fn is_narrow(&self) -> bool {
        self.finding.narrow.is_some()
    }

    /// The next connection: whether it goes where the formula said. Told when a formula that was solved
    /// for turns out to give nothing.
    pub(super) fn verify(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        trial: &Trial<'_>,
        alerts: &mut Vec<Alert>,
    ) {
        let Finding { domain, formula, direct, .. } = &self.finding;
        let Some(group) = trial.groups.iter().find(|group| group.domain == *domain) else { return };
        let same = self.finding.matches().last().map(|last| last.flow.server.address);
        if group.direct != *direct || (!direct && same != Some(trial.address())) {
            return;
        }
        let given = group.values.iter().any(|value| formula.port(*value) == Some(trial.port()));
        self.later.take(group.newest, given);
        let is_solved = !matches!(formula, Formula::Tried(_));
        if is_solved && self.later.refutes() {
            self.excuse(estate, asset, trial.time, Excuse::Refuted, alerts);
        }
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
        // A set that was closed is open again, and what failed holds again.
        if self.excuse != Some(Excuse::Shared) && !self.later.refutes() {
            self.excuse = None;
        }
        let is_admitted = self.id.is_some_and(|id| estate.budget.admits(id, self.sum()));
        if (severity > self.severity && self.excuse.is_none()) || is_admitted {
            if self.excuse.is_none() {
                self.severity = self.severity.max(severity);
            }
            self.tell(estate, asset, now, alerts);
        }
    }

    /// It is no beacon after all.
    pub(super) fn excuse(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        now: Timestamp,
        excuse: Excuse,
        alerts: &mut Vec<Alert>,
    ) {
        self.excuse = Some(excuse);
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
        let Some(last) = self.finding.matches().last() else { return };
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
            confidence: confidence(self.sum() + self.excused().map_or(0.0, |(_, weight)| weight)),
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

    /// What speaks for a beacon, beyond what chance would raise an alert by.
    fn sum(&self) -> f64 {
        self.finding.evidence - self.bound.nats
    }

    /// What explains the ports as well, and how much that takes from the evidence.
    fn excused(&self) -> Option<(Excuse, f64)> {
        let line = (self.severity == Severity::Low).then_some(Excuse::Line);
        let excuse = self.excuse.or(line)?;
        Some((excuse, (EXCUSED - self.sum()).min(0.0)))
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
        let years = self.sum().exp() / self.bound.yearly;
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
                    "needed before this is an alert, for no more than {} a year by chance",
                    self.bound.yearly
                ),
            },
        }];
        let shown_weight: f64 = finding.matches().iter().map(|one| one.weight).sum();
        for one in finding.matches() {
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
        evidence.extend(self.later.evidence(finding.time));
        evidence.extend(self.excused().map(|(excuse, weight)| {
            let fact = Fact::Baseline { statement: excuse.statement().to_owned() };
            Evidence { time: finding.time, weight: shown(weight), fact }
        }));
        let last = finding.matches().last();
        evidence.extend(last.and_then(|last| estate.mirror_evidence(&last.flow)));
        evidence
    }
}

impl Later {
    /// A connection after the answer of `answered`.
    fn take(&mut self, answered: Timestamp, given: bool) {
        if self.open.is_some_and(|open| open != answered) {
            self.others += 1;
            self.open = None;
        }
        if self.counted == Some(answered) {
            return;
        }
        if given {
            self.given += 1;
            (self.open, self.counted) = (None, Some(answered));
        } else {
            self.open = Some(answered);
        }
    }

    const fn refutes(self) -> bool {
        self.others >= REFUTED.saturating_mul(self.given + 1)
    }

    fn evidence(self, time: Timestamp) -> Option<Evidence> {
        let (given, all) = (self.given, self.given + self.others);
        let statement = format!(
            "of {all} answers since this alert, {given} were followed by the port that the formula gives"
        );
        (all > 0).then_some(Evidence { time, weight: 0.0, fact: Fact::Baseline { statement } })
    }
}
