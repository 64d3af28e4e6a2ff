//! What a series usually moves: the largest sums of its half hours.

use std::collections::VecDeque;

use crate::baseline::HalfHour;
use crate::detect::statistics::robust;

/// Half hours in a day.
const DAY: u32 = 48;
/// The half hour after the same one of the day before.
const PREVIOUS: u32 = DAY - 1;
/// Half hours that are kept: 14 days.
const KEPT: u32 = 14 * DAY;
/// Half hours that moved less say nothing about how much is usual when something moves.
const WORTH: u64 = 1_000_000;
/// The logarithm's spread is never taken for smaller, nor for larger: few half hours of two kinds
/// would excuse anything.
const SPREAD: [f64; 2] = [0.35 * 1.4826, 1.0];
/// While little is known: as if there had been this many half hours of 5 MB.
const PRIOR: usize = 3;
const PRIOR_LOGARITHM: f64 = 15.4;
/// So many spreads above the centre is a spike, with [`MARGIN`].
const SPREADS: f64 = 4.0;
/// Part of that bound which is a spike already; with the smallest spread, 2.4 times the usual.
const MARGIN: f64 = 0.3;
/// A spike moves so much more than the same half hour of earlier days with the same peer.
const SAME_HOUR: f64 = 1.2;

/// The habit of one series; what every note needs comes last.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Habit {
    half_hours: VecDeque<HalfHour>,
    /// Centre and spread of the logarithm by window, once computed for this half hour.
    centre: [Option<(f64, f64)>; 3],
    /// The same hour's precedents by window, with the peer they were computed for.
    precedents: [Option<(u32, [u64; 2])>; 3],
    largest: [u64; 3],
    /// The peer with the majority of the bytes, by Boyer and Moore's vote, and its lead.
    lead: u64,
    peer: u32,
    /// The half hour that goes on.
    index: u32,
}

/// What is usual for one window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual {
    /// More is a spike, in bytes.
    pub(super) limit: u64,
    /// The median, in bytes; 0 when nothing is known.
    pub(super) expected: u64,
    centre: f64,
    spread: f64,
    /// The two largest sums of the same half hour on earlier days with the same peer.
    precedents: [u64; 2],
}

impl Usual {
    /// How many spreads above the centre a sum is.
    pub(super) fn score(&self, sum: u64) -> f64 {
        ((sum.max(1) as f64).ln() - self.centre) / self.spread
    }

    /// How new it is that so much moves at this time of day with this peer: a nightly job is half
    /// known after one night and no spike after two, so that one poisoned night teaches little.
    pub(super) fn novelty(&self, sum: u64) -> f64 {
        let known = |night: u64| sum as f64 <= SAME_HOUR * night as f64;
        match self.precedents {
            [_, second] if known(second) => 0.0,
            [first, _] if known(first) => 0.5,
            _ => 1.0,
        }
    }
}

impl Habit {
    /// Goes on to the half hour of that number since the epoch; whether it is a new one.
    pub(super) fn turn(&mut self, half_hour: u64) -> bool {
        let index = u32::try_from(half_hour).unwrap_or(u32::MAX);
        if index <= self.index {
            return false;
        }
        if self.largest[2] >= WORTH {
            let largest = self.largest.map(code);
            self.half_hours.push_back(HalfHour { index: self.index, largest, peer: self.peer });
        }
        while self.half_hours.front().is_some_and(|first| first.index + KEPT < index) {
            self.half_hours.pop_front();
        }
        *self = Self { half_hours: std::mem::take(&mut self.half_hours), index, ..Self::default() };
        true
    }

    /// `bytes` moved with `peer`, which made the sums what they are.
    pub(super) fn note(&mut self, peer: u32, bytes: u64, sums: [u64; 3]) {
        for (largest, sum) in self.largest.iter_mut().zip(sums) {
            *largest = (*largest).max(sum);
        }
        if peer == self.peer {
            self.lead = self.lead.saturating_add(bytes);
        } else if bytes > self.lead {
            (self.peer, self.lead) = (peer, bytes - self.lead);
        } else {
            self.lead -= bytes;
        }
    }

    /// What is usual for a window (by its place in [`super::WINDOWS`]) in this half hour.
    pub(super) fn usual(&mut self, window: usize, floor: u64) -> Usual {
        let (centre, spread) = self.centre(window);
        let known = !self.half_hours.is_empty();
        let bound = MARGIN * (centre + SPREADS * spread).exp();
        Usual {
            limit: floor.max(bound as u64),
            expected: if known { centre.exp() as u64 } else { 0 },
            centre,
            spread,
            precedents: self.precedents(window),
        }
    }

    pub(super) fn saved(&self) -> Vec<HalfHour> {
        self.half_hours.iter().copied().collect()
    }

    pub(super) fn restored(half_hours: &[HalfHour]) -> Self {
        Self { half_hours: half_hours.iter().copied().collect(), ..Self::default() }
    }

    fn centre(&mut self, window: usize) -> (f64, f64) {
        if let Some(Some(known)) = self.centre.get(window) {
            return *known;
        }
        let known = self.sums(window).map(|(_, sum)| (sum.max(1) as f64).ln());
        let mut logarithms: Vec<f64> = known.chain([PRIOR_LOGARITHM; PRIOR]).collect();
        let (centre, spread) = robust(&mut logarithms).unwrap_or((PRIOR_LOGARITHM, 0.0));
        let found = (centre, spread.clamp(SPREAD[0], SPREAD[1]));
        if let Some(slot) = self.centre.get_mut(window) {
            *slot = Some(found);
        }
        found
    }

    /// The two largest sums that the same half hour of earlier days, or one beside it, moved with
    /// the same peer.
    fn precedents(&mut self, window: usize) -> [u64; 2] {
        if let Some((peer, precedents)) = self.precedents.get(window).copied().flatten()
            && peer == self.peer
        {
            return precedents;
        }
        let mut nights = [(0u32, 0u64); 2];
        for (half_hour, sum) in self.sums(window) {
            let apart = self.index.saturating_sub(half_hour.index);
            let same_hour = apart > 1 && matches!(apart % DAY, 0 | 1 | PREVIOUS);
            if half_hour.peer != self.peer || !same_hour {
                continue;
            }
            let night = (apart + 1) / DAY;
            let [first, second] = nights;
            nights = match () {
                () if night == first.0 => [(night, sum.max(first.1)), second],
                () if sum > first.1 => [(night, sum), first],
                () if sum > second.1 => [first, (night, sum)],
                () => nights,
            };
        }
        let precedents = nights.map(|(_, sum)| sum);
        if let Some(slot) = self.precedents.get_mut(window) {
            *slot = Some((self.peer, precedents));
        }
        precedents
    }

    fn sums(&self, window: usize) -> impl Iterator<Item = (&HalfHour, u64)> {
        self.half_hours.iter().map(move |half_hour| {
            (half_hour, half_hour.largest.get(window).map_or(0, |code| decode(*code)))
        })
    }
}

/// A size as 1/256 of its natural logarithm.
fn code(bytes: u64) -> u16 {
    ((bytes.max(1) as f64).ln() * 256.0).round() as u16
}

fn decode(code: u16) -> u64 {
    (f64::from(code) / 256.0).exp() as u64
}
