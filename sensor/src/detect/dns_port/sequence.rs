//! The sequential test of one expression over one domain's answers (Wald 1945, as TRW has it): a
//! hit on a new pair adds `ln(θ / q)`, a trial it does not explain `ln((1 - θ) / (1 - q))`, never
//! below zero. `q` is the chance of a hit by accident, `θ` how often a right formula hits. Two are
//! tried: a tool that does little else, and one that hides its calls among others.

use std::sync::Arc;

use super::family::Tried;
use super::finding::Kept;
use crate::time::Timestamp;

/// How often a right formula hits.
const THETAS: [f64; 2] = [0.8, 0.1];
/// What trying two of them costs.
const TRIED: f64 = std::f64::consts::LN_2;
/// Pairs that are told apart; more only repeat what is known.
const MAX_PAIRS: usize = 32;
/// Trials against one answer that count as misses, so that decoys cannot drown the hits.
const MISSES_PER_ANSWER: u32 = 3;

/// One expression over one domain, once it hit.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) domain: Arc<str>,
    pub(super) tried: Tried,
    /// The evidence for each of [`THETAS`], in nats.
    evidence: [f64; 2],
    /// What was read and the port, of each hit that was new.
    pairs: Vec<(u32, u16)>,
    pub(super) misses: u32,
    /// The answer against which misses were counted last, and how many.
    missed: (Timestamp, u32),
    pub(super) kept: Kept,
    pub(super) last: Timestamp,
}

impl Sequence {
    pub(super) fn new(domain: &Arc<str>, tried: &Tried, time: Timestamp) -> Self {
        Self {
            domain: Arc::clone(domain),
            tried: tried.clone(),
            evidence: [0.0; 2],
            pairs: Vec::new(),
            misses: 0,
            missed: (Timestamp::ZERO, 0),
            kept: Kept::default(),
            last: time,
        }
    }

    /// In nats.
    pub(super) fn evidence(&self) -> f64 {
        self.evidence.into_iter().fold(0.0, f64::max) - TRIED
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
        let before = self.evidence();
        for (evidence, theta) in self.evidence.iter_mut().zip(THETAS) {
            *evidence += (theta / chance).ln();
        }
        Some(self.evidence() - before)
    }

    /// A trial that this expression does not explain, while the answer of `newest` is the last.
    pub(super) fn miss(&mut self, newest: Timestamp, chance: f64) {
        let (answer, count) = self.missed;
        let count = if answer == newest { count + 1 } else { 1 };
        self.missed = (newest, count);
        if count <= MISSES_PER_ANSWER {
            self.misses += 1;
            for (evidence, theta) in self.evidence.iter_mut().zip(THETAS) {
                *evidence = (*evidence + ((1.0 - theta) / (1.0 - chance)).ln()).max(0.0);
            }
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

#[cfg(test)]
mod tests {
    use super::super::formula::Expression;
    use super::*;

    /// Evidence after `hits` of a chance of one in 50,000, each behind so many misses, each of which
    /// has an answer of its own.
    fn after(hits: u32, misses: u64) -> f64 {
        let tried = Tried::Known(Expression::Sum);
        let mut sequence = Sequence::new(&"evil.example".into(), &tried, Timestamp::ZERO);
        let mut answers = 0;
        for hit in 0..hits {
            for _ in 0..misses {
                answers += 1;
                sequence.miss(Timestamp::from_parts(answers, 0), 2e-5);
            }
            sequence.hit(hit, hit as u16, 2e-5, Timestamp::ZERO);
        }
        sequence.evidence()
    }

    #[test]
    fn two_hits_decide_and_decoys_with_answers_of_their_own_do_not_drown_four() {
        assert!(after(1, 0) < 10.0 && after(2, 0) > 20.0);
        assert!(after(4, 20) > 22.0, "{}", after(4, 20));
        assert!(after(2, 3000) < 10.0, "far apart they are accidents: {}", after(2, 3000));
    }

    #[test]
    fn of_the_trials_against_one_answer_three_count() {
        let tried = Tried::Known(Expression::Sum);
        let mut sequence = Sequence::new(&"evil.example".into(), &tried, Timestamp::ZERO);
        sequence.hit(1, 1, 2e-5, Timestamp::ZERO);
        (0..50).for_each(|_| sequence.miss(Timestamp::from_parts(1, 0), 2e-5));
        assert_eq!(sequence.misses, 3);
        assert!(sequence.evidence() > 5.0);
        assert_eq!(sequence.hit(1, 1, 2e-5, Timestamp::ZERO), None, "the same pair is no news");
    }
}
