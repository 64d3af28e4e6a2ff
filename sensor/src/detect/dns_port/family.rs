//! What is tried for itself: the known expressions, then the formulas of the config.

use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::chance::{Over, of_written};
use super::formula::{Expression, octets};
use crate::config::{PortFormula, Reads};
use crate::detect::answers::Value;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tried {
    Known(Expression),
    Written(Arc<PortFormula>),
}

impl Tried {
    /// The port it gives for an answer; `None` when it does not apply to it.
    pub(super) fn port(&self, answer: Value) -> Option<u16> {
        match (self, answer) {
            (Self::Known(known), _) => known.port(answer),
            (Self::Written(written), Value::Address(address)) => written.of_octets(octets(address)),
            (Self::Written(written), Value::Number(number)) => written.of_number(number.value),
        }
    }

    /// What it reads of an answer: two answers that agree in this are one observation.
    pub(super) fn reads(&self, answer: Value) -> u32 {
        match (self, answer) {
            (Self::Known(known), _) => known.reads(answer),
            (Self::Written(_), Value::Number(number)) => number.value,
            (Self::Written(written), Value::Address(address)) => {
                let Reads::Octets(read) = written.reads() else { return 0 };
                let mask = u32::from_be_bytes(read.map(|is_read| if is_read { 0xff } else { 0 }));
                mask & u32::from_be_bytes(octets(address))
            }
        }
    }

    fn distribution(&self, over: Over) -> Vec<f64> {
        match self {
            Self::Known(known) => known.distribution(over),
            Self::Written(written) => of_written(written, over),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => known.fmt(f),
            Self::Written(written) => written.fmt(f),
        }
    }
}

/// How likely one gives each port by accident, over IPv4 and over IPv6: 256 KiB for each that ever
/// hit.
type Chances = [OnceCell<Vec<f32>>; 2];

/// All that is tried, in the order in which it is told when several agree.
#[derive(Debug)]
pub(super) struct Family(Vec<(Tried, Chances)>);

impl Family {
    pub(super) fn new(written: &[Arc<PortFormula>]) -> Self {
        let known = Expression::all().iter().take(Expression::KNOWN).copied().map(Tried::Known);
        let written = written.iter().cloned().map(Tried::Written);
        Self(known.chain(written).map(|tried| (tried, Chances::default())).collect())
    }

    /// Each with its place.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Tried)> {
        self.0.iter().map(|(tried, _)| tried).enumerate()
    }

    /// The chance that the one at `place` gives `port` for an answer like this by accident. Its
    /// distribution is computed at its first hit: some milliseconds, a tenth of a second at most.
    pub(super) fn chance(&self, place: usize, answer: Value, port: u16) -> f64 {
        let Some((tried, [v4, v6])) = self.0.get(place) else { return 0.0 };
        let (over, table) = match answer {
            Value::Address(IpAddr::V6(_)) => (Over::V6, v6),
            _ => (Over::V4, v4),
        };
        let compute = || tried.distribution(over).into_iter().map(|p| p as f32).collect();
        table.get_or_init(compute).get(usize::from(port)).copied().map_or(0.0, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_of_the_config_is_one_more() {
        let formula = Arc::new(PortFormula::parse("(c^d)*7 + 1024").unwrap());
        let family = Family::new(&[formula]);
        let (place, tried) = family.all().last().unwrap();
        assert_eq!(place, Expression::KNOWN);
        let answer = |b| Value::Address([203, b, 113, 9].into());
        let port = (113 ^ 9) * 7 + 1024;
        assert_eq!(tried.port(answer(1)), Some(port));
        assert_eq!(tried.reads(answer(1)), tried.reads(answer(2)), "b is not read");
        assert!((family.chance(place, answer(1), port) - 1.0 / 256.0).abs() < 1e-6);
        assert_eq!(family.chance(place, answer(1), 1025), 0.0);
    }
}
