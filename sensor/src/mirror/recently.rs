//! Running totals of the last minutes.

use std::collections::VecDeque;

use super::MirrorFacts;

/// Running totals of the last minutes.
#[derive(Debug, Default)]
pub struct Recently {
    totals: VecDeque<MirrorFacts>,
}

impl Recently {
    /// Totals that are kept: with one each 10 s, those of 5 minutes.
    const KEPT: usize = 31;

    /// Takes the totals since the start; what they grew by over the last times they were given.
    pub fn take(&mut self, totals: MirrorFacts) -> MirrorFacts {
        if self.totals.len() >= Self::KEPT {
            self.totals.pop_front();
        }
        self.totals.push_back(totals);
        // Nothing was counted before the first.
        let start = self.totals.front().filter(|_| self.totals.len() >= Self::KEPT);
        totals.since(&start.copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_minutes_count() {
        let mut recently = Recently::default();
        let at = |n: u64| MirrorFacts {
            packets: n * 1000,
            duplicates: n.min(10) * 500,
            ..MirrorFacts::default()
        };
        let facts: Vec<_> = (1..=60).map(|n| recently.take(at(n))).collect();
        assert_eq!((facts[0].packets, facts[0].duplicates), (1000, 500));
        assert_eq!((facts[20].packets, facts[20].duplicates), (21_000, 5000));
        assert_eq!((facts[59].packets, facts[59].duplicates), (30_000, 0));
    }
}
