//! Whether the kernel looks for second copies of packets, which costs it as much as all the rest.
//!
//! It does from the start. When many packets went up and there was no copy among all, it stops, until
//! copies are seen among packets that go up, which each connection's first ones do: so those of a mirror
//! that gives everything twice are known before there is much to count of them.

use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use egret_ebpf::{Control, Totals};

use super::mapping::Mapping;

/// After so many packets that went up without a copy among all, there are none.
const ENOUGH: u64 = 1000;

/// The program's control word for it, and what its totals were when there last was a copy.
#[derive(Debug)]
pub(super) struct Copies {
    control: Arc<Mapping>,
    duplicates: u64,
    handed: u64,
}

impl Copies {
    pub(super) const fn new(control: Arc<Mapping>) -> Self {
        Self { control, duplicates: 0, handed: 0 }
    }

    /// They are to be looked for.
    pub(super) fn expect(&self) {
        if let Some(word) = self.word() {
            word.store(1, Relaxed);
        }
    }

    /// Sees by the totals whether there are none.
    pub(super) fn judge(&mut self, totals: &Totals) {
        let Some(word) = self.word() else { return };
        let is_looked_for = word.load(Relaxed) != 0;
        if is_looked_for && totals.duplicates == self.duplicates {
            if totals.handed.saturating_sub(self.handed) >= ENOUGH {
                word.store(0, Relaxed);
            }
            return;
        }
        self.duplicates = totals.duplicates;
        self.handed = totals.handed;
    }

    fn word(&self) -> Option<&AtomicU32> {
        self.control.word32(offset_of!(Control, copies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::xdp::model;

    #[test]
    fn copies_are_looked_for_until_many_packets_came_without_one() {
        let size = size_of::<Control>();
        let control = Arc::new(Mapping::new(&model::memory(size), size).unwrap());
        let mut copies = Copies::new(Arc::clone(&control));
        let is_on = || control.word32(offset_of!(Control, copies)).unwrap().load(Relaxed) == 1;
        let totals = |handed, duplicates| Totals { handed, duplicates, ..Totals::default() };
        copies.expect();
        copies.judge(&totals(ENOUGH - 1, 0));
        assert!(is_on(), "too few to tell");
        copies.judge(&totals(ENOUGH, 1));
        copies.judge(&totals(2 * ENOUGH - 1, 1));
        assert!(is_on(), "there was one, and few since then");
        copies.judge(&totals(2 * ENOUGH, 1));
        assert!(!is_on());
        copies.judge(&totals(9 * ENOUGH, 1));
        copies.expect();
        copies.judge(&totals(9 * ENOUGH + 1, 1));
        assert!(is_on(), "those before it was looked for again do not count");
    }
}
