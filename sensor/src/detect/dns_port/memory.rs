//! What is remembered of one asset's trials.

use std::sync::Arc;

use super::MEMORY;
use super::family::{Family, Tried};
use super::finding::{Finding, Match};
use super::pairs::{Added, PairSet};
use super::sequence::{Sequence, chance};
use super::solve::Pair;
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

/// What came of a trial.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Tests made: names by what is tried.
    pub(super) tests: usize,
    pub(super) found: Vec<Finding>,
    /// Domains whose pairs are a closed set.
    pub(super) closed: Vec<Arc<str>>,
}

impl Memory {
    /// A trial, and what came of it.
    pub(super) fn take(&mut self, trial: &Trial<'_>, family: &Family, share: f64) -> Outcome {
        self.forget(trial.time);
        let resolved = trial.is_resolved();
        let mut outcome = Outcome::default();
        for group in &trial.groups {
            if self.is_taught(&group.domain) {
                continue;
            }
            let (tests, best) = self.test(trial, group, family, share, group.direct || !resolved);
            outcome.tests += tests;
            let solved = self.pair(trial, group, &mut outcome);
            // A known formula says more than a solved one.
            outcome.found.extend(best.or(solved));
        }
        outcome
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

    /// Domains whose services are reached on many ports, in order.
    pub(super) fn taught(&self) -> Vec<String> {
        let many = self.taught.iter().filter(|(.., many)| *many);
        let mut many: Vec<String> = many.map(|(domain, ..)| domain.to_string()).collect();
        many.sort_unstable();
        many
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

    /// Tries what is tried for itself: how many tests that was, and what now has most evidence, if it
    /// was hit. A trial to another address that DNS gave is no miss: it has its own reason.
    fn test(
        &mut self,
        trial: &Trial<'_>,
        group: &Group,
        family: &Family,
        share: f64,
        misses: bool,
    ) -> (usize, Option<Finding>) {
        let mut known: Vec<usize> = (0..self.sequences.len())
            .filter(|at| self.sequences.get(*at).is_some_and(|one| one.domain == group.domain))
            .collect();
        let mut tests = 0;
        let mut best: Option<usize> = None;
        for (place, tried) in family.all() {
            let ports =
                || group.values.iter().filter_map(|value| Some((value, tried.port(*value)?)));
            let Some((first, _)) = ports().next() else { continue };
            tests += 1;
            let hit = ports().find(|(_, port)| *port == trial.port()).map(|(answer, _)| answer);
            // Costs a table at the first hit, so only what was hit asks for it.
            let chance =
                || chance(family.chance(place, *first, trial.port()), share, ports().count());
            let at = known
                .iter()
                .position(|at| self.sequences.get(*at).is_some_and(|one| one.tried == *tried))
                .map(|found| known.swap_remove(found));
            let Some(answer) = hit else {
                if let Some(sequence) = at.and_then(|at| self.sequences.get_mut(at))
                    && misses
                {
                    sequence.miss(group.newest, chance());
                }
                continue;
            };
            let at = at.unwrap_or_else(|| self.start(group, tried, trial.time, &mut known));
            let Some(sequence) = self.sequences.get_mut(at) else { continue };
            let (read, chance) = (tried.reads(*answer), chance());
            let Some(weight) = sequence.hit(read, trial.port(), chance, trial.time) else {
                continue;
            };
            sequence.kept.push(Match::new(trial, group, *answer, weight, Some(chance)));
            let evidence = sequence.evidence();
            let better = best.and_then(|best| self.sequences.get(best));
            if better.is_none_or(|better| evidence > better.evidence()) {
                best = Some(at);
            }
        }
        let best = best.and_then(|best| self.sequences.get(best));
        let found = best.filter(|best| best.pairs() >= MIN_PAIRS);
        (tests, found.map(|sequence| Finding::known(sequence, group, trial)))
    }

    /// A sequence for what was hit first just now, in the place of the weakest where there is no room:
    /// one that `known` then no longer names.
    fn start(
        &mut self,
        group: &Group,
        tried: &Tried,
        now: Timestamp,
        known: &mut Vec<usize>,
    ) -> usize {
        let new = Sequence::new(&group.domain, tried, now);
        if self.sequences.len() < MAX_SEQUENCES {
            self.sequences.push(new);
            return self.sequences.len() - 1;
        }
        let weakest = self.sequences.iter_mut().enumerate().min_by(|(_, a), (_, b)| {
            a.evidence().total_cmp(&b.evidence()).then(a.last.cmp(&b.last))
        });
        let Some((place, weakest)) = weakest else { return 0 };
        *weakest = new;
        known.retain(|known| *known != place);
        place
    }

    /// Keeps the pair, and solves for a formula when it is a new one.
    fn pair(&mut self, trial: &Trial<'_>, group: &Group, outcome: &mut Outcome) -> Option<Finding> {
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
        let pair = Pair { answer: group.read, port: trial.port() };
        match set.add(pair, trial.time, Match::new(trial, group, group.read, 0.0, None)) {
            Added::Known => return None,
            Added::Closed => {
                outcome.closed.push(Arc::clone(&group.domain));
                return None;
            }
            Added::New => {}
        }
        let solved = set.solve()?;
        let narrow = set.narrow();
        Some(Finding::solved(solved, narrow, group, trial))
    }
}

#[cfg(test)]
mod tests {
    use arrayvec::ArrayVec;

    use super::*;
    use crate::decode::{Vlans, protocol};
    use crate::detect::answers::Value;
    use crate::event::{Endpoint, Flow};

    /// Fails when whoever chooses names and ports can fill memory.
    #[test]
    fn a_flood_of_names_and_ports_is_bounded() {
        let (family, mut memory) = (Family::new(&[]), Memory::default());
        let end = |address: [u8; 4], port| Endpoint { address: address.into(), port, mac: None };
        for name in 0..1500u16 {
            let [high, low] = name.to_be_bytes();
            let (time, address) = (Timestamp::from_parts(u64::from(name), 0), [200, high, low, 9]);
            let port = 200 * u16::from(high) + u16::from(low) + 2000;
            // Half of the answers give the port, of the others nothing is kept but the pair.
            let answer = if name % 2 == 0 { [200, high + 10, low, 9] } else { address };
            let flow = Flow {
                id: 1,
                slot: 1,
                client: end([10, 1, 0, 1], 40_000),
                server: end(address, port),
                protocol: protocol::TCP,
                vlans: Vlans::new(),
                interface: None,
                tunnel: None,
                opened: time,
            };
            let domain: Arc<str> = format!("d{name}.example").into();
            let value = Value::Address(answer.into());
            let group = Group {
                name: Arc::clone(&domain),
                domain,
                values: ArrayVec::from_iter([value]),
                read: value,
                newest: time,
                direct: false,
            };
            let trial = Trial { flow: &flow, time, source: None, groups: vec![group] };
            memory.take(&trial, &family, 0.0);
        }
        assert_eq!((memory.sequences.len(), memory.sets.len()), (MAX_SEQUENCES, MAX_SETS));
        memory.forget(Timestamp::from_parts(1500, 0).plus(MEMORY * 2));
        assert_eq!((memory.sequences.len(), memory.sets.len()), (0, 0));
    }
}
