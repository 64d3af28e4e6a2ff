//! Formulas nobody told us: from (answer, port) pairs to constants, moduli and multipliers.
//!
//! Evidence is what the pairs beyond the unknowns agree on, in nats, less the logarithm of what
//! was tried. It is exact for uniform ports; narrow ports agree more easily, so it is scaled by
//! their width.

use std::fmt;

use super::formula::{Expression, octets};
use crate::detect::answers::Value;
use linear::Linear;

mod linear;
mod offset;

/// From so many pairs on, one of them may be a decoy.
const LEAVE_ONE_OUT: usize = 8;

/// An answer, and the port that was used after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) answer: Value,
    pub(super) port: u16,
}

/// A formula found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) formula: Formula,
    /// In nats.
    pub(super) evidence: f64,
    /// Pairs it does not explain.
    pub(super) misses: usize,
}

/// Its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Formula {
    /// `f + offset`, modulo 2^16.
    Offset { of: Expression, offset: i64 },
    /// `((f + inner) mod modulus) + outer`; one of the constants is 0.
    Modulus { of: Expression, modulus: u64, inner: u64, outer: u16 },
    /// `f ^ mask`
    Xor { of: Expression, mask: u16 },
    /// A sum of monomials with multipliers, modulo 2^16.
    Linear(Linear),
}

impl Formula {
    /// The port it gives for an answer.
    pub(super) fn port(&self, answer: Value) -> Option<u16> {
        match self {
            Self::Offset { of, offset } => {
                Some((of.value(answer)? as i64).wrapping_add(*offset) as u16)
            }
            Self::Modulus { of, modulus, inner, outer } => {
                let rest = of.value(answer)?.checked_add(*inner)?.checked_rem(*modulus)?;
                u16::try_from(rest.checked_add(u64::from(*outer))?).ok()
            }
            Self::Xor { of, mask } => Some(of.port(answer)? ^ mask),
            Self::Linear(linear) => match answer {
                Value::Address(address) => Some(linear.port(octets(address))),
                Value::Number(_) => None,
            },
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offset { of, offset: 0 } => of.fmt(f),
            Self::Offset { of, offset } => write!(f, "({of}{offset:+}) mod 65536"),
            Self::Modulus { of, modulus, inner: 0, outer: 0 } => write!(f, "({of}) mod {modulus}"),
            Self::Modulus { of, modulus, inner: 0, outer } => {
                write!(f, "({of}) mod {modulus} + {outer}")
            }
            Self::Modulus { of, modulus, inner, .. } => write!(f, "({of}+{inner}) mod {modulus}"),
            Self::Xor { of, mask } => write!(f, "({of}) ^ {mask:#x}"),
            Self::Linear(linear) => linear.fmt(f),
        }
    }
}

/// The best formula for pairs that are distinct in answer and in port.
pub(super) fn solve(pairs: &[Pair]) -> Option<Solution> {
    let whole = solve_all(pairs);
    if whole.is_some() || pairs.len() < LEAVE_ONE_OUT {
        return whole;
    }
    let without = (0..pairs.len()).filter_map(|out| {
        let kept = [pairs.get(..out)?, pairs.get(out + 1..)?].concat();
        let found = solve_all(&kept)?;
        let evidence = found.evidence - (pairs.len() as f64).ln();
        Some(Solution { evidence, misses: 1, ..found })
    });
    without.max_by(|a, b| a.evidence.total_cmp(&b.evidence))
}

fn solve_all(pairs: &[Pair]) -> Option<Solution> {
    let candidates = [offset::solve(pairs), linear::solve(pairs)];
    let found = candidates.into_iter().flatten().filter(|(_, evidence)| *evidence > 0.0);
    let (formula, evidence) = found.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    Some(Solution { formula, evidence, misses: 0 })
}

/// The logarithm of how many ports the pairs range over.
fn width(pairs: &[Pair]) -> f64 {
    let ports = || pairs.iter().map(|pair| f64::from(pair.port));
    let (low, high) = (ports().fold(f64::MAX, f64::min), ports().fold(0.0, f64::max));
    (high - low + 1.0).max(1.0).ln()
}

#[cfg(test)]
mod tests;
