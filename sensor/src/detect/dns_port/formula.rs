//! Ports as functions of an answer: the family of known expressions, and how likely each gives a
//! port by accident.
//!
//! APT12's `a*b+c` is the only published one (MITRE ATT&CK T1568.003); the family is what differs
//! from it by the octets used and by the operations that other tools would choose.

use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::detect::answers::Value;

/// An expression over the octets `a.b.c.d` of an address (of IPv6 the last four bytes), which the
/// indices select, or over a number in a TXT record. Its value is taken modulo 2^16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Expression {
    /// `x*y+z`
    ProductPlus([usize; 3]),
    /// `x*256+y`
    Pair([usize; 2]),
    /// `x*y+z+w`
    ProductPlusTwo([usize; 4]),
    /// `x*(y+z)`
    TimesSum([usize; 3]),
    /// `(x^y)*256+(z^w)`
    XorPair([usize; 4]),
    /// A number as it is.
    Number,
    /// `a*b*c*d` without one octet: too rare to try for itself, but a term of what is solved for.
    Product3(usize),
    /// `a*b*c*d`
    Product4,
    /// `a+b+c+d`
    Sum,
    /// The address as one number.
    Whole,
}

impl Expression {
    /// The expressions that are tried for themselves, APT12's first: 48 over octets, and a number.
    pub(super) const KNOWN: usize = 49;

    /// The known expressions, then those that only serve as terms.
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Expression>> = LazyLock::new(enumerate);
        &ALL
    }

    /// The value over an answer, not reduced; `None` when it does not apply to it.
    pub(super) fn value(self, answer: Value) -> Option<u64> {
        let octets = match (answer, self) {
            (Value::Number(number), Self::Number) => return Some(u64::from(number)),
            (Value::Number(_), _) | (_, Self::Number) => return None,
            (Value::Address(address), _) => octets(address),
        };
        let o = |index: usize| octets.get(index).map_or(0, |octet| u64::from(*octet));
        Some(match self {
            Self::ProductPlus([x, y, z]) => o(x) * o(y) + o(z),
            Self::Pair([x, y]) => o(x) * 256 + o(y),
            Self::ProductPlusTwo([x, y, z, w]) => o(x) * o(y) + o(z) + o(w),
            Self::TimesSum([x, y, z]) => o(x) * (o(y) + o(z)),
            Self::XorPair([x, y, z, w]) => (o(x) ^ o(y)) * 256 + (o(z) ^ o(w)),
            Self::Product3(left_out) => (0..4).filter(|i| *i != left_out).map(o).product(),
            Self::Product4 => (0..4).map(o).product(),
            Self::Sum => (0..4).map(o).sum(),
            Self::Whole => u64::from(u32::from_be_bytes(octets)),
            Self::Number => 0,
        })
    }

    /// The port it gives.
    pub(super) fn port(self, answer: Value) -> Option<u16> {
        self.value(answer).map(|value| value as u16)
    }

    /// What it reads of an answer: two answers that agree in this are one observation.
    pub(super) fn reads(self, answer: Value) -> u32 {
        let address = match answer {
            Value::Number(number) => return number,
            Value::Address(address) => octets(address),
        };
        let read: &[usize] = match &self {
            Self::ProductPlus(indices) | Self::TimesSum(indices) => indices,
            Self::Pair(indices) => indices,
            _ => &[0, 1, 2, 3],
        };
        let mask = |index| if read.contains(&index) { 0xff } else { 0 };
        u32::from_be_bytes([mask(0), mask(1), mask(2), mask(3)]) & u32::from_be_bytes(address)
    }

    /// The exact distribution of its port over unicast addresses: the first octet uniform over 1 to
    /// 223 without 10 and 127, the others over 0 to 255.
    fn distribution(self) -> Vec<f64> {
        match self {
            Self::ProductPlus([x, y, z]) => plus(&combine(x, y, |x, y| x * y), z),
            Self::Pair([x, y]) => combine(x, y, |x, y| x * 256 + y),
            Self::ProductPlusTwo([x, y, z, w]) => plus(&plus(&combine(x, y, |x, y| x * y), z), w),
            Self::TimesSum([x, y, z]) => {
                let sums = combine(y, z, |y, z| y + z);
                let mut ports = vec![0.0; PORTS];
                for (factor, p) in octet(x) {
                    for (sum, q) in sums.iter().enumerate().take(511) {
                        add(&mut ports, factor * sum, p * q);
                    }
                }
                ports
            }
            Self::XorPair([x, y, z, w]) => {
                let (high, low) = (combine(x, y, |x, y| x ^ y), combine(z, w, |z, w| z ^ w));
                let mut ports = vec![0.0; PORTS];
                for (high, p) in high.iter().enumerate().take(256) {
                    for (low, q) in low.iter().enumerate().take(256) {
                        add(&mut ports, high * 256 + low, p * q);
                    }
                }
                ports
            }
            _ => vec![1.0 / PORTS as f64; PORTS],
        }
    }
}

/// In the letters of the octets, as alerts print it.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let l = |index: usize| ["a", "b", "c", "d"].get(index).copied().unwrap_or("?");
        match *self {
            Self::ProductPlus([x, y, z]) => write!(f, "{}*{}+{}", l(x), l(y), l(z)),
            Self::Pair([x, y]) => write!(f, "{}*256+{}", l(x), l(y)),
            Self::ProductPlusTwo([x, y, z, w]) => {
                write!(f, "{}*{}+{}+{}", l(x), l(y), l(z), l(w))
            }
            Self::TimesSum([x, y, z]) => write!(f, "{}*({}+{})", l(x), l(y), l(z)),
            Self::XorPair([x, y, z, w]) => {
                write!(f, "({}^{})*256+({}^{})", l(x), l(y), l(z), l(w))
            }
            Self::Number => f.write_str("the TXT number"),
            Self::Product3(left_out) => {
                let kept: Vec<_> = (0..4).filter(|i| *i != left_out).map(l).collect();
                f.write_str(&kept.join("*"))
            }
            Self::Product4 => f.write_str("a*b*c*d"),
            Self::Sum => f.write_str("(a+b+c+d)"),
            Self::Whole => f.write_str("the address"),
        }
    }
}

const PORTS: usize = 1 << 16;

/// The octets a formula reads: an IPv4 address, the end of an IPv6 one.
pub(super) fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(v6) => (v6.to_bits() as u32).to_be_bytes(),
    }
}

/// How likely each known expression gives each port by accident: 256 KiB for each that ever hit.
#[derive(Debug)]
pub(super) struct Chances(Vec<OnceCell<Vec<f32>>>);

impl Chances {
    pub(super) fn new() -> Self {
        Self(vec![OnceCell::new(); Expression::KNOWN])
    }

    /// The chance that the known expression of this place in [`Expression::all`] gives `port`.
    /// Its distribution is computed at its first hit: some milliseconds.
    pub(super) fn of(&self, expression: usize, port: u16) -> f64 {
        let known = self.0.get(expression).zip(Expression::all().get(expression));
        let Some((table, expression)) = known else { return 0.0 };
        let table =
            table.get_or_init(|| expression.distribution().into_iter().map(|p| p as f32).collect());
        table.get(usize::from(port)).copied().map_or(0.0, f64::from)
    }
}

fn enumerate() -> Vec<Expression> {
    use Expression::*;
    let pairs = || (0..4).flat_map(|x| (x + 1..4).map(move |y| (x, y)));
    let rest = |used: &[usize]| -> Vec<usize> { (0..4).filter(|i| !used.contains(i)).collect() };
    let mut all = Vec::new();
    for (x, y) in pairs() {
        all.extend(rest(&[x, y]).into_iter().map(|z| ProductPlus([x, y, z])));
    }
    for x in 0..4 {
        all.extend(rest(&[x]).into_iter().map(|y| Pair([x, y])));
    }
    for x in 0..4 {
        let sums = pairs().filter(|(y, z)| *y != x && *z != x);
        all.extend(sums.map(|(y, z)| TimesSum([x, y, z])));
    }
    for (x, y) in pairs() {
        if let [z, w] = rest(&[x, y])[..] {
            all.extend([ProductPlusTwo([x, y, z, w]), XorPair([x, y, z, w])]);
        }
    }
    all.push(Number);
    all.extend((0..4).map(Product3));
    all.extend([Product4, Sum, Whole]);
    all
}

/// The values of the octet at an index, each with its probability.
fn octet(index: usize) -> impl Iterator<Item = (usize, f64)> {
    let unicast =
        move |octet: &usize| index > 0 || (matches!(octet, 1..=223) && !matches!(octet, 10 | 127));
    let probability = if index == 0 { 1.0 / 221.0 } else { 1.0 / 256.0 };
    (0..256).filter(unicast).map(move |octet| (octet, probability))
}

/// The distribution of a function of two octets.
fn combine(x: usize, y: usize, of: fn(usize, usize) -> usize) -> Vec<f64> {
    let mut ports = vec![0.0; PORTS];
    for (x, p) in octet(x) {
        for (y, q) in octet(y) {
            add(&mut ports, of(x, y), p * q);
        }
    }
    ports
}

/// The distribution of a sum with one more octet: windows over running totals, not a convolution.
fn plus(ports: &[f64], index: usize) -> Vec<f64> {
    let mut totals = Vec::with_capacity(PORTS + 1);
    let mut total = 0.0;
    totals.push(total);
    for probability in ports {
        total += probability;
        totals.push(total);
    }
    // The probability of a value at least `from` and below `to` under `port`.
    let below = |port: usize, from: usize, to: usize| {
        let total = |end: usize| totals.get(end).copied().unwrap_or(0.0);
        total((port + 1).saturating_sub(from)) - total((port + 1).saturating_sub(to))
    };
    let window = |port: usize| match index {
        0 => below(port, 1, 224) - below(port, 10, 11) - below(port, 127, 128),
        _ => below(port, 0, 256),
    };
    let values = if index == 0 { 221.0 } else { 256.0 };
    (0..PORTS).map(|port| clean(window(port)) / values).collect()
}

/// Differences of running totals leave rounding where there is nothing.
fn clean(probability: f64) -> f64 {
    if probability < 1e-12 { 0.0 } else { probability }
}

fn add(ports: &mut [f64], value: usize, probability: f64) {
    if let Some(port) = ports.get_mut(value % PORTS) {
        *port += probability;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apt12() -> Vec<f64> {
        Expression::ProductPlus([0, 1, 2]).distribution()
    }

    #[test]
    fn the_family_is_48_expressions_and_apt12_is_the_first() {
        let all = Expression::all();
        assert_eq!(all[0].to_string(), "a*b+c");
        assert_eq!(all[Expression::KNOWN - 1], Expression::Number);
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    /// The numbers computed over all 14,483,456 unicast /24s.
    #[test]
    fn chances_are_the_exact_ones() {
        let ports = apt12();
        for (port, expected) in
            [(443, 9.16e-5), (902, 7.5e-5), (53, 3.0e-5), (8443, 3.4e-5), (20_000, 1.9e-5)]
        {
            let found = ports[port];
            assert!((found / expected - 1.0).abs() < 0.02, "port {port}: {found:e}");
        }
        assert!(ports.iter().skip(57_121).all(|chance| *chance == 0.0));
        let chances = Chances::new();
        assert!((chances.of(0, 443) / 9.16e-5 - 1.0).abs() < 0.15);
        assert_eq!(chances.of(0, 60_000), 0.0);
    }

    #[test]
    fn every_distribution_sums_to_one_and_matches_sampled_addresses() {
        for expression in Expression::all().iter().take(Expression::KNOWN - 1) {
            let ports = expression.distribution();
            let total: f64 = ports.iter().sum();
            assert!((total - 1.0).abs() < 1e-6, "{expression}: {total}");
            for address in [[8, 8, 4, 4], [203, 0, 113, 255], [223, 255, 255, 255]] {
                let port = expression.port(Value::Address(address.into())).unwrap();
                assert!(ports[usize::from(port)] > 0.0, "{expression} of {address:?}");
            }
        }
    }

    #[test]
    fn a_pool_that_rotates_in_one_octet_is_one_observation_for_what_reads_the_others() {
        let pair = Expression::Pair([0, 1]);
        let answer = |d| Value::Address([203, 0, 113, d].into());
        assert_eq!(pair.reads(answer(1)), pair.reads(answer(2)));
        assert_ne!(Expression::Sum.reads(answer(1)), Expression::Sum.reads(answer(2)));
    }
}
