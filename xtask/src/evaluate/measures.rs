//! What verdicts come to: shares found, delays, rates of false alerts, confidence against truth.

use std::collections::BTreeMap;

use egret_tests::scenario::truth::Attack;

use super::judge::{About, Days, Found, Judged, Missed, Severity, Verdict};
use super::statistics::{Estimate, quantile, share};

/// An attack and what came of it.
pub(super) type Outcome<'a> = (&'a Verdict, &'a Attack, &'a Result<Found, Missed>);

/// All attacks.
pub(super) fn outcomes(verdicts: &[Verdict]) -> impl Iterator<Item = Outcome<'_>> {
    verdicts.iter().flat_map(|verdict| {
        let pairs = verdict.truth.attacks.iter().zip(&verdict.outcomes);
        pairs.map(move |(attack, outcome)| (verdict, attack, outcome))
    })
}

/// All alerts about nothing, with their estates.
pub(super) fn false_alerts(verdicts: &[Verdict]) -> impl Iterator<Item = (&Verdict, &Judged)> {
    verdicts.iter().flat_map(|verdict| {
        let alerts = verdict.alerts.iter();
        let harmless = alerts.filter(|alert| matches!(alert.about, About::Harmless(_)));
        harmless.map(move |alert| (verdict, alert))
    })
}

/// Estates with everyday traffic.
pub(super) fn everyday(verdicts: &[Verdict]) -> impl Iterator<Item = &Verdict> {
    verdicts.iter().filter(|verdict| verdict.days == Days::Everyday)
}

/// False alerts of everyday estates by analytic, cause and severity.
pub(super) fn by_cause(verdicts: &[Verdict]) -> BTreeMap<(&str, &str, Severity), usize> {
    let mut counts = BTreeMap::new();
    for (_, alert) in false_alerts(verdicts).filter(|(verdict, _)| verdict.days == Days::Everyday) {
        let cause = match &alert.about {
            About::Harmless(Some(cause)) => cause.kind.as_str(),
            _ => "everyday traffic",
        };
        *counts.entry((alert.line.analytic.as_str(), cause, alert.severity)).or_default() += 1;
    }
    counts
}

/// Seconds from an attack's first byte to the alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Delays {
    pub(super) median: f64,
    pub(super) late: f64,
    pub(super) longest: f64,
}

/// Median, 95th percentile and longest.
pub(super) fn delays(found: impl Iterator<Item = f64>) -> Option<Delays> {
    let mut sorted: Vec<f64> = found.collect();
    sorted.sort_by(f64::total_cmp);
    Some(Delays {
        median: quantile(&sorted, 0.5)?,
        late: quantile(&sorted, 0.95)?,
        longest: *sorted.last()?,
    })
}

/// Attacks of about a size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sized {
    /// The geometric mean of their bytes.
    pub(super) bytes: f64,
    pub(super) planted: usize,
    /// Of those that were found, after how many seconds.
    pub(super) found: Vec<f64>,
}

/// Attacks by size, in steps of 1, 2, 5, 10: bytes, and after how many seconds it was found.
pub(super) fn by_size(attacks: impl Iterator<Item = (u64, Option<f64>)>) -> Vec<Sized> {
    let mut steps: BTreeMap<i32, (f64, usize, Vec<f64>)> = BTreeMap::new();
    for (bytes, delay) in attacks {
        let logarithm = (bytes.max(1) as f64).log10();
        let (sum, planted, found) = steps.entry(step(logarithm)).or_default();
        *sum += logarithm;
        *planted += 1;
        found.extend(delay);
    }
    let sized = |(sum, planted, found): (f64, usize, Vec<f64>)| Sized {
        bytes: 10f64.powf(sum / planted as f64),
        planted,
        found,
    };
    steps.into_values().map(sized).collect()
}

/// The nearest of 1, 2, 5, 10 and so on, numbered: three to a decade.
fn step(logarithm: f64) -> i32 {
    let decade = logarithm.floor();
    let place = match logarithm - decade {
        ..0.15 => 0,
        ..0.5 => 1,
        ..0.85 => 2,
        _ => 3,
    };
    decade as i32 * 3 + place
}

/// Alerts that were about as sure, and how many were right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    pub(super) from: f64,
    pub(super) to: f64,
    /// What they said of themselves, on average.
    pub(super) stated: f64,
    pub(super) right: usize,
    pub(super) alerts: usize,
}

impl Bin {
    /// The share that was right.
    pub(super) fn share(self) -> Option<Estimate> {
        share(self.right, self.alerts)
    }
}

/// Where bins begin and end: narrow where alerts are surest, as most are.
const EDGES: [f64; 8] = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0];

/// An analytic's alerts by what they said of themselves; a bin without alerts is left out.
pub(super) fn calibration(verdicts: &[Verdict], analytic: &str) -> Vec<Bin> {
    let alerts: Vec<(f64, bool)> = everyday(verdicts)
        .flat_map(|verdict| &verdict.alerts)
        .filter(|alert| alert.line.analytic == analytic)
        .map(|alert| (alert.line.confidence, !matches!(alert.about, About::Harmless(_))))
        .collect();
    bins(&alerts)
}

fn bins(alerts: &[(f64, bool)]) -> Vec<Bin> {
    let edges = EDGES.iter().zip(EDGES.iter().skip(1));
    let bin = |(from, to): (&f64, &f64)| {
        let is_within =
            |stated: f64| (*from..*to).contains(&stated) || (stated >= 1.0 && *to >= 1.0);
        let inside: Vec<&(f64, bool)> =
            alerts.iter().filter(|(stated, _)| is_within(*stated)).collect();
        let stated = inside.iter().map(|(stated, _)| stated).sum::<f64>() / inside.len() as f64;
        let right = inside.iter().filter(|(_, right)| *right).count();
        Bin { from: *from, to: *to, stated, right, alerts: inside.len() }
    };
    edges.map(bin).filter(|bin| bin.alerts > 0).collect()
}

/// How far stated confidence is from the share that was right, on average over the alerts.
pub(super) fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let alerts: usize = bins.iter().map(|bin| bin.alerts).sum();
    let off = |bin: &Bin| (bin.stated * bin.alerts as f64 - bin.right as f64).abs();
    (alerts > 0).then(|| bins.iter().map(off).sum::<f64>() / alerts as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_steps_of_1_2_5() {
        let megabytes = |size: f64, delay| ((size * 1e6) as u64, delay);
        let attacks = [
            megabytes(1.05, None),
            megabytes(2.1, Some(1.0)),
            megabytes(5.2, Some(2.0)),
            megabytes(4.8, None),
            megabytes(9.9, Some(3.0)),
            megabytes(10.4, Some(4.0)),
        ];
        let sized = by_size(attacks.into_iter());
        let counts: Vec<(usize, &[f64])> =
            sized.iter().map(|size| (size.planted, &size.found[..])).collect();
        assert_eq!(counts, [(1, &[][..]), (1, &[1.0]), (2, &[2.0]), (2, &[3.0, 4.0])]);
        assert!((sized[2].bytes - 4.996e6).abs() < 1e4, "{sized:?}");
    }

    #[test]
    fn bins_hold_what_lies_between_their_edges_and_the_last_one_certainty() {
        let bins = bins(&[(0.6, false), (0.79, true), (0.8, true), (0.99, true), (1.0, false)]);
        let seen: Vec<(f64, usize, usize)> =
            bins.iter().map(|bin| (bin.from, bin.right, bin.alerts)).collect();
        assert_eq!(seen, [(0.6, 1, 2), (0.8, 1, 1), (0.97, 1, 2)]);
        // 1.39 stated and 1 right, 0.8 and 1, 1.99 and 1, of five alerts.
        let error = calibration_error(&bins).unwrap();
        assert!((error - (0.39 + 0.2 + 0.99) / 5.0).abs() < 1e-9, "{error}");
    }

    #[test]
    fn delays_are_those_of_attacks_that_were_found() {
        let delays = delays([3.0, 1.0, 60.0].into_iter()).unwrap();
        assert_eq!((delays.median, delays.late, delays.longest), (3.0, 60.0, 60.0));
        assert_eq!(super::delays(std::iter::empty()), None);
    }
}
