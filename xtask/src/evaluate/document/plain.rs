//! Exfiltrations that do nothing in order not to be found: what curves are drawn of.

use egret_tests::scenario::truth::{Attack, Exfiltration};

use super::super::judge::Verdict;
use super::super::measures::{Sized, by_size, everyday};
use super::super::usual::Detector;

/// Durations that are told apart: a name, and the most seconds.
pub(super) const LENGTHS: [(&str, f64); 3] =
    [("up to 15 min", 900.0), ("up to 6 h", 22_500.0), ("up to 48 h", f64::INFINITY)];

/// Which of them one is of.
fn length(seconds: f64) -> usize {
    LENGTHS.iter().position(|(_, most)| seconds <= *most).unwrap_or_default()
}

/// One of them.
pub(super) struct Plain<'a> {
    verdict: &'a Verdict,
    /// Its place among the attacks of its estate.
    number: usize,
    extent: &'a Exfiltration,
}

impl Plain<'_> {
    pub(super) const fn seconds(&self) -> f64 {
        self.extent.duration as f64
    }

    /// After how many seconds Egret found it.
    pub(super) fn by_egret(&self) -> Option<f64> {
        self.verdict.outcomes.get(self.number)?.as_ref().ok().map(|found| found.delay)
    }

    /// After how many a usual detector did.
    pub(super) fn by(&self, detector: Detector) -> Option<f64> {
        let usual = self.verdict.usual.iter().find(|usual| usual.detector == detector)?;
        usual.delays.get(self.number).copied().flatten()
    }
}

/// All of them.
pub(super) fn plain(verdicts: &[Verdict]) -> Vec<Plain<'_>> {
    let of_estate = |verdict| {
        numbered(verdict).filter(|(_, attack)| is_plain(attack)).filter_map(
            move |(number, attack)| {
                Some(Plain { verdict, number, extent: attack.exfiltration.as_ref()? })
            },
        )
    };
    everyday(verdicts).flat_map(of_estate).collect()
}

fn numbered(verdict: &Verdict) -> impl Iterator<Item = (usize, &Attack)> {
    verdict.truth.attacks.iter().enumerate()
}

fn is_plain(attack: &Attack) -> bool {
    attack.evasion.is_none() && attack.kind.starts_with("exfiltration.")
}

/// Them by size, and when they were found.
pub(super) fn sized<'a>(
    plain: impl IntoIterator<Item = &'a Plain<'a>>,
    found: impl Fn(&'a Plain<'a>) -> Option<f64>,
) -> Vec<Sized> {
    by_size(plain.into_iter().map(|one| (one.extent.size, found(one))))
}

/// Those of about a duration by size, and when Egret found them.
pub(super) fn of_length(plain: &[Plain<'_>], number: usize) -> Vec<Sized> {
    sized(plain.iter().filter(|one| length(one.seconds()) == number), Plain::by_egret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_were_planned_alike_are_alike() {
        let lengths = [60.0, 610.0, 3600.0, 21_700.0, 86_400.0, 172_800.0].map(length);
        assert_eq!(lengths, [0, 0, 1, 1, 2, 2]);
    }
}
