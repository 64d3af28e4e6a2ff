//! Pairs of what was answered and which port was used next, kept for [`super::solve`].
//!
//! A set belongs to a domain and to "direct" or one fixed destination, which keeps chance
//! connections out.

use std::net::IpAddr;
use std::sync::Arc;

use super::finding::Kept;
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

/// The pairs of one domain.
#[derive(Debug)]
pub(super) struct PairSet {
    pub(super) domain: Arc<str>,
    /// The destination, where that is not the answer itself.
    pub(super) fixed: Option<IpAddr>,
    pairs: Vec<Pair>,
    contradictions: usize,
    pub(super) kept: Kept,
    pub(super) last: Timestamp,
}

impl PairSet {
    pub(super) fn new(domain: &Arc<str>, fixed: Option<IpAddr>, time: Timestamp) -> Self {
        Self {
            domain: Arc::clone(domain),
            fixed,
            pairs: Vec::new(),
            contradictions: 0,
            kept: Kept::default(),
            last: time,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Adds a pair; whether it is new in its answer and in its port.
    pub(super) fn add(&mut self, pair: Pair, time: Timestamp) -> bool {
        if self.pairs.iter().any(|known| known.answer == pair.answer) {
            self.contradictions += 1;
            return false;
        }
        if self.pairs.iter().any(|known| known.port == pair.port) {
            return false;
        }
        if self.pairs.len() >= MAX_PAIRS {
            self.pairs.remove(0);
        }
        self.pairs.push(pair);
        self.last = time;
        true
    }

    /// The formula behind the pairs, if they show one.
    pub(super) fn solve(&self) -> Option<Solution> {
        let mut solution = solve(&self.pairs)?;
        let against = self.contradictions.min(CONTRADICTIONS_PER_PAIR * self.pairs.len());
        solution.evidence -= CONTRADICTION * against as f64;
        solution.misses += self.contradictions;
        (solution.evidence > 0.0).then_some(solution)
    }

    /// The most that a formula over a narrow pool of answers may be. A service in several parts,
    /// shard `i` at address + `i` and port + `i`, has one too: there ports lie on a line.
    pub(super) fn narrow(&self) -> Option<Severity> {
        let points: Vec<([u8; 4], u16)> = self
            .pairs
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

/// Whether ports grow evenly with addresses, without a modulus.
fn is_line(points: &[([u8; 4], u16)]) -> bool {
    let at = |index: usize| {
        let (octets, port) = points.get(index)?;
        Some((i64::from(u32::from_be_bytes(*octets)), i64::from(*port)))
    };
    let (Some((x0, y0)), Some((x1, y1))) = (at(0), at(1)) else { return false };
    (2..points.len()).filter_map(at).all(|(x, y)| (x - x0) * (y1 - y0) == (x1 - x0) * (y - y0))
}
