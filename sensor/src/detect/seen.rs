//! What was lately seen, as a set of hashes in two generations.

use std::time::Duration;

use crate::time::Timestamp;

/// Slots of a set: a power of two.
const SLOTS: usize = 1 << 20;
/// Hashes in a set at most: half of its slots.
const FULL: usize = SLOTS / 2;

/// Hashes that are kept for `span` to twice as long since they were last noted, shorter when more
/// than [`FULL`] are noted within `span`. Takes up to 4 MiB in each generation.
#[derive(Debug)]
pub(crate) struct Seen {
    young: Set,
    old: Set,
    turned: Timestamp,
    span: Duration,
}

impl Seen {
    pub(crate) fn new(span: Duration) -> Self {
        let (young, old) = (Set::default(), Set::default());
        Self { young, old, turned: Timestamp::ZERO, span }
    }

    /// Whether it was noted lately.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.young.contains(hash) || self.old.contains(hash)
    }

    /// Notes a hash (seeded, all bits good) as of `now`.
    pub(crate) fn insert(&mut self, now: Timestamp, hash: u64) {
        let age = now.since(self.turned);
        if age >= self.span || self.young.len >= FULL {
            self.old = std::mem::take(&mut self.young);
            if age >= self.span.saturating_mul(2) {
                self.old = Set::default();
            }
            self.turned = now;
        }
        self.young.insert(hash);
    }
}

/// Open addressing with linear probing: a look-up waits for memory once, where a map's waits
/// twice. The upper half of a hash says where it belongs and the lower half is kept there, so that
/// one that was never noted is found with a chance of about 1 in 2^31 at most. 0 is a free slot.
#[derive(Debug, Default)]
struct Set {
    /// [`SLOTS`], or none before the first hash.
    slots: Vec<u32>,
    len: usize,
}

impl Set {
    fn contains(&self, hash: u64) -> bool {
        self.place(hash).and_then(|place| self.slots.get(place)) == Some(&tag(hash))
    }

    fn insert(&mut self, hash: u64) {
        if self.slots.is_empty() {
            self.slots = vec![0; SLOTS];
        }
        if let Some(slot) = self.place(hash).and_then(|place| self.slots.get_mut(place)) {
            self.len += usize::from(*slot == 0);
            *slot = tag(hash);
        }
    }

    /// The slot that holds the hash, or the free one where it belongs.
    fn place(&self, hash: u64) -> Option<usize> {
        let start = (hash >> 32) as usize % SLOTS;
        (start..SLOTS)
            .chain(0..start)
            .take(self.slots.len())
            .find(|place| self.slots.get(*place).is_some_and(|slot| [0, tag(hash)].contains(slot)))
    }
}

/// What is kept of a hash.
const fn tag(hash: u64) -> u32 {
    if hash as u32 == 0 { 1 } else { hash as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_800_000_000 + seconds, 0)
    }

    #[test]
    fn keeps_for_a_span_at_least_and_two_at_most() {
        let mut seen = Seen::new(Duration::from_secs(60));
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
    fn hashes_that_crowd_at_the_end_of_the_set_are_all_found() {
        let mut set = Set::default();
        let hashes = || (1..=5000u64).map(|number| ((0xffff_fff0 | (number % 16)) << 32) | number);
        for _ in 0..2 {
            hashes().for_each(|hash| set.insert(hash));
        }
        assert_eq!(set.len, 5000);
        assert!(hashes().all(|hash| set.contains(hash)));
        assert!(!set.contains(0xffff_ffff_0000_ffff));
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut seen = Seen::new(Duration::from_secs(60));
        let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let last = 3 * FULL as u64;
        (1..=last).for_each(|number| seen.insert(at(1), hash(number)));
        assert!(seen.young.len <= FULL && seen.old.len <= FULL);
        assert!(seen.contains(hash(last)));
        let strangers = (last + 1..last + 10_000).filter(|number| seen.contains(hash(*number)));
        assert_eq!(strangers.count(), 0);
    }
}
