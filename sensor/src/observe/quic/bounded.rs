//! Something for each of the flows that are followed; where there are too many, the oldest gives way.

use std::collections::VecDeque;

/// How many places in the order may be those of values that are gone, before it is cleared of them.
const STALE: usize = 64;

/// Values by their flow's slot.
pub(super) struct Bounded<T> {
    values: hashbrown::HashMap<u32, (u64, T), foldhash::fast::RandomState>,
    /// In order of their making, with their serial numbers.
    order: VecDeque<(u32, u64)>,
    serial: u64,
    capacity: usize,
}

impl<T> Bounded<T> {
    /// For at most `capacity` flows.
    pub(super) fn new(capacity: usize) -> Self {
        Self { values: hashbrown::HashMap::default(), order: VecDeque::new(), serial: 0, capacity }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.values.get_mut(&slot).map(|(_, value)| value)
    }

    /// Puts in a value, in the place of the slot's last one; gives back the slot and the value that
    /// made room for it.
    pub(super) fn insert(&mut self, slot: u32, value: T) -> Option<(u32, T)> {
        self.serial += 1;
        self.values.insert(slot, (self.serial, value));
        self.order.push_back((slot, self.serial));
        if self.order.len() > 2 * self.values.len() + STALE {
            let Self { values, order, .. } = self;
            order.retain(|(slot, serial)| values.get(slot).is_some_and(|(of, _)| of == serial));
        }
        if self.values.len() > self.capacity { self.take_oldest() } else { None }
    }

    #[inline]
    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        // As for every flow that ends where none is followed.
        if self.values.is_empty() {
            return None;
        }
        self.values.remove(&slot).map(|(_, value)| value)
    }

    fn take_oldest(&mut self) -> Option<(u32, T)> {
        loop {
            let (slot, serial) = self.order.pop_front()?;
            if self.values.get(&slot).is_some_and(|(of, _)| *of == serial) {
                return self.remove(slot).map(|value| (slot, value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_nothing_grows() {
        let mut bounded = Bounded::new(4);
        for slot in 0..4 {
            assert_eq!(bounded.insert(slot, slot), None);
        }
        bounded.remove(0);
        assert_eq!(bounded.insert(1, 10), None, "made anew: the youngest now");
        assert_eq!(bounded.insert(4, 4), None);
        assert_eq!(bounded.insert(5, 5), Some((2, 2)));
        for n in 0..1000 {
            bounded.insert(n % 7, n);
            bounded.remove((n + 3) % 7);
            assert!(bounded.values.len() <= 4 && bounded.order.len() <= 8 + STALE);
        }
    }
}
