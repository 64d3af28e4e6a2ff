//! Buckets of three lengths and the sums over four windows, kept up by subtraction.

/// Seconds in a bucket of each kind.
const FINE: u64 = 10;
const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// Bytes of the last 24 hours: by 10 s over 10 min, by minute over 1 h, by hour over 24 h.
///
/// A sum ends with the newest bucket, which is not over yet: that over 24 h covers 23 h at least.
#[derive(Debug, Default)]
pub(super) struct Ring {
    fine: Buckets<60, 16>,
    minutes: Buckets<60, 64>,
    hours: Buckets<24, 4096>,
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
        [self.minute, self.fine.bytes(), self.minutes.bytes(), self.hours.bytes()]
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

/// The newest `N` buckets and their sum, in units of `UNIT` bytes: a bucket holds 2^32 of them.
#[derive(Debug)]
struct Buckets<const N: usize, const UNIT: u64> {
    /// The newest bucket's number since the epoch.
    newest: u64,
    sum: u64,
    /// Bytes that make no unit yet.
    rest: u64,
    units: [u32; N],
}

impl<const N: usize, const UNIT: u64> Default for Buckets<N, UNIT> {
    fn default() -> Self {
        Self { newest: 0, sum: 0, rest: 0, units: [0; N] }
    }
}

impl<const N: usize, const UNIT: u64> Buckets<N, UNIT> {
    fn add(&mut self, bucket: u64, bytes: u64) {
        self.advance(bucket);
        let age = self.newest - bucket.min(self.newest);
        let Some(slot) = self.units.get_mut(bucket as usize % N) else { return };
        if age >= N as u64 {
            return;
        }
        let bytes = bytes.saturating_add(self.rest);
        self.rest = bytes % UNIT;
        let before = *slot;
        *slot = before.saturating_add(u32::try_from(bytes / UNIT).unwrap_or(u32::MAX));
        self.sum += u64::from(*slot - before);
    }

    const fn bytes(&self) -> u64 {
        self.sum * UNIT
    }

    /// Bytes of the newest `count` buckets.
    fn last(&self, count: u64) -> u64 {
        let first = self.newest.saturating_sub(count - 1);
        (first..=self.newest).map(|bucket| self.units(bucket)).sum::<u64>() * UNIT
    }

    /// The first of the newest `count` buckets that holds a hundredth of their sum.
    fn onset(&self, count: u64) -> u64 {
        let first = self.newest.saturating_sub(count - 1);
        let sum = self.last(count) / UNIT;
        (first..=self.newest).find(|bucket| self.units(*bucket) * 100 >= sum).unwrap_or(self.newest)
    }

    fn units(&self, bucket: u64) -> u64 {
        self.units.get(bucket as usize % N).map_or(0, |units| u64::from(*units))
    }

    /// Goes on to a bucket: what falls out leaves the sum.
    fn advance(&mut self, bucket: u64) {
        if bucket <= self.newest {
            return;
        }
        if bucket - self.newest >= N as u64 {
            *self = Self { newest: bucket, ..Self::default() };
            return;
        }
        while self.newest < bucket {
            self.newest += 1;
            if let Some(slot) = self.units.get_mut(self.newest as usize % N) {
                self.sum -= u64::from(*slot);
                *slot = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::WINDOWS;
    use super::*;

    #[test]
    fn sums_equal_a_naive_count_over_gaps_and_late_arrivals() {
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
                assert_eq!(*sum, inside.map(|(_, bytes)| bytes).sum::<u64>(), "{window}");
            }
        }
    }

    #[test]
    fn a_gap_of_years_costs_no_loop_per_bucket_and_small_change_is_not_rounded_away() {
        let mut ring = Ring::default();
        ring.add(1, 16);
        (0..4096).for_each(|_| ring.add(1 << 40, 15));
        let [minute, longer @ ..] = ring.sums();
        assert_eq!(longer, [15 * 4096; 3]);
        assert!(15 * 4096 - minute < 16, "{minute}");
    }
}
