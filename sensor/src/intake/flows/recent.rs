//! What is remembered of conversations from one record to the next, by a hash of who they are between.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Keys that are remembered at least, and half of those at most.
const MOST: usize = 1 << 15;

/// A value for each of the keys asked for last. Bounded: those asked for longest ago are forgotten.
#[derive(Debug)]
pub(super) struct Recent<V> {
    recent: HashMap<u64, V, RandomState>,
    before: HashMap<u64, V, RandomState>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { recent: HashMap::default(), before: HashMap::default() }
    }
}

impl<V> Recent<V> {
    /// The value of a key; `first` when it has none.
    pub(super) fn of(&mut self, key: u64, first: impl FnOnce() -> V) -> &mut V {
        if self.recent.len() >= MOST && !self.recent.contains_key(&key) {
            self.before = std::mem::take(&mut self.recent);
        }
        let before = &mut self.before;
        self.recent.entry(key).or_insert_with(|| before.remove(&key).unwrap_or_else(first))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.recent.len().saturating_add(self.before.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_for_is_remembered_and_all_is_bounded() {
        let mut recent = Recent::default();
        for key in 1..10 * MOST as u64 {
            recent.of(key, || key);
            *recent.of(0, || 0) += 1;
        }
        assert!(recent.len() <= 2 * MOST);
        assert_eq!(*recent.of(0, || 0), 10 * MOST as u64 - 1);
        assert_eq!(*recent.of(1, || 99), 99, "not asked for since");
    }
}
