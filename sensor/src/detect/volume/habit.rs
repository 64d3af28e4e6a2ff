//! What a series usually moves, and what of it is a habit at this hour with this peer.

use super::Class;
use crate::baseline::{Told, Volumes, WORTH};
use crate::detect::statistics::robust;

/// The logarithm's spread is never taken for smaller, nor for larger: few hours of two kinds would
/// excuse anything.
const SPREAD: [f64; 2] = [0.35 * 1.4826, 1.0];
/// While little is known: as if there had been this many hours of 5 MB.
const PRIOR: usize = 3;
const PRIOR_LOGARITHM: f64 = 15.4;
/// Before so many days moved anything, nothing is a spike of a day.
const DAYS: usize = 3;
/// An hour of the week counts as much as all hours together once it, and those beside it, were seen so
/// often more than once: one poisoned hour is no habit.
const SHRINKAGE: f64 = 2.0;
/// So many spreads above the centre is a spike, with [`MARGIN`].
const SPREADS: f64 = 4.0;
/// Part of that bound which is a spike already; with the smallest spread, 2.4 times the usual.
const MARGIN: f64 = 0.3;
/// A spike moves so much more than what was a habit before.
const PRECEDENT: f64 = 1.2;
/// How new is what went on once, or twice with the same peer at another time of day.
const HALF_KNOWN: f64 = 0.5;
/// A sum over 24 h that is smaller than so many times the floor is no spike.
const DAY_FLOOR: u64 = 4;

/// The habit of one series; what every note needs comes last.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Habit {
    volumes: Option<Box<Volumes>>,
    /// Computed when first needed in this hour.
    usual: Option<Box<[Usual; 4]>>,
    /// The precedents of this hour, with the peer they were computed for.
    precedents: Option<Box<(u32, [Precedents; 3])>>,
    /// Whether an alert spoke against this hour.
    spoiled: bool,
    largest: [u64; 4],
    /// The peer with the majority of the bytes, by Boyer and Moore's vote, and its lead.
    lead: u64,
    peer: u32,
    /// The hour that goes on.
    hour: u32,
}

/// The two largest at this time of day and at any, in bytes, from sizes that are no more exact.
type Precedents = [[f32; 2]; 2];

/// What is usual for one window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usual {
    /// More is a spike, in bytes.
    pub(super) limit: u64,
    /// The median, in bytes; 0 when nothing is known.
    pub(crate) expected: u64,
    centre: f64,
    spread: f64,
}

impl Usual {
    /// Within one spread of the centre, in bytes: two hours in three are.
    pub(super) fn band(&self) -> [u64; 2] {
        [-1.0, 1.0].map(|side| (self.centre + side * self.spread).exp() as u64)
    }

    /// How many spreads above the centre a sum is.
    pub(crate) fn score(&self, sum: u64) -> f64 {
        ((sum.max(1) as f64).ln() - self.centre) / self.spread
    }
}

impl Habit {
    /// Goes on to the hour of that number since the epoch. `is_known`: whether it is known of an hour
    /// that nothing moved in it.
    pub(super) fn turn(&mut self, hour: u64, is_known: impl Fn(u32) -> bool) {
        let hour = u32::try_from(hour).unwrap_or(u32::MAX);
        if hour <= self.hour {
            return;
        }
        self.close(is_known);
        let mut volumes = self.volumes.take();
        if let Some(restored) = volumes.as_deref_mut().filter(|_| self.hour == 0) {
            // Of the time between two runs nothing is known.
            restored.skip_to(hour, |_| false);
        }
        // The sum over 24 h is that of a day, not of an hour.
        let day = if hour / 24 == self.hour / 24 { self.largest[3] } else { 0 };
        *self = Self { volumes, hour, largest: [0, 0, 0, day], ..Self::default() };
    }

    /// Tells what the hour moved that goes on, as far as it is known by now.
    fn close(&mut self, is_known: impl Fn(u32) -> bool) {
        if self.hour == 0 || (self.volumes.is_none() && self.largest[2] < WORTH) {
            return;
        }
        let is_much = self.usual.as_ref().is_some_and(|usual| {
            self.largest.iter().zip(usual.iter()).take(3).any(|(sum, of)| *sum >= of.limit / 2)
        });
        let peer = is_much.then_some(self.peer);
        let (hour, largest) = (self.hour, self.largest);
        let volumes = self.volumes.get_or_insert_default();
        if volumes.next() == 0 {
            volumes.skip_to(hour, |_| false);
        }
        volumes.skip_to(hour, &is_known);
        if self.spoiled || is_known(hour) {
            volumes.tell(hour, Told { largest, peer, spoiled: self.spoiled });
        } else {
            volumes.skip_to(hour.saturating_add(1), |_| false);
        }
    }

    /// What moved made the sums what they are.
    pub(super) fn note(&mut self, sums: [u64; 4]) {
        for (largest, sum) in self.largest.iter_mut().zip(sums) {
            *largest = (*largest).max(sum);
        }
    }

    /// `bytes` moved with `peer`.
    #[inline]
    pub(super) fn vote(&mut self, peer: u32, bytes: u64) {
        if peer == self.peer {
            self.lead = self.lead.saturating_add(bytes);
        } else if bytes > self.lead {
            (self.peer, self.lead) = (peer, bytes - self.lead);
        } else {
            self.lead -= bytes;
        }
    }

    /// What is usual for each window in this hour.
    pub(super) fn usual(&mut self, floor: u64) -> &[Usual; 4] {
        let Self { volumes, usual, hour, .. } = self;
        usual.get_or_insert_with(|| {
            let volumes = volumes.as_deref();
            Box::new(std::array::from_fn(|window| Usual::of(volumes, *hour, window, floor)))
        })
    }

    /// How new it is that so much moves over a window, 0 to 1: a nightly job is half known after one
    /// night and no spike after two, so that one poisoned night teaches little. So is what it moves at
    /// another time of day with the same peer.
    pub(super) fn novelty(&mut self, window: usize, sum: u64) -> f64 {
        let known = |before: f64| sum as f64 <= PRECEDENT * before;
        let Some(volumes) = &self.volumes else { return 1.0 };
        if Class::of(window) == Class::Day {
            return match volumes.largest_days().map(|before| before as f64) {
                [_, second] if known(second) => 0.0,
                [first, _] if known(first) => HALF_KNOWN,
                _ => 1.0,
            };
        }
        let (hour, peer) = (self.hour, self.peer);
        let of_peer = self.precedents.take_if(|known| known.0 == peer).unwrap_or_else(|| {
            let of =
                |window| volumes.precedents(hour, peer, window).map(|two| two.map(|of| of as f32));
            Box::new((peer, std::array::from_fn(of)))
        });
        let of_window = of_peer.1.get(window).copied().unwrap_or_default();
        let of_window = of_window.map(|two| two.map(f64::from));
        self.precedents = Some(of_peer);
        match of_window {
            [[_, second], _] if known(second) => 0.0,
            [[first, _], [_, second]] if known(first) || known(second) => HALF_KNOWN,
            _ => 1.0,
        }
    }

    /// Forgets the hour of `time` (in seconds since the epoch) and later: an alert speaks against them.
    pub(super) fn unlearn(&mut self, time: u64) {
        let hour = u32::try_from(time / 3600).unwrap_or(u32::MAX);
        if let Some(volumes) = &mut self.volumes {
            volumes.unlearn(hour);
        }
        self.spoiled |= self.hour >= hour;
    }

    /// Hours of which it is known what they moved.
    pub(super) fn known_hours(&self) -> u64 {
        self.volumes.as_deref().map_or(0, Volumes::known_hours)
    }

    /// What lasts of it.
    pub(super) fn saved(&self) -> Option<Volumes> {
        self.volumes.as_deref().cloned()
    }

    /// Goes on from what is known by now; the hour that goes on stays this sensor's.
    pub(super) fn adopt(&mut self, volumes: &Volumes) {
        let mut volumes = Box::new(volumes.clone());
        if self.hour > 0 {
            // Of the hours since the last that anybody told of nothing is known.
            volumes.skip_to(self.hour, |_| false);
        }
        (self.volumes, self.usual, self.precedents) = (Some(volumes), None, None);
    }

    pub(super) fn restored(volumes: &Volumes) -> Self {
        Self { volumes: Some(Box::new(volumes.clone())), ..Self::default() }
    }
}

impl Usual {
    pub(super) fn of(volumes: Option<&Volumes>, hour: u32, window: usize, floor: u64) -> Self {
        let is_day = Class::of(window) == Class::Day;
        let mut all: Vec<f64> = match volumes {
            Some(volumes) if is_day => volumes.days().collect(),
            Some(volumes) => volumes.all(window).collect(),
            None => Vec::new(),
        };
        let known = all.len();
        if !is_day {
            all.extend([PRIOR_LOGARITHM; PRIOR]);
        }
        let (mut centre, mut spread) = robust(&mut all).unwrap_or((PRIOR_LOGARITHM, 0.0));
        let mut habitual = 0.0;
        if let Some(volumes) = volumes.filter(|_| !is_day) {
            let mut same_hour: Vec<f64> = volumes.same_hour(hour, window).collect();
            let again = same_hour.len().saturating_sub(1) as f64;
            let weight = again / (again + SHRINKAGE);
            same_hour.sort_unstable_by(|one, other| other.total_cmp(one));
            habitual = same_hour.get(1).map_or(0.0, |second| second.exp());
            if let Some((own, wide)) = robust(&mut same_hour) {
                centre += weight * (own - centre);
                spread += weight * (wide - spread);
            }
        }
        spread = spread.clamp(SPREAD[0], SPREAD[1]);
        // What this hour of the week moved twice is no spike, whatever the other hours do.
        let bound = (MARGIN * (centre + SPREADS * spread).exp()).max(habitual) as u64;
        Self {
            limit: match () {
                () if !is_day => floor.max(bound),
                () if known < DAYS => u64::MAX,
                () => floor.saturating_mul(DAY_FLOOR).max(bound),
            },
            expected: if known > 0 { centre.exp() as u64 } else { 0 },
            centre,
            spread,
        }
    }
}
