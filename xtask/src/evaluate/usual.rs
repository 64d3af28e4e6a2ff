//! What the usual detectors make of the same captures: limits on the bytes that an asset sends out in an hour.
//!
//! They are treated well. They know the assets, an hour counts as found that an attack only touches, and all
//! that an asset exceeds within a day of its first false alert is one.

use egret_tests::scenario::HOUR;
use egret_tests::scenario::truth::{Attack, Time, Truth};

pub(super) use volumes::Volumes;

mod volumes;

/// Hours that a mean is taken over: a week.
const WINDOW: usize = 168;
/// Hours that have to be known before anything is said.
const LEAST: usize = 24;
/// What an hour weighs in an exponential average: about the last two days count.
const ALPHA: f64 = 0.05;
/// Hours in which an asset's alerts are one.
const OPEN: usize = 24;

/// A detector that others use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detector {
    /// Above the mean of the last week by so many standard deviations.
    Mean(u8),
    /// Above the exponentially weighted mean by so many deviations, weighted alike.
    Ewma(u8),
}

impl Detector {
    /// Those compared with.
    pub(super) const ALL: [Self; 3] = [Self::Mean(3), Self::Mean(6), Self::Ewma(6)];

    pub(super) fn name(self) -> String {
        match self {
            Self::Mean(deviations) => format!("mean + {deviations}σ"),
            Self::Ewma(deviations) => format!("EWMA + {deviations}σ"),
        }
    }

    /// The hours that exceed what those before them lead to expect.
    fn exceeded(self, hours: &[u64]) -> Vec<usize> {
        match self {
            Self::Mean(deviations) => above_mean(hours, f64::from(deviations)),
            Self::Ewma(deviations) => above_ewma(hours, f64::from(deviations)),
        }
    }
}

fn above_mean(hours: &[u64], deviations: f64) -> Vec<usize> {
    let is_above = |&now: &usize| {
        let window = hours.get(now.saturating_sub(WINDOW)..now).unwrap_or_default();
        let n = window.len() as f64;
        let mean = window.iter().map(|&bytes| bytes as f64).sum::<f64>() / n;
        let variance = window.iter().map(|&bytes| (bytes as f64 - mean).powi(2)).sum::<f64>() / n;
        hours.get(now).is_some_and(|&bytes| bytes as f64 > mean + deviations * variance.sqrt())
    };
    (LEAST..hours.len()).filter(is_above).collect()
}

fn above_ewma(hours: &[u64], deviations: f64) -> Vec<usize> {
    let mut above = Vec::new();
    let (mut mean, mut variance) = (0.0, 0.0_f64);
    for (number, &bytes) in hours.iter().enumerate() {
        let off = bytes as f64 - mean;
        if number >= LEAST && off > deviations * variance.sqrt() {
            above.push(number);
        }
        // Young averages weigh all hours alike.
        let alpha = ALPHA.max(1.0 / (number as f64 + 1.0));
        mean += alpha * off;
        variance = (1.0 - alpha) * (variance + alpha * off * off);
    }
    above
}

/// What a detector made of an estate.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Usual {
    /// For each attack of the truth, seconds from its first packet to the end of the first hour that found it.
    pub(super) delays: Vec<Option<f64>>,
    pub(super) false_alerts: usize,
}

/// Lets a detector judge an estate's volumes, and judges it.
pub(super) fn judge(detector: Detector, volumes: &Volumes, truth: &Truth) -> Usual {
    let mut usual = Usual { delays: vec![None; truth.attacks.len()], false_alerts: 0 };
    let learned = volumes.hour(truth.learned);
    for asset in volumes.assets() {
        let attacks: Vec<(usize, &Attack)> = truth
            .attacks
            .iter()
            .enumerate()
            .filter(|(_, attack)| asset.has_one_of(&attack.asset.addresses))
            .collect();
        let mut quiet_from = 0;
        for hour in detector.exceeded(&asset.hours) {
            if hour < learned {
                continue;
            }
            let [from, to] = [hour, hour + 1].map(|hour| volumes.time(hour));
            let mut is_about_one = false;
            for (number, attack) in &attacks {
                if attack.first >= to || Time(attack.last.0 + HOUR) < from {
                    continue;
                }
                is_about_one = true;
                if let Some(delay @ None) = usual.delays.get_mut(*number) {
                    *delay = Some((to.0 - attack.first.0) as f64 / 1e9);
                }
            }
            if !is_about_one && hour >= quiet_from {
                usual.false_alerts += 1;
                quiet_from = hour + OPEN;
            }
        }
    }
    usual
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of 100 and 200 in turn: mean 150, deviation 50.
    fn day() -> Vec<u64> {
        [100, 200].repeat(12)
    }

    #[test]
    fn an_hour_is_above_the_mean_by_its_deviations() {
        for (last, above) in [(300, vec![]), (301, vec![24])] {
            let hours = [day(), vec![last]].concat();
            assert_eq!(above_mean(&hours, 3.0), above, "{last}");
        }
        assert!(above_mean(&[100; 30], 3.0).is_empty(), "nothing is above itself");
    }

    #[test]
    fn a_week_ago_is_forgotten_by_the_mean() {
        let mut hours = vec![1_000_000];
        hours.resize(WINDOW, 100);
        hours.push(500);
        assert!(above_mean(&hours, 3.0).is_empty());
        hours.extend([100, 500]);
        hours.drain(WINDOW..=WINDOW);
        assert_eq!(above_mean(&hours, 3.0), [WINDOW + 1]);
    }

    /// While it is young, the average is the plain one: 150 and 50 again.
    #[test]
    fn an_hour_is_above_the_weighted_mean_by_its_deviations() {
        let young = &day()[..20];
        let (mut mean, mut variance) = (0.0, 0.0);
        for (number, &bytes) in young.iter().enumerate() {
            let (alpha, off) = (1.0 / (number as f64 + 1.0), bytes as f64 - mean);
            mean += alpha * off;
            variance = (1.0 - alpha) * (variance + alpha * off * off);
        }
        assert!((mean - 150.0).abs() < 1e-9 && (variance - 2500.0_f64).abs() < 1e-6);
        assert!(above_ewma(&[day(), vec![280]].concat(), 3.0).is_empty());
        assert_eq!(above_ewma(&[day(), vec![330]].concat(), 3.0), [24]);
    }
}
