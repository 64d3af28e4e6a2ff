//! Random numbers that are the same on every machine, and streams of them that do not disturb
//! each other.

/// A seeded generator (SplitMix64, Steele, Lea and Flood 2014). Not for secrets.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator that gives the same numbers for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for `label`: what is drawn from it changes nothing drawn from `self`,
    /// and the other way round.
    #[must_use]
    pub fn stream(&self, label: &str) -> Self {
        let hash = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut mixed = Self(self.0 ^ hash);
        Self(mixed.next())
    }

    /// 64 random bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        ((self.next() as u128 * end as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub const fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A number from 0 to 1, 1 excluded.
    pub const fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with this probability.
    pub const fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of `items`, which are not empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    /// Puts `items` into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }

    /// Exponentially distributed with this mean: the gaps of events that know nothing of each other.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        stable(-(1.0 - self.unit()).ln() * mean)
    }

    /// How many events happen where `mean` are expected (Poisson).
    pub fn count(&mut self, mean: f64) -> u64 {
        let mut left = mean;
        let mut count = 0;
        loop {
            left -= self.exponential(1.0);
            if left < 0.0 {
                return count;
            }
            count += 1;
        }
    }

    /// Log-normally distributed: `median`, and `sigma` as the spread of the natural logarithm.
    pub fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        // Irwin and Hall: the sum of twelve is as near to normal as a scenario needs.
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        stable(median * (normal * sigma).exp())
    }

    /// Pareto distributed: `median`, tail exponent `alpha`, never above `cap`.
    pub fn pareto(&mut self, median: f64, alpha: f64, cap: f64) -> f64 {
        let least = median / 2f64.powf(1.0 / alpha);
        stable((least / (1.0 - self.unit()).powf(1.0 / alpha)).min(cap))
    }

    /// An index below `len` by Zipf's law with exponent 1: the first ones most often.
    pub fn zipf(&mut self, len: usize) -> usize {
        let total: f64 = (1..=len).map(|rank| 1.0 / rank as f64).sum();
        let mut left = self.unit() * total;
        for rank in 1..=len {
            left -= 1.0 / rank as f64;
            if left < 0.0 {
                return rank - 1;
            }
        }
        len - 1
    }
}

/// Logarithms may differ in the last bit from one C library to the next; the same seed must not.
fn stable(value: f64) -> f64 {
    f64::from(value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_not_disturbed_by_another() {
        let root = Rng::new(7);
        let mut alone = root.stream("b");
        let mut other = root.stream("a");
        other.next();
        let mut beside = root.stream("b");
        assert_eq!(alone.next(), beside.next());
        assert_ne!(root.stream("a").next(), root.stream("b").next());
    }

    #[test]
    fn the_distributions_have_the_middle_they_promise() {
        let mut rng = Rng::new(1);
        let mut middle = |draw: &mut dyn FnMut(&mut Rng) -> f64| {
            let mut values: Vec<f64> = (0..4001).map(|_| draw(&mut rng)).collect();
            values.sort_by(f64::total_cmp);
            values[2000]
        };
        assert!((2.5..3.5).contains(&middle(&mut |rng| rng.lognormal(3.0, 0.5))));
        assert!((2.5..3.5).contains(&middle(&mut |rng| rng.pareto(3.0, 0.7, 1e9))));
        assert!((0.6..0.8).contains(&middle(&mut |rng| rng.exponential(1.0))));
        let mut rng = Rng::new(2);
        let total: u64 = (0..2000).map(|_| rng.count(0.3)).sum();
        assert!((500..700).contains(&total), "{total}");
    }
}
