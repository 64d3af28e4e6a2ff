//! A ring of buckets and the sums over its windows, kept up by subtraction.

use super::WINDOWS;

/// Buckets in the ring: the longest window.
const LENGTH: u64 = WINDOWS[2];
/// Buckets count in units of 16 bytes, so that 64 GB fit into one.
const UNIT: u64 = 16;

/// Bytes by bucket over the longest window, the newest bucket last.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Ring {
    /// The newest bucket's number since the epoch.
    newest: u64,
    /// Sums over the windows, in units.
    sums: [u64; 3],
    buckets: [u32; LENGTH as usize],
}

impl Default for Ring {
    fn default() -> Self {
        Self { buckets: [0; LENGTH as usize], newest: 0, sums: [0; 3] }
    }
}

impl Ring {
    /// Adds to a bucket; what is older than the ring is left out.
    pub(super) fn add(&mut self, bucket: u64, bytes: u64) {
        self.advance(bucket);
        let age = self.newest - bucket.min(self.newest);
        let Some(slot) = self.buckets.get_mut((bucket % LENGTH) as usize) else { return };
        if age >= LENGTH {
            return;
        }
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let before = *slot;
        *slot = before.saturating_add(units);
        let added = u64::from(*slot - before);
        for (sum, window) in self.sums.iter_mut().zip(WINDOWS) {
            if age < window {
                *sum += added;
            }
        }
    }

    /// Bytes over each window that ends with the newest bucket.
    pub(super) fn sums(&self) -> [u64; 3] {
        self.sums.map(|units| units * UNIT)
    }

    /// The bucket with which the newest `window` buckets begin to move: the first that holds a
    /// hundredth of their sum.
    pub(super) fn onset(&self, window: u64) -> u64 {
        let first = self.newest.saturating_sub(window - 1);
        let sum: u64 = (first..=self.newest).map(|bucket| self.units(bucket)).sum();
        (first..=self.newest).find(|bucket| self.units(*bucket) * 100 >= sum).unwrap_or(self.newest)
    }

    fn units(&self, bucket: u64) -> u64 {
        self.buckets.get((bucket % LENGTH) as usize).map_or(0, |units| u64::from(*units))
    }

    /// Goes on to a bucket: what falls out of a window leaves its sum.
    fn advance(&mut self, bucket: u64) {
        if bucket <= self.newest {
            return;
        }
        if bucket - self.newest >= LENGTH {
            *self = Self { newest: bucket, ..Self::default() };
            return;
        }
        while self.newest < bucket {
            self.newest += 1;
            for index in 0..WINDOWS.len() {
                let leaving = WINDOWS
                    .get(index)
                    .map_or(0, |window| self.units(self.newest.wrapping_sub(*window)));
                if let Some(sum) = self.sums.get_mut(index) {
                    *sum = sum.saturating_sub(leaving);
                }
            }
            if let Some(slot) = self.buckets.get_mut((self.newest % LENGTH) as usize) {
                *slot = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_equal_a_naive_count_over_gaps_and_late_arrivals() {
        let mut ring = Ring::default();
        let mut all: Vec<(u64, u64)> = Vec::new();
        let mut state = 7u64;
        let mut bucket = 100_000u64;
        let mut newest = 0;
        for _ in 0..4000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            bucket += match state >> 60 {
                0..8 => 0,
                8..14 => 1,
                14 => 17,
                _ => 200,
            };
            let late = bucket - (state >> 40 & 1);
            let bytes = (state >> 33) % 1000 * UNIT;
            ring.add(late, bytes);
            all.push((late, bytes));
            newest = newest.max(late);
            for (sum, window) in ring.sums().iter().zip(WINDOWS) {
                let inside = all.iter().filter(|(at, _)| at + window > newest);
                assert_eq!(*sum, inside.map(|(_, bytes)| bytes).sum::<u64>());
            }
        }
    }

    #[test]
    fn a_gap_of_years_costs_no_loop_per_bucket() {
        let mut ring = Ring::default();
        ring.add(1, 16);
        ring.add(1 << 40, 32);
        assert_eq!(ring.sums(), [32; 3]);
    }
}
