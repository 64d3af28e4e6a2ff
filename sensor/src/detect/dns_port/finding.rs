//! What the tests of a domain found, and the connections that showed it.

use std::sync::Arc;

use super::pairs::Solved;
use super::sequence::Sequence;
use super::solve::Formula;
use super::trial::{Group, Trial};
use crate::alert::{Evidence, Fact, Severity};
use crate::decode::protocol;
use crate::detect::answers::Value;
use crate::detect::statistics::shown;
use crate::eve::community_id::CommunityId;
use crate::event::{Flow, Service};
use crate::time::Timestamp;

/// Matches that are kept to be shown: the first two and the last three.
const KEPT: usize = 5;

/// A connection whose port follows from an answer.
#[derive(Debug, Clone)]
pub(super) struct Match {
    name: Arc<str>,
    answer: Value,
    pub(super) answered: Timestamp,
    pub(super) flow: Flow,
    source: Option<Service>,
    time: Timestamp,
    pub(super) weight: f64,
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

/// The matches that are shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    matches: Vec<Match>,
}

impl Kept {
    pub(super) fn push(&mut self, one: Match) {
        if self.matches.len() >= KEPT {
            self.matches.remove(2);
        }
        self.matches.push(one);
    }

    /// The newest was another.
    pub(super) fn replace(&mut self, one: Match) {
        self.matches.pop();
        self.matches.push(one);
    }

    pub(super) fn but_newest(&self) -> Self {
        let matches = self.matches.split_last().map_or_else(Vec::new, |(_, rest)| rest.to_vec());
        Self { matches }
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
    pub(super) formula: Formula,
    pub(super) pairs: usize,
    pub(super) misses: usize,
    /// Whether the connections go to what was answered.
    pub(super) direct: bool,
    kept: Kept,
}

impl Finding {
    /// A known expression.
    pub(super) fn known(sequence: &Sequence, group: &Group, trial: &Trial<'_>) -> Self {
        Self {
            domain: Arc::clone(&sequence.domain),
            time: trial.time,
            evidence: sequence.evidence(),
            narrow: None,
            pairs: sequence.pairs(),
            misses: sequence.misses as usize,
            kept: sequence.kept.clone(),
            ..Self::of(Formula::Tried(sequence.tried.clone()), group, trial)
        }
    }

    /// A formula solved for.
    pub(super) fn solved(
        solved: Solved,
        narrow: Option<Severity>,
        group: &Group,
        trial: &Trial<'_>,
    ) -> Self {
        Self {
            evidence: solved.solution.evidence,
            narrow,
            pairs: solved.pairs,
            misses: solved.solution.misses,
            kept: solved.kept,
            ..Self::of(solved.solution.formula, group, trial)
        }
    }

    /// The connections that are shown, the first and the last.
    pub(super) fn matches(&self) -> &[Match] {
        &self.kept.matches
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
            direct: group.direct,
            kept: Kept::default(),
        }
    }
}

impl Match {
    /// The answer, the connection and, for a known formula, the chance that they fit.
    pub(super) fn evidence(&self, formula: &Formula) -> impl Iterator<Item = Evidence> {
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
