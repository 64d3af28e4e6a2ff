//! What is remembered of one asset's trials.

use std::sync::Arc;

use super::MEMORY;
use super::finding::{Finding, Match};
use super::formula::{Chances, Expression};
use super::pairs::PairSet;
use super::sequence::{Sequence, chance};
use super::solve::{Formula, Pair};
use super::trial::{Group, Trial};
use crate::time::Timestamp;

const MAX_SEQUENCES: usize = 512;
const MAX_SETS: usize = 64;
/// Domains taught to use many ports.
const MAX_TAUGHT: usize = 256;
/// Two pairs at least: one hit is chance.
const MIN_PAIRS: usize = 2;

/// Sequences, sets of pairs, and what `--learn` taught.
#[derive(Debug, Default)]
pub(super) struct Memory {
    sequences: Vec<Sequence>,
    sets: Vec<PairSet>,
    /// Domains of services on odd ports: the first port, and whether there were more.
    taught: Vec<(Arc<str>, u16, bool)>,
}

impl Memory {
    /// A trial: how many tests it was, and what they found.
    pub(super) fn take(
        &mut self,
        trial: &Trial<'_>,
        chances: &Chances,
        share: f64,
    ) -> (usize, Vec<Finding>) {
        self.forget(trial.time);
        let resolved = trial.is_resolved();
        let mut tests = 0;
        let mut found = Vec::new();
        for group in &trial.groups {
            if self.is_taught(&group.domain) {
                continue;
            }
            tests += Expression::KNOWN;
            let best = self.test(trial, group, chances, share, group.direct || !resolved);
            let solved = self.pair(trial, group);
            // A known formula says more than a solved one.
            found.extend(best.or(solved));
        }
        (tests, found)
    }

    /// `--learn`: a domain's service is reached on this port.
    pub(super) fn teach(&mut self, domain: &Arc<str>, port: u16) {
        if let Some((_, first, many)) = self.taught.iter_mut().find(|(taught, ..)| taught == domain)
        {
            *many |= *first != port;
        } else if self.taught.len() < MAX_TAUGHT {
            self.taught.push((Arc::clone(domain), port, false));
        }
    }

    /// Domains whose services are reached on many ports.
    pub(super) fn taught(&self) -> Vec<String> {
        let many = self.taught.iter().filter(|(.., many)| *many);
        many.map(|(domain, ..)| domain.to_string()).collect()
    }

    pub(super) fn restore(&mut self, domains: &[String]) {
        let taught = domains.iter().map(|domain| (Arc::from(domain.as_str()), 0, true));
        self.taught = taught.take(MAX_TAUGHT).collect();
    }

    /// Forgets all about a domain; whether it was taught to use many ports.
    pub(super) fn forget_domain(&mut self, domain: &str) -> bool {
        self.sequences.retain(|sequence| *sequence.domain != *domain);
        self.sets.retain(|set| *set.domain != *domain);
        let many = self.taught.iter().any(|(taught, _, many)| *many && **taught == *domain);
        self.taught.retain(|(taught, ..)| **taught != *domain);
        many
    }

    fn is_taught(&self, domain: &Arc<str>) -> bool {
        self.taught.iter().any(|(taught, _, many)| *many && taught == domain)
    }

    fn forget(&mut self, now: Timestamp) {
        self.sequences.retain(|sequence| now.since(sequence.last) <= MEMORY);
        self.sets.retain(|set| now.since(set.last) <= MEMORY);
    }

    /// Tries the known expressions; the one that now has most evidence, if it was hit.
    fn test(
        &mut self,
        trial: &Trial<'_>,
        group: &Group,
        chances: &Chances,
        share: f64,
        misses: bool,
    ) -> Option<Finding> {
        let mut best: Option<usize> = None;
        for (index, expression) in Expression::all().iter().take(Expression::KNOWN).enumerate() {
            let hit =
                group.values.iter().find(|value| expression.port(**value) == Some(trial.port()));
            let known = self.sequences.iter().position(|sequence| {
                sequence.expression == index && sequence.domain == group.domain
            });
            // Costs a table at the first hit, so only what was hit asks for it.
            let chance = || chance(chances.of(index, trial.port()), share, group.values.len());
            match (hit, known) {
                (None, None) => {}
                (None, Some(known)) => {
                    if let Some(sequence) = self.sequences.get_mut(known).filter(|_| misses) {
                        sequence.miss(group.newest, chance());
                    }
                }
                (Some(answer), known) => {
                    let known = known.unwrap_or_else(|| self.start(group, index, trial.time));
                    let Some(sequence) = self.sequences.get_mut(known) else { continue };
                    let (read, chance) = (expression.reads(*answer), chance());
                    let Some(weight) = sequence.hit(read, trial.port(), chance, trial.time) else {
                        continue;
                    };
                    sequence.kept.push(Match::new(trial, group, *answer, weight, Some(chance)));
                    let evidence = sequence.evidence;
                    let better = best.and_then(|best| self.sequences.get(best));
                    if better.is_none_or(|better| evidence > better.evidence) {
                        best = Some(known);
                    }
                }
            }
        }
        let sequence = self.sequences.get(best?).filter(|best| best.pairs() >= MIN_PAIRS)?;
        Some(Finding::known(sequence, group, trial))
    }

    fn start(&mut self, group: &Group, expression: usize, now: Timestamp) -> usize {
        if self.sequences.len() >= MAX_SEQUENCES {
            let least = self.sequences.iter().enumerate().min_by(|(_, a), (_, b)| {
                a.evidence.total_cmp(&b.evidence).then(a.last.cmp(&b.last))
            });
            if let Some((least, _)) = least {
                self.sequences.swap_remove(least);
            }
        }
        self.sequences.push(Sequence::new(&group.domain, expression, now));
        self.sequences.len() - 1
    }

    /// Keeps the pair, and solves for a formula when it is a new one.
    fn pair(&mut self, trial: &Trial<'_>, group: &Group) -> Option<Finding> {
        let fixed = (!group.direct).then_some(trial.address());
        let known =
            self.sets.iter().position(|set| set.fixed == fixed && set.domain == group.domain);
        let index = match known {
            Some(index) => index,
            None => {
                if self.sets.len() >= MAX_SETS {
                    let least =
                        self.sets.iter().enumerate().min_by_key(|(_, set)| (set.len(), set.last));
                    let least = least.map_or(0, |(least, _)| least);
                    self.sets.swap_remove(least);
                }
                self.sets.push(PairSet::new(&group.domain, fixed, trial.time));
                self.sets.len() - 1
            }
        };
        let set = self.sets.get_mut(index)?;
        if !set.add(Pair { answer: group.read, port: trial.port() }, trial.time) {
            return None;
        }
        set.kept.push(Match::new(trial, group, group.read, 0.0, None));
        let solution = set.solve()?;
        let narrow = set.narrow();
        Some(Finding::solved(set, solution, narrow, group, trial))
    }
}

/// A known expression as a formula.
impl From<Expression> for Formula {
    fn from(of: Expression) -> Self {
        Self::Offset { of, offset: 0 }
    }
}
