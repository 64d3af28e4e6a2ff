//! What a mirror port does to the traffic it shows, in numbers: it may give packets twice, show one
//! side of conversations only, cut packets, and lose them. Whoever captures counts; alerts say it
//! while it matters.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Shares from which people should know.
const DUPLICATES: f64 = 0.01;
const ONE_SIDED: f64 = 0.2;
const TRUNCATED: f64 = 0.01;
const DROPPED: f64 = 0.001;
/// Of fewer packets or conversations a share says nothing.
const LEAST_PACKETS: u64 = 1000;
const LEAST_CONVERSATIONS: u64 = 20;

/// Counts over some time: of a whole run, or the last minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorFacts {
    /// Packets received, second copies included.
    pub packets: u64,
    /// Of them, second copies.
    pub duplicates: u64,
    /// Of them, those of which only a part was captured.
    pub truncated: u64,
    /// Packets lost on the way to the sensor, besides those received.
    pub dropped: u64,
    /// TCP conversations that ended and tell how many sides were seen.
    pub conversations: u64,
    /// Of them, those of which one side only was seen.
    pub one_sided: u64,
}

impl MirrorFacts {
    /// Share of packets that are second copies.
    pub fn duplicate_share(&self) -> f64 {
        share(self.duplicates, self.packets)
    }

    /// Share of packets of which only a part was captured.
    pub fn truncated_share(&self) -> f64 {
        share(self.truncated, self.packets)
    }

    /// Share of packets that were lost.
    pub fn dropped_share(&self) -> f64 {
        share(self.dropped, self.packets.saturating_add(self.dropped))
    }

    /// Share of conversations of which one side only was seen.
    pub fn one_sided_share(&self) -> f64 {
        share(self.one_sided, self.conversations)
    }

    /// The state as it should be known; `None` where all is well.
    pub fn notable(&self) -> Option<Notable> {
        let packets = self.packets >= LEAST_PACKETS;
        let conversations = self.conversations >= LEAST_CONVERSATIONS;
        let above =
            |counts: bool, share: f64, least: f64| (counts && share > least).then_some(share);
        let notable = Notable {
            duplicates: above(packets, self.duplicate_share(), DUPLICATES),
            one_sided: above(conversations, self.one_sided_share(), ONE_SIDED),
            truncated: above(packets, self.truncated_share(), TRUNCATED),
            dropped: above(packets, self.dropped_share(), DROPPED),
        };
        (notable != Notable::default()).then_some(notable)
    }

    /// What the mirror does, and what that means for what is told.
    pub fn sentence(&self) -> String {
        let notable = self.notable().unwrap_or_default();
        let percent = |share: f64| format!("{:.*} %", usize::from(share < 0.1), share * 100.0);
        let said = [
            notable
                .duplicates
                .map(|of| format!("gives {} of packets twice (counted once)", percent(of))),
            notable
                .one_sided
                .map(|of| format!("shows {} of conversations from one side", percent(of))),
            notable.truncated.map(|of| format!("cuts {} of packets", percent(of))),
            notable.dropped.map(|of| format!("lost {} of packets", percent(of))),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        let effect = match (notable.one_sided.or(notable.dropped), notable.truncated) {
            (Some(_), _) => ": volumes may be short",
            (None, Some(_)) => ": names may be missing",
            (None, None) => "",
        };
        match said.split_last() {
            None => "the mirror is well".to_owned(),
            Some((only, [])) => format!("the mirror {only}{effect}"),
            Some((last, others)) => format!("the mirror {} and {last}{effect}", others.join(", ")),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
            truncated: self.truncated.saturating_sub(before.truncated),
            dropped: self.dropped.saturating_sub(before.dropped),
            conversations: self.conversations.saturating_sub(before.conversations),
            one_sided: self.one_sided.saturating_sub(before.one_sided),
        }
    }
}

/// The shares that people should know; the others are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Notable {
    /// See [`MirrorFacts::duplicate_share`].
    pub duplicates: Option<f64>,
    /// See [`MirrorFacts::one_sided_share`].
    pub one_sided: Option<f64>,
    /// See [`MirrorFacts::truncated_share`].
    pub truncated: Option<f64>,
    /// See [`MirrorFacts::dropped_share`].
    pub dropped: Option<f64>,
}

impl Notable {
    /// Whether people should know the same things, whatever the numbers.
    pub fn is_like(&self, other: &Self) -> bool {
        let kinds = |of: &Self| {
            [of.duplicates, of.one_sided, of.truncated, of.dropped].map(|share| share.is_some())
        };
        kinds(self) == kinds(other)
    }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

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
    fn a_share_matters_from_its_bound_on_and_of_enough() {
        let well = MirrorFacts {
            packets: 100_000,
            duplicates: 1000,
            truncated: 1000,
            dropped: 100,
            conversations: 100,
            one_sided: 20,
        };
        assert_eq!(well.notable(), None);
        let bad = MirrorFacts { duplicates: 1001, dropped: 2000, ..well };
        let notable = bad.notable().unwrap();
        assert!(notable.duplicates.is_some() && notable.dropped.is_some());
        assert_eq!((notable.one_sided, notable.truncated), (None, None));
        let one_sided = MirrorFacts { one_sided: 21, ..well };
        assert!(one_sided.notable().unwrap().one_sided.is_some());
        let few =
            MirrorFacts { packets: 999, duplicates: 999, conversations: 19, one_sided: 19, ..bad };
        assert_eq!(few.notable(), None);
    }

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
