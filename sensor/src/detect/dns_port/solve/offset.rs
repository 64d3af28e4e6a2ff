//! Unknown constants and moduli, by greatest common divisors.
//!
//! With `z = f(answer) - port`, `port = (f mod m) + K` makes every `z - z0` a multiple of `m`, and
//! zero where there is no modulus. A constant that is xored in shows as `port ^ f` being constant.

use super::{Formula, Pair, width};
use crate::detect::dns_port::formula::Expression;

/// Pairs needed: one gives the constant, one the modulus, the rest is evidence.
const MIN_PAIRS: usize = 3;
/// A smaller common divisor is chance.
pub(super) const MIN_MODULUS: u64 = 1024;
/// The differences share a larger factor in less than 1 % of cases.
pub(super) const MAX_FACTOR: u64 = 256;

/// The best formula over one expression, with its evidence in nats.
pub(super) fn solve(pairs: &[Pair]) -> Option<(Formula, f64)> {
    if pairs.len() < MIN_PAIRS {
        return None;
    }
    let tried = (Expression::all().len() as f64).ln();
    let found = Expression::all().iter().filter_map(|of| {
        let found = [fit(*of, pairs), mask(*of, pairs)].into_iter().flatten();
        found.max_by(|(_, a), (_, b)| a.total_cmp(b))
    });
    // The first of equals, so that the simpler one is told.
    let best = found.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    Some((best.0, best.1 - tried))
}

/// `port = f + K` or `port = (f mod m) + K`.
fn fit(of: Expression, pairs: &[Pair]) -> Option<(Formula, f64)> {
    let (distinct, values) = distinct(of, pairs)?;
    let n = distinct.len() as f64;
    let differences: Vec<i64> =
        distinct.iter().zip(&values).map(|(pair, value)| *value - i64::from(pair.port)).collect();
    let first = *differences.first()?;
    let apart = || differences.iter().map(|z| (z - first).unsigned_abs());
    let width = width(&distinct);
    if apart().all(|apart| apart % 65_536 == 0) {
        return Some((Formula::Offset { of, offset: short(-first) }, (n - 1.0) * width));
    }
    let divisor = apart().fold(0, gcd);
    // The differences may share a factor by chance: the modulus is the largest part of the
    // divisor that gives every port.
    let parts = (1..=MAX_FACTOR).filter(|factor| divisor % factor == 0);
    let moduli = parts.map(|factor| divisor / factor);
    let least = MIN_MODULUS.max(width.exp() as u64);
    let mut moduli = moduli.filter(|modulus| (least..=65_536).contains(modulus));
    let formula = moduli.find_map(|modulus| reduce(of, modulus, &distinct))?;
    Some((formula, (n - 2.0) * width + (n - 2.0).ln()))
}

/// The formula with this modulus that gives every pair's port, its constant outside or inside.
fn reduce(of: Expression, modulus: u64, pairs: &[Pair]) -> Option<Formula> {
    let first = pairs.first()?;
    let (value, port) = (of.value(first.answer)?, u64::from(first.port));
    let outer = port.checked_sub(value % modulus).and_then(|outer| u16::try_from(outer).ok());
    let inner = (port + modulus - value % modulus) % modulus;
    let outside = outer.map(|outer| Formula::Modulus { of, mask: 0, modulus, inner: 0, outer });
    let inside = Formula::Modulus { of, mask: 0, modulus, inner, outer: 0 };
    let fits =
        |formula: &Formula| pairs.iter().all(|pair| formula.port(pair.answer) == Some(pair.port));
    outside.into_iter().chain([inside]).find(fits)
}

/// `port = f ^ K`
fn mask(of: Expression, pairs: &[Pair]) -> Option<(Formula, f64)> {
    let (distinct, _) = distinct(of, pairs)?;
    let mut masks = distinct.iter().filter_map(|pair| Some(of.port(pair.answer)? ^ pair.port));
    let mask = masks.next().filter(|mask| *mask != 0)?;
    let all = masks.all(|other| other == mask);
    // One more way of reading each expression.
    let evidence = (distinct.len() as f64 - 1.0) * width(&distinct) - std::f64::consts::LN_2;
    all.then_some((Formula::Xor { of, mask }, evidence))
}

/// The pairs that differ in the expression's value; `None` where it does not apply, where too few
/// differ, or where one value led to two ports.
pub(super) fn distinct(of: Expression, pairs: &[Pair]) -> Option<(Vec<Pair>, Vec<i64>)> {
    let mut kept: Vec<Pair> = Vec::with_capacity(pairs.len());
    let mut values: Vec<i64> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let value = i64::try_from(of.value(pair.answer)?).ok()?;
        if values.contains(&value) {
            return None;
        }
        kept.push(*pair);
        values.push(value);
    }
    (kept.len() >= MIN_PAIRS).then_some((kept, values))
}

/// The same number modulo 2^16 as people would write it: between -2^15 and 2^15.
fn short(offset: i64) -> i64 {
    i64::from(offset as i16)
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
