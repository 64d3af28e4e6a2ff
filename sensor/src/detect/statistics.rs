//! The few formulas that all detectors share.

use crate::alert::Severity;

/// The probability that log-odds of `nats` stand for.
pub(crate) fn logistic(nats: f64) -> f64 {
    1.0 / (1.0 + (-nats).exp())
}

/// Confidence as alerts give it: the logistic of the evidence's sum, two decimals, never certain.
pub(crate) fn confidence(nats: f64) -> f64 {
    ((logistic(nats) * 100.0).round() / 100.0).clamp(0.01, 0.99)
}

/// Sums from which an alert, at 0 medium, is high and critical.
pub(crate) const HIGH: f64 = 3.0;
const CRITICAL: f64 = 6.0;

/// How bad the evidence's sum is: medium from 0, `None` below. Critical is only what `may_be_critical`: a
/// sum alone does not wake anyone.
pub(crate) fn severity(nats: f64, may_be_critical: bool) -> Option<Severity> {
    match nats {
        sum if sum < 0.0 => None,
        sum if sum >= CRITICAL && may_be_critical => Some(Severity::Critical),
        sum if sum >= HIGH => Some(Severity::High),
        _ => Some(Severity::Medium),
    }
}

/// Rounded to one decimal, as weights are shown.
pub(crate) fn shown(nats: f64) -> f64 {
    let rounded = (nats * 10.0).round() / 10.0;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// Centre and spread that outliers do not move: the median, and the median absolute deviation
/// scaled to the standard deviation of a normal distribution. `None` for no values.
pub(crate) fn robust(values: &mut [f64]) -> Option<(f64, f64)> {
    /// 1 / the 3/4 quantile of the standard normal distribution.
    const NORMAL: f64 = 1.4826;
    let centre = median(values)?;
    for value in values.iter_mut() {
        *value = (*value - centre).abs();
    }
    Some((centre, NORMAL * median(values)?))
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if below.len() < middle || values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values.iter().take(middle).copied().fold(f64::NEG_INFINITY, f64::max);
    Some(f64::midpoint(lower, upper))
}

/// 0 at `from` and below, 1 at `to` and above, linear in the logarithm between; both positive.
pub(crate) fn ramp(value: f64, from: f64, to: f64) -> f64 {
    if value <= from {
        return 0.0;
    }
    ((value / from).ln() / (to / from).ln()).min(1.0)
}

/// The chance that a count with this mean and variance is `least` or more: the upper tail of the
/// negative binomial distribution, which a Poisson count has whose rate is gamma distributed. The
/// variance is above the mean, else there is no such distribution: `None`.
pub(crate) fn negative_binomial_tail(least: u32, mean: f64, variance: f64) -> Option<f64> {
    /// What is left of the tail then is no more than this part of it.
    const REST: f64 = 1e-9;
    if !(mean > 0.0 && variance > mean && variance.is_finite()) {
        return None;
    }
    let shape = mean * mean / (variance - mean);
    let (failure, success) = ((mean / variance).ln(), (1.0 - mean / variance).ln());
    // In logarithms, each term from the one before: P(0) = (mean / variance) ^ shape.
    let mut term = shape * failure;
    let mut count = 0.0;
    while count < f64::from(least) {
        term += ((count + shape) / (count + 1.0)).ln() + success;
        count += 1.0;
    }
    let mut tail = 0.0;
    loop {
        tail += term.exp();
        let ratio = (count + shape) / (count + 1.0) * success.exp();
        // Beyond the mean the terms shrink at least as fast as a geometric series.
        if count > mean && (ratio >= 1.0 || term.exp() * ratio / (1.0 - ratio) <= REST * tail) {
            return Some(tail.min(1.0));
        }
        term += ratio.ln();
        count += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against another way to the same number: for a whole `shape`, `least` or more failures before
    /// so many successes are fewer successes than that in `least + shape - 1` trials.
    #[test]
    fn the_negative_binomial_tail_is_the_binomials_head() {
        for shape in [1u32, 2, 5, 12] {
            for success in [0.1, 0.35, 0.8] {
                let mean = f64::from(shape) * (1.0 - success) / success;
                let variance = mean / success;
                for least in [0u32, 1, 3, 10, 40, 120] {
                    let trials = f64::from(least + shape) - 1.0;
                    let mut term = (1.0 - success).powf(trials);
                    let mut head = 0.0;
                    for successes in 0..shape {
                        let k = f64::from(successes);
                        if k > trials {
                            break;
                        }
                        head += term;
                        term *= (trials - k) / (k + 1.0) * success / (1.0 - success);
                    }
                    let tail = negative_binomial_tail(least, mean, variance).unwrap();
                    let expected = if least == 0 { 1.0 } else { head };
                    assert!(
                        (tail - expected).abs() <= 1e-6 * expected,
                        "{shape} {success} {least}: {tail} for {expected}"
                    );
                }
            }
        }
        assert_eq!(negative_binomial_tail(3, 0.0, 1.0), None);
        assert_eq!(negative_binomial_tail(3, 2.0, 2.0), None);
        assert!(negative_binomial_tail(u32::from(u16::MAX), 1.0, 1.5).unwrap() < 1e-300);
    }

    #[test]
    fn one_outlier_moves_neither_centre_nor_spread() {
        let (centre, spread) = robust(&mut [1.0, 2.0, 3.0, 4.0, 1e9]).unwrap();
        assert!((centre - 3.0).abs() < 1e-9 && (spread - 1.4826).abs() < 1e-9);
        assert_eq!(robust(&mut []), None);
        assert_eq!(robust(&mut [2.0, 4.0]).unwrap().0, 3.0);
    }

    #[test]
    fn confidence_is_never_certain() {
        assert_eq!(confidence(0.0), 0.5);
        assert_eq!(confidence(3.0), 0.95);
        assert_eq!(confidence(90.0), 0.99);
        assert_eq!(confidence(f64::NEG_INFINITY), 0.01);
    }

    #[test]
    fn a_ramp_is_flat_outside_its_ends() {
        assert_eq!(ramp(2.0, 3.0, 10.0), 0.0);
        assert_eq!(ramp(20.0, 3.0, 10.0), 1.0);
        assert!((ramp(30f64.sqrt(), 3.0, 10.0) - 0.5).abs() < 1e-9);
    }
}
