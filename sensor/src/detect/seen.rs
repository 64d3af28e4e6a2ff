//! What was lately seen, as a set of hashes in two generations.

use std::time::Duration;

use crate::prefetch;
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
    /// When the next generation begins at the latest.
    turns: Timestamp,
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
        Self { young, old, turned: Timestamp::ZERO, turns: Timestamp::ZERO, span }
    }

    /// Whether it was noted lately.
    pub(crate) fn contains(&self, mark: Mark) -> bool {
        self.young.contains(mark) || self.old.contains(mark)
    }

    /// Asks for the memory in which it is looked for first.
    pub(crate) fn prefetch(&self, mark: Mark) {
        self.young.prefetch(mark);
    }

    /// Notes it as of `now`.
    pub(crate) fn insert(&mut self, now: Timestamp, mark: Mark) {
        if self.is_over(now) {
            self.turn(now);
        }
        self.young.insert(mark);
    }

    /// Notes it as of `now`; whether it was not noted lately.
    pub(crate) fn is_new(&mut self, now: Timestamp, mark: Mark) -> bool {
        if self.is_over(now) {
            let is_new = !self.contains(mark);
            self.insert(now, mark);
            return is_new;
        }
        self.young.insert(mark) && !self.old.contains(mark)
    }

    /// Whether the young generation is full, or as old as it gets.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.turns || self.young.len >= FULL
    }

    #[cold]
    fn turn(&mut self, now: Timestamp) {
        self.old = std::mem::take(&mut self.young);
        if now.since(self.turned) >= self.span.saturating_mul(2) {
            self.old = Set::default();
        }
        (self.turned, self.turns) = (now, now.plus(self.span));
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
    fn prefetch(&self, mark: Mark) {
        if let Some(line) = places(mark).next().and_then(|place| self.lines.get(place)) {
            prefetch::line(line);
        }
    }

    fn contains(&self, mark: Mark) -> bool {
        let tag = tag(mark.hash);
        for place in places(mark) {
            let Some(line) = self.lines.get(place) else { return false };
            match line.look_for(tag) {
                Found::Here => return true,
                Found::Room(_) => return false,
                Found::Full => {}
            }
        }
        false
    }

    /// Whether it was not there.
    fn insert(&mut self, mark: Mark) -> bool {
        if self.lines.is_empty() {
            self.lines = vec![Line([0; LINE]); LINES];
        }
        let tag = tag(mark.hash);
        for place in places(mark) {
            let Some(line) = self.lines.get_mut(place) else { return true };
            match line.look_for(tag) {
                Found::Here => return false,
                Found::Room(at) => {
                    if let Some(slot) = line.0.get_mut(at) {
                        *slot = tag;
                    }
                    self.len += 1;
                    return true;
                }
                Found::Full => {}
            }
        }
        true
    }
}

/// What a line says of a hash.
enum Found {
    /// It has it.
    Here,
    /// It does not, and this slot is the first that is free.
    Room(usize),
    /// It does not, and all slots are taken.
    Full,
}

impl Line {
    /// Slots are taken in their order: behind the first free one there is nothing.
    fn look_for(&self, tag: u32) -> Found {
        for (at, slot) in self.0.iter().enumerate() {
            match *slot {
                0 => return Found::Room(at),
                known if known == tag => return Found::Here,
                _ => {}
            }
        }
        Found::Full
    }
}

/// The lines in which a mark is looked for, until one has room.
fn places(mark: Mark) -> impl Iterator<Item = usize> {
    let line = |hash: u64| (hash >> 32) as usize % LINES;
    let (first, own) = (line(mark.of), line(mark.hash));
    (0..LINES + 1).map(move |step| if step == 0 { first } else { (own + step - 1) % LINES })
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
        let mut is_new = |time, hash| seen.is_new(at(time), Mark::alone(hash));
        assert!(!is_new(1030, 9) && is_new(1061, 8) && !is_new(1062, 9), "it is old, not gone");
        assert!(!is_new(1122, 9), "it was noted again");
    }

    #[test]
    fn hashes_that_crowd_at_the_end_of_the_set_or_belong_to_one_are_all_found() {
        let mut set = Set::default();
        let crowd = |number: u64| ((0xffff_fff0 | (number % 16)) << 32) | number;
        let alone = || (1..=1000).map(move |number| Mark::alone(crowd(number)));
        let belonging = || (1..=1000).map(move |number| Mark { of: 7 << 32, hash: crowd(!number) });
        for _ in 0..2 {
            alone().chain(belonging()).for_each(|mark| _ = set.insert(mark));
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
