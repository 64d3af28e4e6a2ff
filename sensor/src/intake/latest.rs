//! Whether something came before, of the latest.

use std::collections::{HashSet, VecDeque};

/// Identities of what came lately, as hashes: of 64 bits, one in 2^47 is taken for another by chance while
/// 65,536 are kept.
#[derive(Debug)]
pub(super) struct Latest {
    most: usize,
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Latest {
    /// Remembers so many at most, and forgets the oldest for more.
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: HashSet::new(), order: VecDeque::new() }
    }

    /// Takes one; whether it came before.
    pub(super) fn note(&mut self, identity: u64) -> bool {
        if !self.known.insert(identity) {
            return true;
        }
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.order.push_back(identity);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut latest = Latest::new(2);
        assert_eq!([1, 1, 2, 1, 3, 2].map(|one| latest.note(one)), [false, true, false, true, false, true]);
        assert!(!latest.note(1), "1 was forgotten for 3");
        assert_eq!((latest.known.len(), latest.order.len()), (2, 2));
    }
}
