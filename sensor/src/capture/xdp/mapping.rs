//! Maps of the kernel as memory that is shared with it.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU32, AtomicU64};

use egret_ebpf::{Count, Evicted, Handed, Key4, Key6, Totals};
use memmap2::{MmapOptions, MmapRaw};

/// Types that any bytes make one of.
///
/// # Safety
/// Only for structs of integers: no byte pattern may be invalid.
#[expect(unsafe_code, reason = "the types are of a crate without dependencies")]
pub(super) unsafe trait Plain: Copy {}

#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers and arrays of them.
unsafe impl Plain for Key4 {}
#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers and arrays of them.
unsafe impl Plain for Key6 {}
#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers.
unsafe impl Plain for Count {}
#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers.
unsafe impl Plain for Handed {}
#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers, and an array of them.
unsafe impl Plain for Totals {}
#[expect(unsafe_code, reason = "integers all the way down")]
// SAFETY: integers, arrays of them, and a key that is plain.
unsafe impl<K: Plain> Plain for Evicted<K> {}

/// The value at the start of `bytes`, if there are enough of them.
pub(super) fn read<T: Plain>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.get(..size_of::<T>())?;
    #[expect(unsafe_code, reason = "records of a ring lie in it as structs")]
    // SAFETY: the slice has as many bytes as a `T`, any bytes make one, and it need not be aligned.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

/// An array map with `BPF_F_MMAPABLE`, read and written without system calls while the kernel writes.
#[derive(Debug)]
pub(in crate::capture) struct Mapping(MmapRaw);

impl Mapping {
    /// Maps the first `bytes` of a map: its items, each of its value's size rounded up to 8.
    ///
    /// # Errors
    /// When the map is not one that can be mapped, or smaller.
    pub(in crate::capture) fn new(map: &impl AsFd, bytes: usize) -> io::Result<Self> {
        MmapOptions::new().len(bytes).map_raw(map.as_fd().as_raw_fd()).map(Self)
    }

    /// The first byte of the `size` bytes of item `index`, if the mapping holds them all.
    #[inline]
    pub(super) fn item(&self, index: usize, size: usize) -> Option<*mut u8> {
        let start = index.checked_mul(size)?;
        let end = start.checked_add(size)?;
        (end <= self.0.len()).then(|| self.0.as_mut_ptr().wrapping_add(start))
    }

    /// The word at a place counted in bytes, if the mapping holds it.
    pub(super) fn word32(&self, at: usize) -> Option<&AtomicU32> {
        let word = self.word::<u32>(at)?;
        #[expect(unsafe_code, reason = "the kernel reads and writes this memory")]
        // SAFETY: the word lies inside the mapping, which lives as long as `self`, and is aligned.
        Some(unsafe { AtomicU32::from_ptr(word) })
    }

    /// The long word at a place counted in bytes, if the mapping holds it.
    pub(super) fn word64(&self, at: usize) -> Option<&AtomicU64> {
        let word = self.word::<u64>(at)?;
        #[expect(unsafe_code, reason = "the kernel reads and writes this memory")]
        // SAFETY: the word lies inside the mapping, which lives as long as `self`, and is aligned.
        Some(unsafe { AtomicU64::from_ptr(word) })
    }

    fn word<T>(&self, at: usize) -> Option<*mut T> {
        let inside = at.checked_add(size_of::<T>())? <= self.0.len();
        // The mapping itself begins with a page.
        (inside && at.is_multiple_of(align_of::<T>()))
            .then(|| self.0.as_mut_ptr().wrapping_add(at).cast())
    }
}
