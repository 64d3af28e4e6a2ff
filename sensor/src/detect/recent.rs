//! A bounded memory of what was lately seen, in two generations: nothing is ever swept.

use std::hash::Hash;
use std::time::Duration;

use hashbrown::{Equivalent, HashMap};

use crate::time::Timestamp;

/// A map whose entries are kept for `span` to twice as long since they were last written, shorter
/// when more than `capacity` are written within `span`. Holds at most `2 * capacity` entries.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, V, foldhash::fast::RandomState>,
    old: HashMap<K, V, foldhash::fast::RandomState>,
    turned: Timestamp,
    span: Duration,
    capacity: usize,
}

impl<K: Hash + Eq, V> Recent<K, V> {
    pub(crate) fn new(span: Duration, capacity: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            turned: Timestamp::ZERO,
            span,
            capacity,
        }
    }

    /// What is remembered for `key`.
    pub(crate) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The same, to change it; that makes it young again.
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        if !self.old.is_empty()
            && let Some(value) = self.old.remove(&key)
        {
            return Some(self.young.entry(key).or_insert(value));
        }
        self.young.get_mut(&key)
    }

    /// Remembers `value` for `key`, as of `now`.
    pub(crate) fn insert(&mut self, now: Timestamp, key: K, value: V) {
        self.turn(now);
        self.young.insert(key, value);
    }

    /// Forgets everything else.
    pub(crate) fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        self.young.retain(|key, value| keep(key, value));
        self.old.retain(|key, value| keep(key, value));
    }

    fn turn(&mut self, now: Timestamp) {
        let age = now.since(self.turned);
        if age < self.span && self.young.len() < self.capacity {
            return;
        }
        self.old = std::mem::take(&mut self.young);
        if age >= self.span.saturating_mul(2) {
            self.old.clear();
        }
        self.turned = now;
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
        let mut recent = Recent::new(Duration::from_secs(60), 100);
        recent.insert(at(0), 1, 'a');
        recent.insert(at(59), 2, 'b');
        recent.insert(at(61), 3, 'c');
        assert_eq!(recent.get(&1), Some(&'a'));
        assert_eq!(recent.get_mut(2), Some(&mut 'b'));
        recent.insert(at(125), 4, 'd');
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&2), Some(&'b'), "touched, so young again");
        recent.insert(at(1000), 5, 'e');
        assert_eq!(recent.get(&4), None, "a long silence forgets all");
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut recent = Recent::new(Duration::from_secs(60), 100);
        for key in 0..10_000 {
            recent.insert(at(1), key, ());
        }
        assert!(recent.young.len() + recent.old.len() <= 200);
        assert!(recent.get(&9_999).is_some());
    }
}
