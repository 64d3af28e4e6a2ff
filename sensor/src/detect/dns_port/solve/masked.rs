//! An unknown constant that is xored in before an unknown modulus: `((f ^ K) mod m) + C`.
//!
//! Each of the 2^16 masks leaves differences whose common divisor tells the modulus, as in
//! [`super::offset`]. Few survive the first two, and Euclid's algorithm is left as soon as a remainder
//! is below what a modulus must be: some milliseconds for all expressions, which a set of pairs pays
//! twice in its life.

use super::offset::{MAX_FACTOR, MIN_MODULUS, distinct};
use super::{Formula, Pair, width};
use crate::detect::dns_port::formula::Expression;

/// With so many pairs it is tried: as soon as the ports of most moduli bear enough evidence, and those
/// of narrow ones.
const PAIRS: [usize; 2] = [6, 8];
/// What trying every mask costs, in nats.
const MASKS: f64 = 16.0 * std::f64::consts::LN_2;

/// The best formula over one expression, with its evidence in nats.
pub(super) fn solve(pairs: &[Pair]) -> Option<(Formula, f64)> {
    if !PAIRS.contains(&pairs.len()) {
        return None;
    }
    let width = width(pairs);
    let n = pairs.len() as f64;
    let tried = (Expression::all().len() as f64).ln();
    let evidence = (n - 2.0) * width + (n - 2.0).ln() - MASKS - tried;
    if evidence <= 0.0 {
        return None;
    }
    let least = MIN_MODULUS.max(width.exp().round() as u64);
    let formula = Expression::all().iter().find_map(|of| fit(*of, pairs, least))?;
    Some((formula, evidence))
}

fn fit(of: Expression, pairs: &[Pair], least: u64) -> Option<Formula> {
    let (pairs, values) = distinct(of, pairs)?;
    let points: Vec<(i64, i64)> =
        values.into_iter().zip(&pairs).map(|(value, pair)| (value, i64::from(pair.port))).collect();
    let [first, second, third, others @ ..] = points.as_slice() else { return None };
    for mask in 1..=u16::MAX {
        let rest = |(value, port): &(i64, i64)| (value ^ i64::from(mask)) - port;
        let from_first = |point: &(i64, i64)| (rest(point) - rest(first)).unsigned_abs();
        let Some(divisor) = common(from_first(second), from_first(third), least) else { continue };
        let divisor = others
            .iter()
            .try_fold(divisor, |divisor, point| common(divisor, from_first(point), least));
        let formula = divisor.and_then(|divisor| reduce(of, mask, divisor, least, &pairs));
        if formula.is_some() {
            return formula;
        }
    }
    None
}

/// The formula with this mask, and a modulus that divides the differences, which gives every port.
fn reduce(of: Expression, mask: u16, divisor: u64, least: u64, pairs: &[Pair]) -> Option<Formula> {
    // Without any difference there is no modulus but that of ports.
    let divisor = if divisor == 0 { 1 << 16 } else { divisor };
    let first = pairs.first()?;
    let masked = of.value(first.answer)? ^ u64::from(mask);
    let moduli = (1..=MAX_FACTOR).filter(|factor| divisor % factor == 0);
    let moduli = moduli.map(|factor| divisor / factor);
    moduli.filter(|modulus| (least..=1 << 16).contains(modulus)).find_map(|modulus| {
        let outer = u64::from(first.port).checked_sub(masked % modulus)?;
        let outer = u16::try_from(outer).ok()?;
        let formula = Formula::Modulus { of, mask, modulus, inner: 0, outer };
        let fits = pairs.iter().all(|pair| formula.port(pair.answer) == Some(pair.port));
        fits.then_some(formula)
    })
}

/// The greatest common divisor, unless it is smaller than `least`; 0 is divided by all.
fn common(a: u64, b: u64, least: u64) -> Option<u64> {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        if b < least {
            return None;
        }
        (a, b) = (b, a % b);
    }
    (a == 0 || a >= least).then_some(a)
}
