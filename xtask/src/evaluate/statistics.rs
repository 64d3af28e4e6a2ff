//! What counts can be trusted for: intervals of shares and of rates, quantiles.

/// A share or a rate with the interval that holds it in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Estimate {
    /// The same in another unit.
    pub(super) fn scaled(self, by: f64) -> Self {
        Self { value: self.value * by, low: self.low * by, high: self.high * by }
    }
}

/// The share that `hits` of `trials` are; of no trials nothing is known. Wilson's score interval (J. Am. Stat.
/// Assoc. 22, 1927), which stays within 0 and 1 and holds for few trials, too.
pub(super) fn share(hits: usize, trials: usize) -> Option<Estimate> {
    /// The normal distribution's 97.5 % quantile.
    const Z: f64 = 1.959_963_984_540_054;
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    let value = hits as f64 / n;
    let middle = (value + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
    let low = if hits == 0 { 0.0 } else { middle - half };
    let high = if hits == trials { 1.0 } else { middle + half };
    Some(Estimate { value, low, high })
}

/// How many events are to be expected where `count` were seen: exact bounds for a Poisson count (Garwood, Biometrika
/// 28, 1936).
pub(super) fn expected(count: usize) -> Estimate {
    const TAIL: f64 = 0.025;
    // Far outside of both bounds: ten standard deviations and a bit.
    let far = count as f64 + 10.0 * (count as f64).sqrt() + 10.0;
    let factorial = ln_factorial(count);
    let low = match count {
        0 => 0.0,
        _ => bisect(0.0, count as f64, |mean| at_least(count, mean, factorial) > TAIL),
    };
    let high = bisect(count as f64, far, |mean| at_most(count, mean, factorial) < TAIL);
    Estimate { value: count as f64, low, high }
}

/// Where `is_beyond` turns true between `low` and `high`.
fn bisect(mut low: f64, mut high: f64, is_beyond: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if is_beyond(middle) { high = middle } else { low = middle }
    }
    f64::midpoint(low, high)
}

/// P(X <= `count`) of a Poisson distribution with a `mean` not below `count`.
fn at_most(count: usize, mean: f64, ln_factorial: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for i in (1..=count).rev() {
        term *= i as f64 / mean;
        sum += term;
    }
    sum * probability(count, mean, ln_factorial)
}

/// P(X >= `count`) of a Poisson distribution with a `mean` not above `count`.
fn at_least(count: usize, mean: f64, ln_factorial: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut i = count as f64;
    while term > 1e-12 * sum {
        i += 1.0;
        term *= mean / i;
        sum += term;
    }
    sum * probability(count, mean, ln_factorial)
}

/// P(X = `count`); by logarithms, as thousands of events have no factorial.
fn probability(count: usize, mean: f64, ln_factorial: f64) -> f64 {
    (count as f64 * mean.ln() - mean - ln_factorial).exp()
}

fn ln_factorial(count: usize) -> f64 {
    (1..=count).map(|i| (i as f64).ln()).sum()
}

/// The smallest of the `sorted` values that `share` of them do not exceed.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(one: f64, other: f64, within: f64) {
        assert!((one - other).abs() <= within, "{one} is not {other}");
    }

    /// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    #[test]
    fn intervals_of_shares_are_the_published_ones() {
        for (hits, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let share = share(hits, trials).unwrap();
            is_near(share.low, low, 5e-5);
            is_near(share.high, high, 5e-5);
        }
        assert_eq!(share(0, 0), None);
        assert_eq!(share(7, 7).unwrap().high, 1.0);
    }

    /// Garwood's table as printed in Johnson, Kotz and Kemp, Univariate Discrete Distributions.
    #[test]
    fn bounds_of_counts_are_the_published_ones() {
        for (count, low, high) in [
            (0, 0.0, 3.689),
            (1, 0.0253, 5.572),
            (2, 0.242, 7.225),
            (5, 1.623, 11.668),
            (10, 4.795, 18.390),
            (20, 12.217, 30.888),
            (50, 37.111, 65.919),
            (100, 81.364, 121.627),
        ] {
            let bounds = expected(count);
            is_near(bounds.low, low, 6e-4);
            is_near(bounds.high, high, 6e-4);
        }
    }

    /// There the normal distribution is close: half a count and 1.96 square roots away.
    #[test]
    fn bounds_of_large_counts_are_finite_and_narrow() {
        let bounds = expected(25_000);
        is_near(bounds.low, 25_000.0 - 310.0, 3.0);
        is_near(bounds.high, 25_000.0 + 312.0, 3.0);
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let delays = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&delays, 0.5), Some(2.0));
        assert_eq!(quantile(&delays, 0.95), Some(4.0));
        assert_eq!(quantile(&delays[..1], 0.5), Some(1.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
