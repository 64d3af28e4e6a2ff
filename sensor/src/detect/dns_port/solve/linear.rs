//! Unknown multipliers, by Gaussian elimination modulo 2^16.
//!
//! The ring has zero divisors: the pivot is an entry of least 2-adic valuation `v`, and a row can
//! be solved when what remains is divisible by `2^v`. Of the 16 bits of each port an unknown with
//! pivot valuation `v` can explain `16 - v`; what is left over agrees by chance or because the
//! formula is right, which is the evidence, exact under uniform ports.

use std::fmt;
use std::sync::LazyLock;

use super::{Formula, Pair, width};
use crate::detect::answers::Value;
use crate::detect::dns_port::formula::octets;

/// A product of at most two octets; the exponents of `a.b.c.d`.
type Monomial = [u8; 4];
const ONE: Monomial = [0; 4];
/// Fewer pairs than unknowns and two more say nothing.
const SPARE: usize = 2;

/// A sum of monomials with multipliers, modulo 2^16; the constant last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect::dns_port) struct Linear(Vec<(Monomial, u16)>);

impl Linear {
    pub(super) fn port(&self, octets: [u8; 4]) -> u16 {
        self.0.iter().fold(0u16, |sum, (monomial, multiplier)| {
            sum.wrapping_add(power(*monomial, octets).wrapping_mul(*multiplier))
        })
    }
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        let mut first = true;
        for (monomial, multiplier) in self.0.iter().filter(|(_, multiplier)| *multiplier != 0) {
            let multiplier = *multiplier as i16;
            let letters: Vec<_> = ["a", "b", "c", "d"]
                .into_iter()
                .zip(monomial)
                .flat_map(|(letter, power)| std::iter::repeat_n(letter, usize::from(*power)))
                .collect();
            let sign = if first { "" } else { " + " };
            match (multiplier, letters.is_empty()) {
                (_, true) => write!(f, "{sign}{multiplier}")?,
                (1, false) => write!(f, "{sign}{}", letters.join("*"))?,
                (_, false) => write!(f, "{sign}{multiplier}*{}", letters.join("*"))?,
            }
            first = false;
        }
        f.write_str(") mod 65536")
    }
}

/// The best formula over a subset of monomials, with its evidence in nats.
pub(super) fn solve(pairs: &[Pair]) -> Option<(Formula, f64)> {
    let rows: Vec<([u8; 4], u16)> = pairs
        .iter()
        .filter_map(|pair| match pair.answer {
            Value::Address(address) => Some((octets(address), pair.port)),
            Value::Number(_) => None,
        })
        .collect();
    let narrow = width(pairs) / 65_536f64.ln();
    let of = |subset: &Vec<Monomial>, tried: f64| {
        let needed = subset.len() + 1 + SPARE;
        // Most are refuted by the first pairs they could be.
        eliminate(subset, rows.get(..needed)?)?;
        let (linear, bits) = eliminate(subset, &rows)?;
        Some((Formula::Linear(linear), f64::from(bits) * std::f64::consts::LN_2 * narrow - tried))
    };
    // What is tried: each affine subset, and each with products counted four times.
    let tried = (AFFINE.len() as f64).ln();
    let tried_products = (4.0 * PRODUCTS.len() as f64).ln();
    let found = AFFINE.iter().filter_map(|subset| of(subset, tried));
    let found = found.chain(PRODUCTS.iter().filter_map(|subset| of(subset, tried_products)));
    found.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// Sums of octets with multipliers.
static AFFINE: LazyLock<Vec<Vec<Monomial>>> = LazyLock::new(|| subsets(&SINGLE, 4, false));
/// Sums of up to three octets and products, one product at least.
static PRODUCTS: LazyLock<Vec<Vec<Monomial>>> = LazyLock::new(|| subsets(&QUADRATIC, 3, true));

const SINGLE: [Monomial; 4] = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
/// Single octets, products of two, in that order; squares are not what anybody computes.
const QUADRATIC: [Monomial; 10] = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [1, 1, 0, 0],
    [1, 0, 1, 0],
    [1, 0, 0, 1],
    [0, 1, 1, 0],
    [0, 1, 0, 1],
    [0, 0, 1, 1],
];

/// Subsets of up to `size` monomials; with `product`, those that hold one of degree two.
fn subsets(of: &[Monomial], size: u32, product: bool) -> Vec<Vec<Monomial>> {
    (1u32..1 << of.len())
        .filter(|bits| bits.count_ones() <= size)
        .map(|bits| {
            let chosen = of.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            chosen.map(|(_, monomial)| *monomial).collect::<Vec<_>>()
        })
        .filter(|subset| !product || subset.iter().any(|monomial| degree(*monomial) == 2))
        .collect()
}

/// Solves for the multipliers of `subset` and a constant; the bits that agree beyond them.
fn eliminate(subset: &[Monomial], pairs: &[([u8; 4], u16)]) -> Option<(Linear, u32)> {
    let columns: Vec<Monomial> = subset.iter().copied().chain([ONE]).collect();
    let mut rows: Vec<Vec<u16>> = pairs
        .iter()
        .map(|(octets, port)| {
            columns.iter().map(|monomial| power(*monomial, *octets)).chain([*port]).collect()
        })
        .collect();
    let right = columns.len();
    let mut free: Vec<usize> = (0..right).collect();
    let mut pivots: Vec<(usize, usize, u32)> = Vec::new();
    for top in 0..rows.len() {
        let Some((row, column, valuation)) = least_valuation(rows.get(top..)?, &free) else {
            break;
        };
        rows.swap(top, top + row);
        free.retain(|other| *other != column);
        clear_below(&mut rows, top, column, valuation)?;
        pivots.push((top, column, valuation));
    }
    // What has no unknown left must be zero on the right.
    if rows.iter().skip(pivots.len()).any(|row| row.get(right) != Some(&0)) {
        return None;
    }
    let solution = substitute(&rows, &pivots, right)?;
    let explained: u32 = pivots.iter().map(|(.., valuation)| 16 - valuation).sum();
    let bits = (16 * u32::try_from(rows.len()).ok()?).checked_sub(explained)?;
    Some((Linear(columns.into_iter().zip(solution).collect()), bits))
}

/// The entry that is divisible by the smallest power of two: row, column, exponent.
fn least_valuation(rows: &[Vec<u16>], columns: &[usize]) -> Option<(usize, usize, u32)> {
    let entries = rows.iter().enumerate().flat_map(|(row, entries)| {
        columns.iter().filter_map(move |column| Some((row, *column, *entries.get(*column)?)))
    });
    let (row, column, entry) = entries
        .filter(|(.., entry)| *entry != 0)
        .min_by_key(|(.., entry)| entry.trailing_zeros())?;
    Some((row, column, entry.trailing_zeros()))
}

/// Takes multiples of the pivot's row from those below it, so that its column is empty there.
fn clear_below(rows: &mut [Vec<u16>], top: usize, column: usize, valuation: u32) -> Option<()> {
    let (head, below) = rows.split_at_mut(top + 1);
    let pivot = head.last()?;
    let inverse = inverse(pivot.get(column)? >> valuation);
    for row in below {
        let factor = (row.get(column)? >> valuation).wrapping_mul(inverse);
        for (entry, above) in row.iter_mut().zip(pivot) {
            *entry = entry.wrapping_sub(above.wrapping_mul(factor));
        }
    }
    Some(())
}

/// One solution, from the last pivot up; what no pivot fixes is zero. `None` when a right side is
/// not divisible by its pivot.
fn substitute(rows: &[Vec<u16>], pivots: &[(usize, usize, u32)], right: usize) -> Option<Vec<u16>> {
    let mut solution = vec![0u16; right];
    for (row, column, valuation) in pivots.iter().rev() {
        let row = rows.get(*row)?;
        let known = row.iter().zip(&solution).enumerate().filter(|(index, _)| index != column);
        let known = known
            .fold(0u16, |sum, (_, (entry, value))| sum.wrapping_add(entry.wrapping_mul(*value)));
        let rest = row.get(right)?.wrapping_sub(known);
        if rest.trailing_zeros() < *valuation {
            return None;
        }
        let value = (rest >> valuation).wrapping_mul(inverse(row.get(*column)? >> valuation));
        *solution.get_mut(*column)? = value;
    }
    Some(solution)
}

/// The inverse of an odd number modulo 2^16, by Newton's iteration (each step doubles the bits).
fn inverse(odd: u16) -> u16 {
    (0..4)
        .fold(odd, |inverse, _| inverse.wrapping_mul(2u16.wrapping_sub(odd.wrapping_mul(inverse))))
}

fn power(monomial: Monomial, octets: [u8; 4]) -> u16 {
    octets.iter().zip(monomial).fold(1u16, |product, (octet, power)| {
        (0..power).fold(product, |product, _| product.wrapping_mul(u16::from(*octet)))
    })
}

fn degree(monomial: Monomial) -> u8 {
    monomial.iter().sum()
}
