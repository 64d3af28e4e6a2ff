//! Pairs of what was answered and which port was used next, kept for [`super::solve`].
//!
//! A set belongs to a domain and to "direct" or one fixed destination, which keeps chance
//! connections out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::finding::{Kept, Match};
use super::formula::octets;
use super::solve::{Pair, Solution, solve};
use crate::alert::Severity;
use crate::detect::answers::Value;
use crate::time::Timestamp;

/// Pairs that are solved together, the newest.
const MAX_PAIRS: usize = 24;
/// What one connection with a known answer and another port speaks against a formula, in nats,
/// and how many of them count for each pair.
const CONTRADICTION: f64 = 1.6;
const CONTRADICTIONS_PER_PAIR: usize = 3;
/// A set is closed when nothing was added for so long while what it holds was used again.
const CLOSED: Duration = Duration::from_secs(86_400);

/// The pairs of one domain.
#[derive(Debug)]
pub(super) struct PairSet {
    pub(super) domain: Arc<str>,
    /// The destination, where that is not the answer itself.
    pub(super) fixed: Option<IpAddr>,
    /// Each answer with the port that was used first.
    first: Vec<Pair>,
    /// The same with the port that was used last: who tries decoys first means this one.
    last_used: Vec<Pair>,
    contradictions: usize,
    /// Uses of a pair that is known, since the newest was added.
    repeats: usize,
    shown: Kept,
    shown_last: Kept,
    /// When a pair was last added.
    pub(super) last: Timestamp,
}

/// What a connection was to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// A pair that is new in its answer and in its port.
    New,
    /// One that closes the set: it is only ever used again.
    Closed,
    /// Nothing new.
    Known,
}

/// What a set's pairs have in common.
#[derive(Debug)]
pub(super) struct Solved {
    pub(super) solution: Solution,
    /// Pairs that it explains.
    pub(super) pairs: usize,
    pub(super) kept: Kept,
}

impl PairSet {
    pub(super) fn new(domain: &Arc<str>, fixed: Option<IpAddr>, time: Timestamp) -> Self {
        Self {
            domain: Arc::clone(domain),
            fixed,
            first: Vec::new(),
            last_used: Vec::new(),
            contradictions: 0,
            repeats: 0,
            shown: Kept::default(),
            shown_last: Kept::default(),
            last: time,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// Takes a connection; `shown` is how alerts show it.
    pub(super) fn add(&mut self, pair: Pair, time: Timestamp, shown: Match) -> Added {
        if let Some(at) = self.first.iter().position(|known| known.answer == pair.answer) {
            return self.again(at, pair, time, shown);
        }
        if self.first.iter().any(|known| known.port == pair.port) {
            return Added::Known;
        }
        for (pairs, kept) in
            [(&mut self.first, &mut self.shown), (&mut self.last_used, &mut self.shown_last)]
        {
            if pairs.len() >= MAX_PAIRS {
                pairs.remove(0);
            }
            pairs.push(pair);
            kept.push(shown.clone());
        }
        (self.last, self.repeats) = (time, 0);
        Added::New
    }

    /// A known answer was used again: with its port, or with another.
    fn again(&mut self, at: usize, pair: Pair, time: Timestamp, shown: Match) -> Added {
        if self.first.get(at) == Some(&pair) {
            self.repeats += 1;
            let is_closed = self.repeats * 2 >= self.len() && time.since(self.last) >= CLOSED;
            return if is_closed { Added::Closed } else { Added::Known };
        }
        self.contradictions += 1;
        if at + 1 == self.last_used.len() {
            self.shown_last.replace(shown);
        }
        if let Some(last) = self.last_used.get_mut(at) {
            *last = pair;
        }
        Added::Known
    }

    /// The formula behind the pairs, if they show one: behind the first ports, or behind the last ones
    /// but for the newest, which may not have come yet.
    pub(super) fn solve(&self) -> Option<Solved> {
        let judged = |pairs: &[Pair], kept: &Kept| {
            let mut solution = solve(pairs)?;
            let against = self.contradictions.min(CONTRADICTIONS_PER_PAIR * pairs.len());
            let agree = pairs.len().saturating_sub(solution.misses);
            solution.evidence -= CONTRADICTION * against as f64;
            solution.misses += self.contradictions;
            let kept = kept.clone();
            (solution.evidence > 0.0).then_some(Solved { solution, pairs: agree, kept })
        };
        let first = judged(&self.first, &self.shown);
        let but_newest = self.last_used.split_last().filter(|_| self.contradictions > 0);
        let last = but_newest.and_then(|(_, pairs)| judged(pairs, &self.shown_last.but_newest()));
        let found = first.into_iter().chain(last);
        found.reduce(
            |best, next| {
                if next.solution.evidence > best.solution.evidence { next } else { best }
            },
        )
    }

    /// The most that a formula over a narrow pool of answers may be. A service in several parts,
    /// shard `i` at address + `i` and port + `i`, has one too: there ports lie on a line.
    pub(super) fn narrow(&self) -> Option<Severity> {
        let points: Vec<([u8; 4], u16)> = self
            .first
            .iter()
            .filter_map(|pair| match pair.answer {
                Value::Address(address) => Some((octets(address), pair.port)),
                Value::Number(_) => None,
            })
            .collect();
        let ([a, b, ..], _) = points.first()?;
        if !points.iter().all(|([x, y, ..], _)| (x, y) == (a, b)) {
            return None;
        }
        Some(if is_line(&points) { Severity::Low } else { Severity::Medium })
    }
}

/// Whether ports grow evenly with addresses, or with their last bytes where the pool is spread over
/// networks; without a modulus.
fn is_line(points: &[([u8; 4], u16)]) -> bool {
    let along = |of: fn([u8; 4]) -> i64| {
        let at = |index: usize| {
            let (octets, port) = points.get(index)?;
            Some((of(*octets), i64::from(*port)))
        };
        let (Some((x0, y0)), Some((x1, y1))) = (at(0), at(1)) else { return false };
        let of_line = |(x, y): (i64, i64)| (x - x0) * (y1 - y0) == (x1 - x0) * (y - y0);
        x0 != x1 && (2..points.len()).filter_map(at).all(of_line)
    };
    along(|octets| i64::from(u32::from_be_bytes(octets))) || along(|[.., last]| i64::from(last))
}
