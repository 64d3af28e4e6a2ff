//! The day that is being written, and what is different about it.

use std::ops::Range;

use super::Scene;
use crate::rng::Rng;
use crate::scenario::calendar::{DAY, HOUR, Rhythm, daily, times};
use crate::scenario::estate::Asset;

/// The first day of those from `start` to `end`.
pub(super) fn first(start: u64, end: u64) -> Range<u64> {
    start..midnight_after(start).min(end)
}

impl Scene<'_> {
    /// The same for what is drawn anew every day.
    pub(in crate::scenario) fn rng_today(&self, label: &str) -> Rng {
        self.today_of(&self.rng(label))
    }

    /// What is drawn anew every day, after `lasting` gave what lasts.
    pub(in crate::scenario) fn today_of(&self, lasting: &Rng) -> Rng {
        if self.is_first_day() {
            lasting.clone()
        } else {
            lasting.stream(&format!("day {}", self.day.start / DAY))
        }
    }

    /// Goes on to the next day; `false` at the end of the days.
    pub(in crate::scenario) fn next_day(&mut self) -> bool {
        self.day = self.day.end..midnight_after(self.day.end).min(self.end());
        !self.day.is_empty()
    }

    /// The part of the days that is being written.
    pub(in crate::scenario) fn today(&self) -> Range<u64> {
        self.day.clone()
    }

    pub(in crate::scenario) fn is_first_day(&self) -> bool {
        self.day.start == self.start()
    }

    /// Multiplies a guest's volumes of today, hour by hour.
    pub(in crate::scenario) fn multiply_levels(
        &mut self,
        guest: &Asset,
        factor: impl Fn(u64) -> f64,
    ) {
        let levels = self.levels.entry(guest.name.clone()).or_insert([1.0; 24]);
        for (hour, level) in (0..).zip(levels) {
            *level *= factor(hour);
        }
    }

    /// What a guest's volumes are multiplied with.
    pub(in crate::scenario) fn level(&self, guest: &Asset, time: u64) -> f64 {
        let levels = self.levels.get(&guest.name);
        levels.map_or(1.0, |levels| levels[(time % DAY / HOUR) as usize])
    }

    /// Times today of events that happen `per_day` times on a working day.
    pub(in crate::scenario) fn times(
        &self,
        per_day: f64,
        rhythm: Rhythm,
        rng: &mut Rng,
    ) -> Vec<u64> {
        times(self.day.start, self.day.end, per_day, rhythm, rng)
    }

    /// The same, of what began at `from`.
    pub(in crate::scenario) fn times_since(
        &self,
        from: u64,
        per_day: f64,
        rhythm: Rhythm,
        rng: &mut Rng,
    ) -> Vec<u64> {
        let from = from.max(self.day.start);
        if from >= self.day.end {
            Vec::new()
        } else {
            times(from, self.day.end, per_day, rhythm, rng)
        }
    }

    /// The time today of what happens every day at this time of day, give or take `jitter`.
    pub(in crate::scenario) fn daily(
        &self,
        time_of_day: u64,
        jitter: u64,
        rng: &mut Rng,
    ) -> Vec<u64> {
        daily(self.day.start, self.day.end, time_of_day, jitter, rng)
    }
}

const fn midnight_after(time: u64) -> u64 {
    time - time % DAY + DAY
}
