//! Formulas nobody told us: from (answer, port) pairs to constants, moduli and multipliers.
//!
//! Evidence is what the pairs beyond the unknowns agree on, in nats, less the logarithm of what
//! was tried. It is exact for uniform ports; narrow ports agree more easily, so it is scaled by
//! their width.

use std::fmt;
use std::ops::RangeInclusive;

use super::family::Tried;
use super::formula::{Expression, octets};
use crate::detect::answers::Value;
use linear::Linear;

mod linear;
mod masked;
mod offset;

/// Evidence that chance has now and then, in nats: with less, more is tried.
const WEAK: f64 = 10.0;
/// With so many pairs, one of them may be a decoy. With more, it would not be one alone.
const LEAVE_ONE_OUT: RangeInclusive<usize> = 8..=16;

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
    /// One that is tried for itself.
    Tried(Tried),
    /// `f + offset`, modulo 2^16.
    Offset { of: Expression, offset: i64 },
    /// `(((f ^ mask) + inner) mod modulus) + outer`; of mask and inner constant one is 0.
    Modulus { of: Expression, mask: u16, modulus: u64, inner: u64, outer: u16 },
    /// `f ^ mask`
    Xor { of: Expression, mask: u16 },
    /// A sum of monomials with multipliers, modulo 2^16.
    Linear(Linear),
}

impl Formula {
    /// The port it gives for an answer.
    pub(super) fn port(&self, answer: Value) -> Option<u16> {
        match self {
            Self::Tried(tried) => tried.port(answer),
            Self::Offset { of, offset } => {
                Some((of.value(answer)? as i64).wrapping_add(*offset) as u16)
            }
            Self::Modulus { of, mask, modulus, inner, outer } => {
                let masked = of.value(answer)? ^ u64::from(*mask);
                let rest = masked.checked_add(*inner)?.checked_rem(*modulus)?;
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
            Self::Tried(tried) => tried.fmt(f),
            Self::Offset { of, offset: 0 } => of.fmt(f),
            Self::Offset { of, offset } => write!(f, "({of}{offset:+}) mod 65536"),
            Self::Modulus { of, mask, modulus, inner, outer } => {
                match (mask, inner) {
                    (0, 0) => write!(f, "({of}) mod {modulus}")?,
                    (0, _) => write!(f, "({of}+{inner}) mod {modulus}")?,
                    _ => write!(f, "(({of}) ^ {mask:#x}) mod {modulus}")?,
                }
                if *outer == 0 { Ok(()) } else { write!(f, " + {outer}") }
            }
            Self::Xor { of, mask } => write!(f, "({of}) ^ {mask:#x}"),
            Self::Linear(linear) => linear.fmt(f),
        }
    }
}

/// The best formula for pairs that are distinct in answer and in port.
pub(super) fn solve(pairs: &[Pair]) -> Option<Solution> {
    let plain = solve_plain(pairs);
    if plain.as_ref().is_some_and(|found| found.evidence >= WEAK) {
        return plain;
    }
    let masked = masked::solve(pairs).map(whole);
    let others =
        (0..pairs.len()).filter(|_| LEAVE_ONE_OUT.contains(&pairs.len())).filter_map(|out| {
            let kept = [pairs.get(..out)?, pairs.get(out + 1..)?].concat();
            let found = solve_plain(&kept)?;
            let evidence = found.evidence - (pairs.len() as f64).ln();
            Some(Solution { evidence, misses: 1, ..found })
        });
    let all = plain.into_iter().chain(masked).chain(others);
    all.reduce(|best, next| if next.evidence > best.evidence { next } else { best })
}

fn solve_plain(pairs: &[Pair]) -> Option<Solution> {
    let found = [offset::solve(pairs), linear::solve(pairs)].into_iter().flatten();
    let found = found.filter(|(_, evidence)| *evidence > 0.0);
    found.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(whole)
}

/// A formula that explains every pair.
fn whole((formula, evidence): (Formula, f64)) -> Solution {
    Solution { formula, evidence, misses: 0 }
}

/// The logarithm of how many ports the pairs range over.
fn width(pairs: &[Pair]) -> f64 {
    let ports = || pairs.iter().map(|pair| f64::from(pair.port));
    let (low, high) = (ports().fold(f64::MAX, f64::min), ports().fold(0.0, f64::max));
    (high - low + 1.0).max(1.0).ln()
}

#[cfg(test)]
mod tests;
