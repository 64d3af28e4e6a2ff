//! What was lately seen, as a set of hashes in two generations.

use std::time::Duration;

use crate::time::Timestamp;

/// Slots of a line: what one wait for memory brings.
const LINE: usize = 16;
/// Lines of a set: a power of two.
const LINES: usize = 1 << 16;
/// Hashes in a set at most: half of its slots.
const FULL: usize = LINES * LINE / 2;

/// Hashes that are kept for `span` to twice as long since they were last noted, shorter when more
/// than [`FULL`] are noted within `span`. Takes 4 MiB in each generation that holds any.
#[derive(Debug)]
pub(crate) struct Seen {
    young: Set,
    old: Set,
    turned: Timestamp,
    span: Duration,
}

/// What is noted: a hash (seeded, all bits good), and that of what it belongs to. What belongs together
/// lies together, as long as it is not much: it is found with one wait for memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) of: u64,
    pub(crate) hash: u64,
}

impl Mark {
    /// What belongs to nothing else.
    pub(crate) const fn alone(hash: u64) -> Self {
        Self { of: hash, hash }
    }
}

impl Seen {
    pub(crate) fn new(span: Duration) -> Self {
        let (young, old) = (Set::default(), Set::default());
        Self { young, old, turned: Timestamp::ZERO, span }
    }

    /// Whether it was noted lately.
    pub(crate) fn contains(&self, mark: Mark) -> bool {
        self.young.contains(mark) || self.old.contains(mark)
    }

    /// Notes it as of `now`.
    pub(crate) fn insert(&mut self, now: Timestamp, mark: Mark) {
        let age = now.since(self.turned);
        if age >= self.span || self.young.len >= FULL {
            self.old = std::mem::take(&mut self.young);
            if age >= self.span.saturating_mul(2) {
                self.old = Set::default();
            }
            self.turned = now;
        }
        self.young.insert(mark);
    }
}

/// Open addressing, line by line: first the line of what a hash belongs to, then its own and those that
/// follow. The upper half of a hash says which line that is and the lower half is kept there, so that
/// one that was never noted is found with a chance of about 1 in 2^26 at most.
#[derive(Debug, Default)]
struct Set {
    /// [`LINES`], or none before the first hash.
    lines: Vec<Line>,
    len: usize,
}

/// A cache line of what is kept of hashes, in the order in which they came. 0 is a free slot.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Line([u32; LINE]);

impl Set {
    fn contains(&self, mark: Mark) -> bool {
        let tag = tag(mark.hash);
        for place in places(mark) {
            let Some(line) = self.lines.get(place) else { return false };
            if line.has(tag) {
                return true;
            }
            if line.has(0) {
                return false;
            }
        }
        false
    }

    fn insert(&mut self, mark: Mark) {
        if self.lines.is_empty() {
            self.lines = vec![Line([0; LINE]); LINES];
        }
        let tag = tag(mark.hash);
        for place in places(mark) {
            let Some(line) = self.lines.get_mut(place) else { return };
            if line.has(tag) {
                return;
            }
            if let Some(free) = line.0.iter_mut().find(|slot| **slot == 0) {
                *free = tag;
                self.len += 1;
                return;
            }
        }
    }
}

impl Line {
    /// Without branches: all slots are compared at once.
    fn has(&self, tag: u32) -> bool {
        self.0.iter().fold(false, |any, slot| any | (*slot == tag))
    }
}

/// The lines in which a mark is looked for, until one has room.
fn places(mark: Mark) -> impl Iterator<Item = usize> {
    let line = |hash: u64| (hash >> 32) as usize % LINES;
    let own = line(mark.hash);
    std::iter::once(line(mark.of)).chain(own..LINES).chain(0..own)
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
        let insert = |seen: &mut Seen, time, hash| seen.insert(at(time), Mark::alone(hash));
        let contains = |seen: &Seen, hash| seen.contains(Mark::alone(hash));
        assert!(!contains(&seen, 0));
        insert(&mut seen, 0, 0);
        insert(&mut seen, 61, 7);
        assert!(contains(&seen, 0) && contains(&seen, 7));
        insert(&mut seen, 125, 8);
        assert!(!contains(&seen, 0) && contains(&seen, 7));
        insert(&mut seen, 1000, 9);
        assert!(!contains(&seen, 8), "a long silence forgets all");
    }

    #[test]
    fn hashes_that_crowd_at_the_end_of_the_set_or_belong_to_one_are_all_found() {
        let mut set = Set::default();
        let crowd = |number: u64| ((0xffff_fff0 | (number % 16)) << 32) | number;
        let alone = || (1..=1000).map(move |number| Mark::alone(crowd(number)));
        let belonging = || (1..=1000).map(move |number| Mark { of: 7 << 32, hash: crowd(!number) });
        for _ in 0..2 {
            alone().chain(belonging()).for_each(|mark| set.insert(mark));
        }
        assert_eq!(set.len, 2000);
        assert!(alone().chain(belonging()).all(|mark| set.contains(mark)));
        assert!(!set.contains(Mark::alone(0xffff_ffff_0000_ffff)));
        assert!(!set.contains(Mark { of: 7 << 32, hash: 0xffff_ffff_0000_ffff }));
        let together =
            set.lines.get(7).map(|line| line.0.iter().filter(|slot| **slot != 0).count());
        assert_eq!(together, Some(LINE));
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut seen = Seen::new(Duration::from_secs(60));
        let mark = |number: u64| Mark::alone(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let last = 3 * FULL as u64;
        (1..=last).for_each(|number| seen.insert(at(1), mark(number)));
        assert!(seen.young.len <= FULL && seen.old.len <= FULL);
        assert!(seen.contains(mark(last)));
        let strangers = (last + 1..last + 10_000).filter(|number| seen.contains(mark(*number)));
        assert_eq!(strangers.count(), 0);
    }
}
