//! What is kept of the latest, by key.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A map that forgets its oldest key for one too many.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    most: usize,
    known: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V> Kept<K, V> {
    /// Keeps so many at most.
    pub(super) fn new(most: usize) -> Self {
        Self { most, known: HashMap::new(), order: VecDeque::new() }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.known.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.known.get_mut(key)
    }

    /// Keeps a value; gives back the one that it had before.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if !self.known.contains_key(&key) {
            if self.order.len() >= self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
            self.order.push_back(key.clone());
        }
        self.known.insert(key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut kept = Kept::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            kept.insert(key, value);
        }
        assert_eq!([kept.get(&"a"), kept.get(&"b"), kept.get(&"c")], [None, Some(&2), Some(&4)]);
        assert_eq!((kept.known.len(), kept.order.len()), (2, 2));
        *kept.get_mut(&"b").unwrap() += 1;
        assert_eq!(kept.insert("b", 0), Some(3));
    }
}
