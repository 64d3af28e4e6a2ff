//! How large the maps are, and how they are shared among processors and workers.

use egret_ebpf::{BLOCK, MAX_RINGS, WAYS};

/// Slots for flows over IPv4, all processors' together: 128 MiB of them.
const SLOTS: u32 = 1 << 21;

/// Slots of one processor at least, as flows may all meet at one.
const SLOTS_EACH: u32 = 1 << 16;

/// Slots at most: virtual machines often have far more possible processors than they will ever
/// run, and the memory is taken for each of them.
const SLOTS_MOST: u32 = 1 << 22;

/// The table for IPv6 has one slot for so many of the other.
const IPV6_SHARE: u32 = 8;

/// Bytes that the rings in use share: some hundred milliseconds of what goes up at worst.
const RING_BYTES: u32 = 16 << 20;

/// Bytes of a ring at least.
const RING_LEAST: u32 = 4 << 20;

/// Sizes of the maps of one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Possible processors, each of which has a part of each table.
    pub(super) cpus: u32,
    /// Rings in use, one a worker, each of which has a share of each part.
    pub(super) rings: u32,
    /// Sets of [`WAYS`] slots in a share of the table for IPv4: a power of two, and even.
    pub(super) sets4: u32,
    /// The same of the table for IPv6.
    pub(super) sets6: u32,
    /// Bytes of each ring in use: a power of two, and so whole pages.
    pub(super) ring_bytes: u32,
}

impl Layout {
    /// For a machine of so many possible processors, and for so many workers, of whom only the
    /// first [`MAX_RINGS`] get a ring; with so many slots for IPv4, rounded down, where that is said.
    pub(super) fn new(cpus: usize, workers: usize, slots: Option<u32>) -> Self {
        let cpus = u32::try_from(cpus).unwrap_or(u32::MAX).max(1);
        let rings = workers.clamp(1, MAX_RINGS) as u32;
        let usual = (SLOTS / cpus).max(SLOTS_EACH.min(SLOTS_MOST / cpus));
        let slots = slots.map_or(usual, |all| (all / cpus).max(2 * rings * WAYS * IPV6_SHARE));
        let sets = |slots: u32| floor_power_of_two(slots / (rings * WAYS));
        let ring_bytes = floor_power_of_two(RING_BYTES / rings).max(RING_LEAST);
        Self { cpus, rings, sets4: sets(slots), sets6: sets(slots / IPV6_SHARE), ring_bytes }
    }

    /// As small as can be: for a program that is loaded to see whether it can be.
    pub(super) const fn least() -> Self {
        Self { cpus: 1, rings: 1, sets4: 2, sets6: 2, ring_bytes: RING_LEAST }
    }

    /// Bytes that may wait in a ring in use for packets still to go up, the rest being for slots that
    /// give way; and bytes at which the reader is woken.
    pub(super) fn ring_marks(&self) -> (u64, u64) {
        let quarter = u64::from(self.ring_bytes / 4);
        (3 * quarter, quarter)
    }

    /// Blocks in the whole table of which a share has so many sets, see [`BLOCK`].
    pub(super) const fn blocks(&self, sets: u32) -> u32 {
        (self.whole(sets) * WAYS).div_ceil(BLOCK)
    }

    /// Sets in the whole table of which a share has so many.
    pub(super) const fn whole(&self, sets: u32) -> u32 {
        self.cpus * self.rings * sets
    }
}

fn floor_power_of_two(number: u32) -> u32 {
    number.checked_ilog2().map_or(1, |bits| 1 << bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(cpus: usize, workers: usize) -> u32 {
        let layout = Layout::new(cpus, workers, None);
        layout.whole(layout.sets4) * WAYS
    }

    #[test]
    fn a_usual_machine_has_two_million_slots_and_16_mib_of_rings() {
        let layout = Layout::new(4, 4, None);
        assert_eq!(slots(4, 4), 1 << 21);
        assert_eq!(layout.sets6 * IPV6_SHARE, layout.sets4);
        assert_eq!(layout.ring_bytes, 4 << 20);
        assert_eq!(Layout::new(4, 1, None).ring_bytes, 16 << 20);
    }

    #[test]
    fn more_processors_get_more_slots_but_not_without_end() {
        assert_eq!(slots(64, 8), 64 << 16);
        for cpus in [128, 256, 1024] {
            assert_eq!(slots(cpus, 1), SLOTS_MOST, "{cpus}");
        }
    }

    #[test]
    fn a_table_can_be_made_smaller() {
        let layout = Layout::new(2, 2, Some(1 << 16));
        assert_eq!(layout.whole(layout.sets4) * WAYS, 1 << 16);
        let least = Layout::new(64, 8, Some(1));
        assert!(least.sets6 >= 2 && least.sets4 == least.sets6 * IPV6_SHARE, "{least:?}");
    }

    /// A program that masks a hash needs powers of two; a map of no items is refused.
    #[test]
    fn shares_are_powers_of_two_and_rings_whatever_is_asked() {
        for cpus in [0, 1, 3, 12, 192, 8192] {
            for workers in [0, 1, 3, 7, 8, 9, 500] {
                let layout = Layout::new(cpus, workers, None);
                for sets in [layout.sets4, layout.sets6] {
                    assert!(sets.is_power_of_two() && sets > 1, "{layout:?}");
                }
                assert!(layout.ring_bytes.is_power_of_two() && layout.ring_bytes >= RING_LEAST);
                assert!(layout.rings as usize <= MAX_RINGS && layout.rings > 0);
                assert!(slots(cpus, workers) <= SLOTS_MOST, "{layout:?}");
            }
        }
    }
}
