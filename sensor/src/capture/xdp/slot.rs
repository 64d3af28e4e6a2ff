//! One slot of the hot table, in memory that the kernel writes at the same time.

use std::marker::PhantomData;
use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use egret_ebpf::{Count, Slot};

use super::mapping::{Mapping, Plain};

/// A slot as it lies in the table. It changes at any time; nothing here is a reference to its parts
/// but to words that are atomic.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a, K> {
    start: *mut u8,
    of: PhantomData<(&'a Mapping, K)>,
}

impl<'a, K: Plain> View<'a, K> {
    /// Slot `index` of a table, if it has so many.
    #[inline]
    pub(super) fn new(table: &'a Mapping, index: usize) -> Option<Self> {
        table.item(index, size_of::<Slot<K>>()).map(|start| Self { start, of: PhantomData })
    }

    /// Packets and bytes, which need not be of the same moment.
    #[inline]
    pub(super) fn counted(self) -> (u64, u64) {
        let packets = self.word64(offset_of!(Slot<K>, count.packets)).load(Relaxed);
        (packets, self.word64(offset_of!(Slot<K>, count.bytes)).load(Relaxed))
    }

    /// Where user space says that it has read enough.
    pub(super) fn read_enough(self) -> &'a AtomicU32 {
        self.word32(offset_of!(Slot<K>, read))
    }

    /// Its sequence, and what that one's flow is and has counted. `None` while a flow takes the slot.
    pub(super) fn take(self) -> Option<(u32, K, Count)> {
        let sequence = self.word32(offset_of!(Slot<K>, sequence));
        let before = sequence.load(Acquire);
        let key = self.key();
        let count = self.count();
        // What was read above was there before the sequence is read again.
        fence(Acquire);
        let after = sequence.load(Relaxed);
        (before == after && before.is_multiple_of(2)).then_some((before, key, count))
    }

    /// The key, which may be of two flows when a flow takes the slot meanwhile.
    fn key(self) -> K {
        let key = self.start.wrapping_add(offset_of!(Slot<K>, key)).cast::<K>();
        #[expect(unsafe_code, reason = "the kernel writes to this memory")]
        // SAFETY: `start` is an aligned slot's inside a mapping that lives as long as `'a`. Any bytes
        // make a key, and the read is volatile: whatever is written meanwhile, it gives some bytes.
        unsafe {
            key.read_volatile()
        }
    }

    fn count(self) -> Count {
        let (packets, bytes) = self.counted();
        Count {
            packets,
            bytes,
            first: self.word64(offset_of!(Slot<K>, count.first)).load(Relaxed),
            last: self.word64(offset_of!(Slot<K>, count.last)).load(Relaxed),
            tcp_flags: self.word32(offset_of!(Slot<K>, count.tcp_flags)).load(Relaxed),
            handed: self.word32(offset_of!(Slot<K>, count.handed)).load(Relaxed),
        }
    }

    /// The word at a field's offset.
    #[inline]
    fn word32(self, field: usize) -> &'a AtomicU32 {
        let word = self.start.wrapping_add(field).cast();
        #[expect(unsafe_code, reason = "the kernel writes to this memory")]
        // SAFETY: a field of an aligned slot inside a mapping that lives as long as `'a`.
        unsafe {
            AtomicU32::from_ptr(word)
        }
    }

    /// The long word at a field's offset.
    #[inline]
    fn word64(self, field: usize) -> &'a AtomicU64 {
        let word = self.start.wrapping_add(field).cast();
        #[expect(unsafe_code, reason = "the kernel writes to this memory")]
        // SAFETY: a field of an aligned slot inside a mapping that lives as long as `'a`.
        unsafe {
            AtomicU64::from_ptr(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Release;

    use egret_ebpf::Key4;

    use super::*;
    use crate::capture::xdp::model;

    /// The flows that take the slot one after the other have counted as many packets as their number
    /// is, which is in their key and in the sequence too.
    #[test]
    fn what_is_taken_is_one_flows() {
        let size = size_of::<Slot<Key4>>();
        let memory = model::memory(size);
        let [kernel, ours] = [0, 1].map(|_| Mapping::new(&memory, size).unwrap());
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for flow in 1.. {
                    kernel.word32(0).unwrap().store(2 * flow - 1, Relaxed);
                    fence(Release);
                    let key = offset_of!(Slot<Key4>, key);
                    kernel.word32(key).unwrap().store(flow, Relaxed);
                    let packets = offset_of!(Slot<Key4>, count.packets);
                    kernel.word64(packets).unwrap().store(flow.into(), Relaxed);
                    kernel.word32(0).unwrap().store(2 * flow, Release);
                    if ended.load(Acquire) {
                        break;
                    }
                }
            });
            let slot = View::<Key4>::new(&ours, 0).unwrap();
            let taken = (0..3_000_000).filter_map(|_| slot.take());
            let torn = taken.filter(|(sequence, key, count)| {
                let flow = u32::from_ne_bytes(key.source);
                (flow, count.packets) != (sequence / 2, u64::from(sequence / 2))
            });
            let torn = torn.count();
            ended.store(true, Release);
            assert_eq!(torn, 0);
        });
    }

    #[test]
    fn a_slot_that_the_table_does_not_have_is_none() {
        let table = Mapping::new(&model::memory(128), 128).unwrap();
        assert!(View::<Key4>::new(&table, 1).is_some());
        assert!(View::<Key4>::new(&table, 2).is_none());
        assert!(View::<Key4>::new(&table, usize::MAX / 32).is_none());
    }
}
