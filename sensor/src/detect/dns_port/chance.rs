//! How likely an expression gives a port by accident: its distribution over addresses, exact where
//! it can be enumerated, else an upper bound.

use super::formula::Expression;
use crate::config::{PortFormula, Reads};

pub(super) const PORTS: usize = 1 << 16;

/// Addresses that are drawn where an expression over more than two octets cannot be taken apart.
const DRAWN: u64 = 1 << 20;

/// What addresses are taken to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Unicast IPv4: the first octet uniform over 1 to 223 without 10 and 127, the others over 0 to
    /// 255.
    V4,
    /// The last four bytes of IPv6: all uniform.
    V6,
}

impl Expression {
    /// The exact distribution of its port. A number, and a group of an IPv6 address, is taken to be
    /// uniform: whoever writes it can choose any.
    pub(super) fn distribution(self, over: Over) -> Vec<f64> {
        let combine = |x, y, of: fn(usize, usize) -> usize| combine(over, x, y, of);
        let plus = |ports: &[f64], z| plus(over, ports, z);
        match self {
            Self::ProductPlus([x, y, z]) => plus(&combine(x, y, |x, y| x * y), z),
            Self::Pair([x, y]) => combine(x, y, |x, y| x * 256 + y),
            Self::ProductPlusTwo([x, y, z, w]) => plus(&plus(&combine(x, y, |x, y| x * y), z), w),
            Self::TimesSum([x, y, z]) => {
                let sums = combine(y, z, |y, z| y + z);
                let mut ports = vec![0.0; PORTS];
                for (factor, p) in octet(over, x) {
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

/// The same for a formula of the config: exact over a number and over one or two octets; over more,
/// what no port exceeds in one of a thousand draws.
pub(super) fn of_written(formula: &PortFormula, over: Over) -> Vec<f64> {
    let mut ports = vec![0.0; PORTS];
    let octets = match formula.reads() {
        Reads::Number => {
            for number in 0..PORTS as u32 {
                add_port(&mut ports, formula.of_number(number), 1.0 / PORTS as f64);
            }
            return ports;
        }
        Reads::Octets(octets) => octets,
    };
    let read: Vec<usize> = (0..4).filter(|index| octets.get(*index) == Some(&true)).collect();
    if read.len() > 2 {
        return drawn(formula, over);
    }
    let x = read.first().copied().unwrap_or(0);
    let y = read.get(1).copied().unwrap_or((x + 1) % 4);
    for (of_x, p) in octet(over, x) {
        for (of_y, q) in octet(over, y) {
            let octet = |index| {
                if index == x {
                    of_x
                } else if index == y {
                    of_y
                } else {
                    0
                }
            };
            let address = [0, 1, 2, 3].map(|index| octet(index) as u8);
            add_port(&mut ports, formula.of_octets(address), p * q);
        }
    }
    ports
}

/// An upper bound of each port's chance, from addresses drawn in a fixed order.
fn drawn(formula: &PortFormula, over: Over) -> Vec<f64> {
    let mut ports = vec![0.0; PORTS];
    let first: Vec<u8> = octet(over, 0).map(|(octet, _)| octet as u8).collect();
    for index in 0..DRAWN {
        let mixed = mix(index);
        let [_, _, _, of_a, a, b, c, d] = mixed.to_be_bytes();
        // Two bytes choose the first octet, so that none is favoured by much.
        let a = (usize::from(u16::from_be_bytes([of_a, a])) * first.len()) >> 16;
        let a = first.get(a).copied().unwrap_or_default();
        add_port(&mut ports, formula.of_octets([a, b, c, d]), 1.0);
    }
    let bound = |seen: &f64| (seen + 3.1 * seen.sqrt() + 7.0) / DRAWN as f64;
    ports.iter().map(bound).collect()
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
const fn mix(index: u64) -> u64 {
    let z = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The values of the octet at an index, each with its probability.
fn octet(over: Over, index: usize) -> impl Iterator<Item = (usize, f64)> {
    let is_first = index == 0 && over == Over::V4;
    let unicast =
        move |octet: &usize| !is_first || (matches!(octet, 1..=223) && !matches!(octet, 10 | 127));
    let probability = if is_first { 1.0 / 221.0 } else { 1.0 / 256.0 };
    (0..256).filter(unicast).map(move |octet| (octet, probability))
}

/// The distribution of a function of two octets.
fn combine(over: Over, x: usize, y: usize, of: fn(usize, usize) -> usize) -> Vec<f64> {
    let mut ports = vec![0.0; PORTS];
    for (x, p) in octet(over, x) {
        for (y, q) in octet(over, y) {
            add(&mut ports, of(x, y), p * q);
        }
    }
    ports
}

/// The distribution of a sum with one more octet: windows over running totals, not a convolution.
fn plus(over: Over, ports: &[f64], index: usize) -> Vec<f64> {
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
    let is_first = index == 0 && over == Over::V4;
    let window = |port: usize| {
        if is_first {
            below(port, 1, 224) - below(port, 10, 11) - below(port, 127, 128)
        } else {
            below(port, 0, 256)
        }
    };
    let values = if is_first { 221.0 } else { 256.0 };
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

fn add_port(ports: &mut [f64], port: Option<u16>, probability: f64) {
    if let Some(port) = port {
        add(ports, usize::from(port), probability);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::answers::Value;

    fn written(text: &str) -> Vec<f64> {
        of_written(&PortFormula::parse(text).unwrap(), Over::V4)
    }

    /// The numbers computed over all 14,483,456 unicast /24s.
    #[test]
    fn chances_are_the_exact_ones() {
        let ports = Expression::ProductPlus([0, 1, 2]).distribution(Over::V4);
        for (port, expected) in
            [(443, 9.16e-5), (902, 7.5e-5), (53, 3.0e-5), (8443, 3.4e-5), (20_000, 1.9e-5)]
        {
            let found: f64 = ports[port];
            assert!((found / expected - 1.0).abs() < 0.02, "port {port}: {found:e}");
        }
        assert!(ports.iter().skip(57_121).all(|chance| *chance == 0.0));
    }

    #[test]
    fn every_distribution_sums_to_one_and_holds_sampled_addresses() {
        for expression in Expression::all().iter().take(48) {
            for (over, addresses) in [
                (Over::V4, ["8.8.4.4", "203.0.113.255", "223.255.255.255"]),
                (Over::V6, ["2001:db8::", "2001:db8::7f00:1", "2001:db8::ffff:ffff"]),
            ] {
                let ports = expression.distribution(over);
                let total: f64 = ports.iter().sum();
                assert!((total - 1.0).abs() < 1e-6, "{expression}: {total}");
                for address in addresses {
                    let port = expression.port(Value::Address(address.parse().unwrap())).unwrap();
                    assert!(ports[usize::from(port)] > 0.0, "{expression} of {address}");
                }
            }
        }
    }

    /// Fails when the interpreter, the enumeration or the bound of what is drawn is off.
    #[test]
    fn a_written_expression_has_the_chances_of_the_known_one() {
        let exact = Expression::Pair([2, 3]).distribution(Over::V4);
        assert!(written("c*256+d").iter().zip(&exact).all(|(w, e)| (w - e).abs() < 1e-12));
        let exact = Expression::ProductPlus([0, 1, 2]).distribution(Over::V4);
        let above = written("a*b+c");
        let exceeded = exact.iter().zip(&above).filter(|(exact, above)| exact > above).count();
        assert!(exceeded < 100, "{exceeded} of 65536");
        let slack: f64 = above.iter().sum::<f64>() - 1.0;
        assert!(slack < 1.2, "{slack}");
        assert!((written("n mod 1000 + 7000")[7500] - 66.0 / 65_536.0).abs() < 1e-9);
        assert!((written("(d&1) + 8080")[8080] - 0.5).abs() < 1e-9);
        assert_eq!(written("d/(d-d)").iter().sum::<f64>(), 0.0);
    }
}
