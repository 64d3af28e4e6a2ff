//! Sets of records that came before their template, and wait for it.
//!
//! Bounds: [`MAX_SETS`] sets and [`MAX_BYTES`] bytes of all exporters; the oldest go.

use std::collections::VecDeque;

use super::exporters::Key;
use super::told::Told;

/// Sets that wait at most.
pub(super) const MAX_SETS: usize = 256;
/// Their bytes at most.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// One that waits.
#[derive(Debug)]
pub(super) struct Set {
    key: Key,
    id: u16,
    pub(super) told: Told,
    pub(super) bytes: Box<[u8]>,
}

/// All that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Held {
    sets: VecDeque<Set>,
    bytes: usize,
}

impl Held {
    /// Keeps a set; how many had to go for it.
    pub(super) fn hold(&mut self, key: Key, id: u16, told: Told, bytes: &[u8]) -> usize {
        self.sets.push_back(Set { key, id, told, bytes: bytes.into() });
        self.bytes = self.bytes.saturating_add(bytes.len());
        let mut gone = 0_usize;
        while self.sets.len() > MAX_SETS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.sets.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.bytes.len());
            gone = gone.saturating_add(1);
        }
        gone
    }

    /// Those that waited for this template, oldest first.
    pub(super) fn take(&mut self, key: &Key, id: u16) -> Vec<Set> {
        self.take_if(|set| set.key == *key && set.id == id)
    }

    /// Forgets those of an exporter; how many there were.
    pub(super) fn forget(&mut self, key: &Key) -> usize {
        self.take_if(|set| set.key == *key).len()
    }

    fn take_if(&mut self, is_it: impl Fn(&Set) -> bool) -> Vec<Set> {
        if !self.sets.iter().any(&is_it) {
            return Vec::new();
        }
        let (taken, kept): (Vec<_>, _) =
            std::mem::take(&mut self.sets).into_iter().partition(is_it);
        self.sets = kept.into();
        self.bytes = self.sets.iter().map(|set| set.bytes.len()).sum();
        taken
    }
}
