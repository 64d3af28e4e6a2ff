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

/// Deviations that an hour may be above what is expected. Three is usual, six is patient; those above are for
/// what it costs to be as quiet as Egret.
const LIMITS: [u16; 12] = [3, 6, 12, 25, 50, 100, 150, 200, 300, 400, 600, 800];

/// What an hour is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Average {
    /// Mean and standard deviation of the last week.
    Mean,
    /// Exponentially weighted ones.
    Ewma,
}

/// A detector that others use: above an average by so many deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detector {
    pub(super) average: Average,
    pub(super) limit: u16,
}

impl Detector {
    /// All, those of an average from the most to the least sensitive.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of = |average| LIMITS.map(|limit| Self { average, limit });
        [Average::Mean, Average::Ewma].into_iter().flat_map(of)
    }

    pub(super) fn name(self) -> String {
        let average = match self.average {
            Average::Mean => "mean",
            Average::Ewma => "EWMA",
        };
        format!("{average} + {}σ", self.limit)
    }
}

impl Average {
    /// By how many deviations each hour is above what those before it lead to expect.
    fn scores(self, hours: &[u64]) -> Vec<f64> {
        match self {
            Self::Mean => above_mean(hours),
            Self::Ewma => above_ewma(hours),
        }
    }
}

fn above_mean(hours: &[u64]) -> Vec<f64> {
    let score = |(now, &bytes): (usize, &u64)| {
        let window = hours.get(now.saturating_sub(WINDOW)..now).unwrap_or_default();
        let n = window.len() as f64;
        let mean = window.iter().map(|&bytes| bytes as f64).sum::<f64>() / n;
        let variance = window.iter().map(|&bytes| (bytes as f64 - mean).powi(2)).sum::<f64>() / n;
        score(bytes as f64 - mean, variance, now)
    };
    hours.iter().enumerate().map(score).collect()
}

fn above_ewma(hours: &[u64]) -> Vec<f64> {
    let (mut mean, mut variance) = (0.0, 0.0_f64);
    let step = |(now, &bytes): (usize, &u64)| {
        let off = bytes as f64 - mean;
        let score = score(off, variance, now);
        // Young averages weigh all hours alike.
        let alpha = ALPHA.max(1.0 / (now as f64 + 1.0));
        mean += alpha * off;
        variance = (1.0 - alpha) * (variance + alpha * off * off);
        score
    };
    hours.iter().enumerate().map(step).collect()
}

/// An hour that is `off` the average, in deviations; nothing is said of the first ones.
fn score(off: f64, variance: f64, hour: usize) -> f64 {
    if hour < LEAST || off <= 0.0 { 0.0 } else { off / variance.sqrt() }
}

/// What a detector made of an estate.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Usual {
    pub(super) detector: Detector,
    /// For each attack of the truth, seconds from its first packet to the end of the first hour that found it.
    pub(super) delays: Vec<Option<f64>>,
    pub(super) false_alerts: usize,
}

/// Lets all detectors judge an estate's volumes, and judges them.
pub(super) fn judge(volumes: &Volumes, truth: &Truth) -> Vec<Usual> {
    let none =
        |detector| Usual { detector, delays: vec![None; truth.attacks.len()], false_alerts: 0 };
    let mut all: Vec<Usual> = Detector::all().map(none).collect();
    for asset in volumes.assets() {
        let attacks: Vec<(usize, &Attack)> = truth
            .attacks
            .iter()
            .enumerate()
            .filter(|(_, attack)| asset.has_one_of(&attack.asset.addresses))
            .collect();
        let [mean, ewma] = [Average::Mean, Average::Ewma].map(|it| it.scores(&asset.hours));
        for usual in &mut all {
            let scores = match usual.detector.average {
                Average::Mean => &mean,
                Average::Ewma => &ewma,
            };
            let limit = f64::from(usual.detector.limit);
            let exceeded = (volumes.hour(truth.learned)..)
                .zip(scores.iter().skip(volumes.hour(truth.learned)))
                .filter(|(_, score)| **score > limit);
            count(usual, exceeded.map(|(hour, _)| hour), volumes, &attacks);
        }
    }
    all
}

/// Counts what an asset's hours above the limit find, and those that are about nothing.
fn count(
    usual: &mut Usual,
    exceeded: impl Iterator<Item = usize>,
    volumes: &Volumes,
    attacks: &[(usize, &Attack)],
) {
    let mut quiet_from = 0;
    for hour in exceeded {
        let [from, to] = [hour, hour + 1].map(|hour| volumes.time(hour));
        let mut is_about_one = false;
        for (number, attack) in attacks {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A day of 100 and 200 in turn: mean 150, deviation 50.
    fn day() -> Vec<u64> {
        [100, 200].repeat(12)
    }

    #[test]
    fn an_hour_is_above_the_mean_by_its_deviations() {
        let scores = above_mean(&[day(), vec![300, 100]].concat());
        assert_eq!(scores[..24], [0.0; 24], "nothing is said of the first hours");
        assert_eq!((scores[24], scores[25]), (3.0, 0.0));
        assert_eq!(above_mean(&[100; 30])[29], 0.0, "nothing is above itself");
    }

    #[test]
    fn a_week_ago_is_forgotten_by_the_mean() {
        let mut hours = vec![1_000_000];
        hours.resize(WINDOW, 100);
        hours.extend([500, 100]);
        assert!(above_mean(&hours)[WINDOW] < 1.0);
        hours[WINDOW] = 200;
        hours[WINDOW + 1] = 500;
        assert!(above_mean(&hours)[WINDOW + 1] > 50.0);
    }

    /// While it is young, the average is the plain one; then the last hours count most.
    #[test]
    fn an_hour_is_above_the_weighted_mean_by_its_deviations() {
        let hours = [vec![150; 5], vec![100, 200], vec![150; 20]].concat();
        let young = above_ewma(&[&hours[..], &[450]].concat());
        assert!(young[27] > 10.0, "{young:?}");
        let shifted = above_ewma(&[[100, 200].repeat(50), [1100, 1200].repeat(50)].concat());
        assert!(shifted[100] > 10.0 && shifted[199] < 2.0, "{} {}", shifted[100], shifted[199]);
    }
}
