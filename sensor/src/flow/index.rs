//! From a key's hash to its slot: open addressing over 8-byte entries, so that a look-up costs one
//! cache line here and the slot's own.

use super::pages::Pages;

/// A place in the slot store.
pub(super) type SlotId = u32;

/// The part of a key's hash that is kept: its low bits give the entry's home, all of it must match.
pub(super) type Tag = u32;

/// Linear probing with deletion by backward shift: no tombstones, so look-ups stay short for years.
pub(super) struct Index {
    /// `tag << 32 | slot + 1`; 0 is empty. A power of two long and at most half full.
    entries: Pages<u64>,
    mask: usize,
}

impl Index {
    /// For at most `slots` slots.
    pub(super) fn new(slots: usize) -> std::io::Result<Self> {
        let len = slots.saturating_mul(2).next_power_of_two();
        Ok(Self { entries: Pages::new(len)?, mask: len - 1 })
    }

    /// Asks the processor to fetch the line where `tag`'s probe begins.
    #[inline]
    pub(super) fn prefetch(&self, tag: Tag) {
        if let Some(entry) = self.entries.all().get(tag as usize & self.mask) {
            super::prefetch::line(entry);
        }
    }

    /// The slots whose tag matches, in probing order; one at most in all likelihood.
    #[inline]
    pub(super) fn candidates(&self, tag: Tag) -> impl Iterator<Item = SlotId> {
        let entries = self.entries.all();
        let mut at = tag as usize & self.mask;
        std::iter::from_fn(move || {
            loop {
                let entry = entries.get(at).copied().unwrap_or_default();
                if entry == 0 {
                    return None;
                }
                at = (at + 1) & self.mask;
                if (entry >> 32) as Tag == tag {
                    return Some((entry as u32) - 1);
                }
            }
        })
    }

    pub(super) fn insert(&mut self, tag: Tag, slot: SlotId) {
        let mut at = tag as usize & self.mask;
        while self.entry(at) != 0 {
            at = (at + 1) & self.mask;
        }
        self.set(at, u64::from(tag) << 32 | (u64::from(slot) + 1));
    }

    pub(super) fn remove(&mut self, tag: Tag, slot: SlotId) {
        let wanted = u64::from(tag) << 32 | (u64::from(slot) + 1);
        let mut hole = tag as usize & self.mask;
        loop {
            match self.entry(hole) {
                0 => return,
                entry if entry == wanted => break,
                _ => hole = (hole + 1) & self.mask,
            }
        }
        // Move up whatever would be cut off from its home by the hole.
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask;
            let entry = self.entry(at);
            if entry == 0 {
                break;
            }
            let home = (entry >> 32) as usize & self.mask;
            let from_home = at.wrapping_sub(home) & self.mask;
            let from_hole = at.wrapping_sub(hole) & self.mask;
            if from_home >= from_hole {
                self.set(hole, entry);
                hole = at;
            }
        }
        self.set(hole, 0);
    }

    #[inline]
    fn entry(&self, at: usize) -> u64 {
        self.entries.all().get(at).copied().unwrap_or_default()
    }

    fn set(&mut self, at: usize, entry: u64) {
        if let Some(place) = self.entries.one(at) {
            *place = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few distinct homes, so that probe chains are long, wrap round and overlap.
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u32..64, any::<bool>()), 1..400)) {
            let mut index = Index::new(32).unwrap();
            let mut model = BTreeMap::new();
            for (number, insert) in steps {
                let tag = (number % 5) | (number << 27) | 0x3c;
                if insert && model.len() < 32 && !model.contains_key(&number) {
                    index.insert(tag, number);
                    model.insert(number, tag);
                } else if !insert && model.remove(&number).is_some() {
                    index.remove(tag, number);
                }
                for (&number, &tag) in &model {
                    prop_assert!(index.candidates(tag).any(|slot| slot == number));
                }
            }
            for (number, tag) in std::mem::take(&mut model) {
                index.remove(tag, number);
            }
            prop_assert!(index.entries.all().iter().all(|&entry| entry == 0));
        }
    }
}
