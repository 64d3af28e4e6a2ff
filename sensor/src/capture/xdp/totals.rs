//! What the kernel has counted in all.

use std::sync::atomic::Ordering::Relaxed;

use egret_ebpf::{InUse, Totals};

use super::mapping::{Mapping, read};

/// Long words of [`Totals`].
const WORDS: usize = size_of::<Totals>() / size_of::<u64>();

/// All processors' counters together, each as of now.
pub(super) fn sum(totals: &Mapping, cpus: usize) -> Totals {
    let mut sum = [0_u64; WORDS];
    for cpu in 0..cpus {
        for (word, sum) in sum.iter_mut().enumerate() {
            let at = cpu * size_of::<Totals>() + word * size_of::<u64>();
            *sum = sum.wrapping_add(totals.word64(at).map_or(0, |word| word.load(Relaxed)));
        }
    }
    let sum: Totals = read(sum.map(u64::to_ne_bytes).as_flattened()).unwrap_or_default();
    // Nobody's sum: the program's own.
    Totals { woken: 0, scratch: 0, in_use: InUse::default(), ..sum }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::capture::xdp::model;

    #[test]
    fn processors_add_up_field_by_field() {
        let map = model::memory(3 * size_of::<Totals>());
        let totals = Mapping::new(&map, 3 * size_of::<Totals>()).unwrap();
        type Field = (usize, fn(&Totals) -> u64);
        let fields: [Field; 12] = [
            (offset_of!(Totals, packets), |totals| totals.packets),
            (offset_of!(Totals, bytes), |totals| totals.bytes),
            (offset_of!(Totals, handed), |totals| totals.handed),
            (offset_of!(Totals, handed_bytes), |totals| totals.handed_bytes),
            (offset_of!(Totals, ring_full), |totals| totals.ring_full),
            (offset_of!(Totals, evicted), |totals| totals.evicted),
            (offset_of!(Totals, overflow), |totals| totals.overflow),
            (offset_of!(Totals, unattributed), |totals| totals.unattributed),
            (offset_of!(Totals, unattributed_bytes), |totals| totals.unattributed_bytes),
            (offset_of!(Totals, unparsed), |totals| totals.unparsed),
            (offset_of!(Totals, duplicates), |totals| totals.duplicates),
            (offset_of!(Totals, slots_used), |totals| totals.slots_used),
        ];
        for (number, (offset, _)) in fields.iter().enumerate() {
            for cpu in 0..3 {
                let word = totals.word64(cpu * size_of::<Totals>() + offset).unwrap();
                word.store(10_u64.pow(number as u32 % 10) * (cpu as u64 + 1), Relaxed);
            }
        }
        let sum = sum(&totals, 3);
        for (number, (_, field)) in fields.iter().enumerate() {
            assert_eq!(field(&sum), 6 * 10_u64.pow(number as u32 % 10), "field {number}");
        }
    }
}
