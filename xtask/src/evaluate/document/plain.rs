//! Exfiltrations that do nothing in order not to be found: what curves are drawn of.

use egret_tests::scenario::truth::{Attack, Exfiltration};

use super::super::judge::Verdict;
use super::super::measures::{Sized, by_size, everyday};
use super::super::usual::Detector;

/// What curves are drawn of: exfiltrations after staging by their duration, and those without staging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Minutes,
    Hours,
    Days,
    Unstaged,
}

impl Group {
    pub(super) const ALL: [Self; 4] = [Self::Minutes, Self::Hours, Self::Days, Self::Unstaged];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Minutes => "up to 15 min",
            Self::Hours => "up to 6 h",
            Self::Days => "up to 48 h",
            Self::Unstaged => "nothing staged before",
        }
    }

    const fn of(extent: &Exfiltration) -> Self {
        match (extent.staged, extent.duration) {
            (0, _) => Self::Unstaged,
            (_, ..=900) => Self::Minutes,
            // An upload takes a little longer than planned.
            (_, ..=22_500) => Self::Hours,
            _ => Self::Days,
        }
    }
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

/// Those of a group by size, and when Egret found them.
pub(super) fn of_group(plain: &[Plain<'_>], group: Group) -> Vec<Sized> {
    sized(plain.iter().filter(|one| Group::of(one.extent) == group), Plain::by_egret)
}

#[cfg(test)]
mod tests {
    use egret_tests::scenario::truth::Time;

    use super::*;

    #[test]
    fn durations_that_were_planned_alike_are_alike() {
        let of = |(staged, duration)| {
            Group::of(&Exfiltration { size: 1, duration, first_byte: Time(0), staged })
        };
        assert_eq!([(1, 60), (1, 610)].map(of), [Group::Minutes; 2]);
        assert_eq!([(1, 3600), (1, 21_700)].map(of), [Group::Hours; 2]);
        assert_eq!([(1, 86_400), (1, 172_800)].map(of), [Group::Days; 2]);
        assert_eq!([(0, 60), (0, 172_800)].map(of), [Group::Unstaged; 2]);
    }
}
