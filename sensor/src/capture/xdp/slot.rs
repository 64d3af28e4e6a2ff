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
