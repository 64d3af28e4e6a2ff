//! Ports as functions of an answer: the family of known expressions.
//!
//! APT12's `a*b+c` is the only published one (MITRE ATT&CK T1568.003); the family is what differs
//! from it by the octets used and by the operations that other tools would choose.

use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::detect::answers::{Reading, Value};

/// An expression over the octets `a.b.c.d` of an address (of IPv6 the last four bytes), which the
/// indices select, or over a number. Its value is taken modulo 2^16.
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
    Number(Reading),
    /// 16 bits of an IPv6 address before its last four bytes, from the left.
    Group(usize),
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
    /// The expressions that are tried for themselves, APT12's first: 48 over octets, a number in each
    /// of its readings, and six groups of an IPv6 address.
    pub(super) const KNOWN: usize = 58;

    /// The known expressions, then those that only serve as terms.
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Expression>> = LazyLock::new(enumerate);
        &ALL
    }

    /// The value over an answer, not reduced; `None` when it does not apply to it.
    pub(super) fn value(self, answer: Value) -> Option<u64> {
        let octets = match (answer, self) {
            (Value::Number(number), Self::Number(reading)) => {
                return (number.reading == reading).then(|| u64::from(number.value));
            }
            (Value::Address(IpAddr::V6(address)), Self::Group(index)) => {
                return address.segments().get(index).map(|group| u64::from(*group));
            }
            (Value::Number(_), _) | (_, Self::Number(_) | Self::Group(_)) => return None,
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
            Self::Number(_) | Self::Group(_) => 0,
        })
    }

    /// The port it gives.
    pub(super) fn port(self, answer: Value) -> Option<u16> {
        self.value(answer).map(|value| value as u16)
    }

    /// What it reads of an answer: two answers that agree in this are one observation.
    pub(super) fn reads(self, answer: Value) -> u32 {
        let address = match (answer, self) {
            (Value::Number(number), _) => return number.value,
            (Value::Address(_), Self::Group(_)) => return self.port(answer).map_or(0, u32::from),
            (Value::Address(address), _) => octets(address),
        };
        let read: &[usize] = match &self {
            Self::ProductPlus(indices) | Self::TimesSum(indices) => indices,
            Self::Pair(indices) => indices,
            _ => &[0, 1, 2, 3],
        };
        let mask = |index| if read.contains(&index) { 0xff } else { 0 };
        u32::from_be_bytes([mask(0), mask(1), mask(2), mask(3)]) & u32::from_be_bytes(address)
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
            Self::Number(reading) => reading.fmt(f),
            Self::Group(index) => write!(f, "group {} of the IPv6 address", index + 1),
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

/// The octets a formula reads: an IPv4 address, the end of an IPv6 one.
pub(super) fn octets(address: IpAddr) -> [u8; 4] {
    match address {
        IpAddr::V4(v4) => v4.octets(),
        IpAddr::V6(v6) => (v6.to_bits() as u32).to_be_bytes(),
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
    all.extend(Reading::ALL.map(Number));
    all.extend((0..6).map(Group));
    all.extend((0..4).map(Product3));
    all.extend([Product4, Sum, Whole]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::answers::Number;

    #[test]
    fn the_family_has_48_expressions_over_octets_and_apt12_is_the_first() {
        let all = Expression::all();
        assert_eq!(all[0].to_string(), "a*b+c");
        assert_eq!(all[48].to_string(), "the TXT number");
        assert_eq!(all[Expression::KNOWN], Expression::Product3(0));
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_pool_that_rotates_in_one_octet_is_one_observation_for_what_reads_the_others() {
        let pair = Expression::Pair([0, 1]);
        let answer = |d| Value::Address([203, 0, 113, d].into());
        assert_eq!(pair.reads(answer(1)), pair.reads(answer(2)));
        assert_ne!(Expression::Sum.reads(answer(1)), Expression::Sum.reads(answer(2)));
    }

    #[test]
    fn what_an_expression_does_not_apply_to_gives_no_port() {
        let v6 = Value::Address("2001:db8:1f90::a:1234".parse().unwrap());
        let v4 = Value::Address([203, 0, 113, 9].into());
        let hex = Value::Number(Number { value: 0x1f90, reading: Reading::TextHex });
        assert_eq!(Expression::Group(2).port(v6), Some(0x1f90));
        assert_eq!(Expression::Pair([2, 3]).port(v6), Some(0x1234));
        assert_eq!(Expression::Group(2).port(v4), None);
        assert_eq!(Expression::Number(Reading::TextHex).port(hex), Some(0x1f90));
        assert_eq!(Expression::Number(Reading::Text).port(hex), None);
        assert_eq!(Expression::Sum.port(hex), None);
    }
}
