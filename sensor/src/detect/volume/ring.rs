//! Buckets of three lengths and the sums over four windows, kept up by subtraction.

use super::chart::HOURS;
use crate::baseline::Rounded;

/// Seconds in a bucket of each kind.
const FINE: u64 = 10;
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// Bytes of the last 24 hours: by 10 s over 10 min, by minute over 1 h, by hour over 24 h.
///
/// A sum ends with the newest bucket, which is not over yet: that over 24 h covers 23 h at least.
#[derive(Debug, Default)]
pub(super) struct Ring {
    fine: Buckets<60>,
    minutes: Buckets<60>,
    hours: Buckets<HOURS>,
    /// The newest minute of the fine buckets.
    minute: u64,
}

impl Ring {
    /// Adds what moved at a time, in seconds since the epoch; what is older than a window is left
    /// out of it.
    pub(super) fn add(&mut self, seconds: u64, bytes: u64) {
        let before = self.fine.newest;
        self.fine.add(seconds / FINE, bytes);
        self.minutes.add(seconds / MINUTE, bytes);
        self.hours.add(seconds / HOUR, bytes);
        if self.fine.newest == before && seconds / FINE == before {
            self.minute = self.minute.saturating_add(bytes);
        } else {
            self.minute = self.fine.last(MINUTE / FINE);
        }
    }

    /// Bytes over each of [`super::WINDOWS`].
    pub(super) const fn sums(&self) -> [u64; 4] {
        [self.minute, self.fine.sum, self.minutes.sum, self.hours.sum]
    }

    /// The newest hour since the epoch, and bytes of the hours up to it, the newest last.
    pub(super) fn hours(&self) -> (u64, [u64; HOURS]) {
        let newest = self.hours.newest;
        let of = |place: usize| {
            let back = HOURS.saturating_sub(place + 1) as u64;
            newest.checked_sub(back).map_or(0, |hour| self.hours.bytes(hour))
        };
        (newest, std::array::from_fn(of))
    }

    /// When a window (by its place) begins to move, in seconds since the epoch: with the first bucket
    /// that holds a hundredth of it.
    pub(super) fn onset(&self, window: usize) -> u64 {
        match window {
            0 => self.fine.onset(MINUTE / FINE) * FINE,
            1 => self.fine.onset(60) * FINE,
            2 => self.minutes.onset(60) * MINUTE,
            _ => self.hours.onset(24) * HOUR,
        }
    }
}

/// The newest `N` buckets and their sum, in bytes.
#[derive(Debug)]
struct Buckets<const N: usize> {
    /// The newest bucket's number since the epoch.
    newest: u64,
    sum: u64,
    /// What the newest holds, with what was rounded off those before.
    current: u64,
    /// What those before it hold, a ring by number; nothing in the newest's place.
    earlier: [Rounded; N],
}

impl<const N: usize> Default for Buckets<N> {
    fn default() -> Self {
        Self { newest: 0, sum: 0, current: 0, earlier: [Rounded::default(); N] }
    }
}

impl<const N: usize> Buckets<N> {
    fn add(&mut self, bucket: u64, bytes: u64) {
        if bucket > self.newest {
            self.advance(bucket);
        }
        if bucket == self.newest {
            self.current = self.current.saturating_add(bytes);
        } else if self.newest - bucket < N as u64 {
            self.put(bucket, self.bytes(bucket).saturating_add(bytes));
        } else {
            return;
        }
        self.sum = self.sum.saturating_add(bytes);
    }

    /// Bytes of the newest `count` buckets.
    fn last(&self, count: u64) -> u64 {
        let first = self.newest.saturating_sub(count - 1);
        (first..=self.newest).map(|bucket| self.bytes(bucket)).sum()
    }

    /// The first of the newest `count` buckets that holds a hundredth of their sum.
    fn onset(&self, count: u64) -> u64 {
        let first = self.newest.saturating_sub(count - 1);
        let least = self.last(count).div_ceil(100);
        (first..=self.newest).find(|bucket| self.bytes(*bucket) >= least).unwrap_or(self.newest)
    }

    fn bytes(&self, bucket: u64) -> u64 {
        if bucket == self.newest {
            return self.current;
        }
        self.earlier.get(bucket as usize % N).map_or(0, |bytes| bytes.get())
    }

    /// Says what a bucket before the newest holds; what is rounded off goes to the newest.
    fn put(&mut self, bucket: u64, bytes: u64) {
        if let Some(place) = self.earlier.get_mut(bucket as usize % N) {
            *place = Rounded::of(bytes);
            self.current = self.current.saturating_add(bytes - place.get());
        }
    }

    /// Goes on to a bucket: what falls out leaves the sum.
    fn advance(&mut self, bucket: u64) {
        if bucket - self.newest >= N as u64 {
            *self = Self { newest: bucket, ..Self::default() };
            return;
        }
        let over = std::mem::take(&mut self.current);
        self.put(self.newest, over);
        while self.newest < bucket {
            self.newest += 1;
            if let Some(place) = self.earlier.get_mut(self.newest as usize % N) {
                self.sum = self.sum.saturating_sub(std::mem::take(place).get());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::WINDOWS;
    use super::*;

    #[test]
    fn sums_are_those_of_a_naive_count_over_gaps_and_late_arrivals() {
        let mut ring = Ring::default();
        let mut all: Vec<(u64, u64)> = Vec::new();
        let mut state = 7u64;
        let mut now = 1_000_000u64;
        let mut newest = 0;
        for _ in 0..4000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += match state >> 60 {
                0..8 => 3,
                8..14 => 10,
                14 => 700,
                _ => 9000,
            };
            let late = now - (state >> 40 & 15);
            let bytes = (state >> 33) % 1000 * 4096;
            ring.add(late, bytes);
            all.push((late, bytes));
            newest = newest.max(late);
            for ((sum, window), bucket) in ring.sums().iter().zip(WINDOWS).zip([10, 10, 60, 3600]) {
                let is_inside = |at: u64| at / bucket + window / bucket > newest / bucket;
                let inside = all.iter().filter(|(at, _)| is_inside(*at));
                let count: u64 = inside.map(|(_, bytes)| bytes).sum();
                assert!(sum.abs_diff(count) * 1000 <= count, "{window}: {sum}, not {count}");
            }
        }
    }

    #[test]
    fn a_gap_of_years_costs_no_loop_per_bucket_and_small_change_is_not_rounded_away() {
        let mut ring = Ring::default();
        ring.add(1, 16);
        ring.add(1 << 40, 1 << 32);
        ring.add((1 << 40) + 30, 1);
        // Late, and far less than what a bucket of that size is rounded to.
        (0..4096).for_each(|_| ring.add(1 << 40, 15));
        assert_eq!(ring.sums(), [(1 << 32) + 1 + 15 * 4096; 4]);
    }
}
