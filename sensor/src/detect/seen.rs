//! What was lately seen, as a set of hashes in two generations.

use std::time::Duration;

use crate::time::Timestamp;

/// Slots of a set that holds anything.
const SMALLEST: usize = 1024;

/// Hashes that are kept for `span` to twice as long since they were last noted, shorter when more
/// than `capacity` are noted within `span`. Takes 16 to 32 bytes for each, in each generation.
#[derive(Debug)]
pub(crate) struct Seen {
    young: Set,
    old: Set,
    turned: Timestamp,
    span: Duration,
    capacity: usize,
}

impl Seen {
    pub(crate) fn new(span: Duration, capacity: usize) -> Self {
        let (young, old) = (Set::default(), Set::default());
        Self { young, old, turned: Timestamp::ZERO, span, capacity }
    }

    /// Whether it was noted lately.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.young.contains(hash) || self.old.contains(hash)
    }

    /// Notes a hash (seeded, all bits good) as of `now`.
    pub(crate) fn insert(&mut self, now: Timestamp, hash: u64) {
        let age = now.since(self.turned);
        if age >= self.span || self.young.len >= self.capacity {
            self.old = std::mem::take(&mut self.young);
            if age >= self.span.saturating_mul(2) {
                self.old = Set::default();
            }
            self.turned = now;
        }
        self.young.insert(hash);
    }
}

/// Open addressing with linear probing, at most half full: a look-up waits for memory once, where
/// a map's waits twice. 0 marks a free slot, and the hash 0 is kept as 1.
#[derive(Debug, Default)]
struct Set {
    /// As many as a power of two, or none.
    slots: Vec<u64>,
    len: usize,
}

impl Set {
    fn contains(&self, hash: u64) -> bool {
        let hash = hash.max(1);
        self.place(hash).and_then(|place| self.slots.get(place)) == Some(&hash)
    }

    fn insert(&mut self, hash: u64) {
        let hash = hash.max(1);
        if self.len * 2 >= self.slots.len() {
            let slots = vec![0; (self.slots.len() * 2).max(SMALLEST)];
            let full = std::mem::replace(&mut self.slots, slots);
            self.len = 0;
            full.into_iter().filter(|hash| *hash != 0).for_each(|hash| self.put(hash));
        }
        self.put(hash);
    }

    fn put(&mut self, hash: u64) {
        let slot = self.place(hash).and_then(|place| self.slots.get_mut(place));
        if let Some(slot) = slot {
            self.len += usize::from(*slot == 0);
            *slot = hash;
        }
    }

    /// The slot that holds the hash, or the free one where it belongs.
    fn place(&self, hash: u64) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let start = hash as usize & mask;
        (start..=mask)
            .chain(0..start)
            .find(|place| self.slots.get(*place).is_some_and(|slot| *slot == hash || *slot == 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_800_000_000 + seconds, 0)
    }

    #[test]
    fn keeps_for_a_span_at_least_and_two_at_most() {
        let mut seen = Seen::new(Duration::from_secs(60), 100);
        assert!(!seen.contains(0));
        seen.insert(at(0), 0);
        seen.insert(at(61), 7);
        assert!(seen.contains(0) && seen.contains(7));
        seen.insert(at(125), 8);
        assert!(!seen.contains(0) && seen.contains(7));
        seen.insert(at(1000), 9);
        assert!(!seen.contains(8), "a long silence forgets all");
    }

    #[test]
    fn all_are_found_as_the_set_grows_even_when_they_crowd_at_its_end() {
        let mut set = Set::default();
        let hashes = || (0..5000u64).map(|number| (number << 20) | 0xf_fff0 | (number & 15));
        hashes().for_each(|hash| set.insert(hash));
        hashes().for_each(|hash| set.insert(hash));
        assert_eq!(set.len, 5000);
        assert!(hashes().all(|hash| set.contains(hash)));
        assert!(!set.contains(1 << 60));
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut seen = Seen::new(Duration::from_secs(60), 1000);
        for number in 1..100_000u64 {
            seen.insert(at(1), number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        assert!(seen.young.slots.len() <= 4096 && seen.old.slots.len() <= 4096);
        assert!(seen.contains(99_999u64.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    }
}
