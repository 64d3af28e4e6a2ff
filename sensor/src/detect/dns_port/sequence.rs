//! The sequential test of one known expression over one domain's answers (Wald 1945, as TRW has
//! it): a hit on a new pair adds `ln(0.8 / q)`, a trial it does not explain `ln(0.2 / (1 - q))`,
//! never below zero. `q` is the chance of a hit by accident.

use std::sync::Arc;

use super::finding::Kept;
use super::formula::Expression;
use crate::time::Timestamp;

/// How often a right formula hits: a tool also makes other connections.
const THETA: f64 = 0.8;
/// Pairs that are told apart; more only repeat what is known.
const MAX_PAIRS: usize = 32;
/// Trials against one answer that count as misses, so that decoys cannot drown the hits.
const MISSES_PER_ANSWER: u32 = 3;

/// One expression over one domain, once it hit.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) domain: Arc<str>,
    /// Its place in [`Expression::all`].
    pub(super) expression: usize,
    /// The evidence, in nats.
    pub(super) evidence: f64,
    /// What was read and the port, of each hit that was new.
    pairs: Vec<(u32, u16)>,
    pub(super) misses: u32,
    /// The answer against which misses were counted last, and how many.
    missed: (Timestamp, u32),
    pub(super) kept: Kept,
    pub(super) last: Timestamp,
}

impl Sequence {
    pub(super) fn new(domain: &Arc<str>, expression: usize, time: Timestamp) -> Self {
        Self {
            domain: Arc::clone(domain),
            expression,
            evidence: 0.0,
            pairs: Vec::new(),
            misses: 0,
            missed: (Timestamp::ZERO, 0),
            kept: Kept::default(),
            last: time,
        }
    }

    pub(super) fn expression(&self) -> Expression {
        Expression::all().get(self.expression).copied().unwrap_or(Expression::Number)
    }

    pub(super) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// A hit; whether it is new, and then what it adds.
    pub(super) fn hit(
        &mut self,
        read: u32,
        port: u16,
        chance: f64,
        time: Timestamp,
    ) -> Option<f64> {
        if self.pairs.contains(&(read, port)) || self.pairs.len() >= MAX_PAIRS {
            return None;
        }
        self.pairs.push((read, port));
        self.last = time;
        let weight = (THETA / chance).ln();
        self.evidence += weight;
        Some(weight)
    }

    /// A trial that this expression does not explain, while the answer of `newest` is the last.
    pub(super) fn miss(&mut self, newest: Timestamp, chance: f64) {
        let (answer, count) = self.missed;
        let count = if answer == newest { count + 1 } else { 1 };
        self.missed = (newest, count);
        if count <= MISSES_PER_ANSWER {
            self.misses += 1;
            self.evidence = (self.evidence + ((1.0 - THETA) / (1.0 - chance)).ln()).max(0.0);
        }
    }
}

/// The chance that a trial of several answers hits by accident: of each, the expression's own
/// distribution, the port's share of what the estate uses, or a floor for what neither knows.
pub(super) fn chance(by_expression: f64, share: f64, answers: usize) -> f64 {
    const FLOOR: f64 = 2e-5;
    let one = by_expression.max(share).clamp(FLOOR, 0.5);
    1.0 - (1.0 - one).powi(i32::try_from(answers).unwrap_or(i32::MAX))
}
