//! A BPF ring buffer, read in place (Linux, `Documentation/bpf/ringbuf.rst`).
//!
//! Producers and consumer each have a position in bytes that only grows; data lies in memory twice,
//! one copy behind the other, so that a record never wraps. aya's reader gives one record at a time;
//! here all those of a burst are borrowed at once, and their space is given back together.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::slice;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::{MmapOptions, MmapRaw};

use crate::prefetch;

/// Bytes before each record: its length with the flags below, and a word for the kernel.
const HEADER: u64 = 8;
/// Records begin at multiples of this.
const ALIGNMENT: u64 = 8;
/// The record is still written.
const BUSY: u32 = 1 << 31;
/// The record came to nothing.
const DISCARDED: u32 = 1 << 30;

/// The reading end of a ring.
#[derive(Debug)]
pub(super) struct Ring {
    memory: Memory,
    map: OwnedFd,
    /// Up to where it was read.
    read: u64,
}

/// What the ring holds at the time it is made.
pub(super) struct Records<'a> {
    memory: &'a Memory,
    read: &'a mut u64,
    end: u64,
}

/// A record whose header cannot be: all that came with it is lost.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

impl Ring {
    /// Maps a ring of `bytes`, a power of two.
    ///
    /// # Errors
    /// When the map is no such ring.
    pub(super) fn map(map: OwnedFd, bytes: usize) -> io::Result<Self> {
        let memory = Memory::map(&map, bytes)?;
        let read = memory.consumer().load(Acquire);
        Ok(Self { memory, map, read })
    }

    /// Gives back the space of all records that were read, and what is there now.
    pub(super) fn records(&mut self) -> Records<'_> {
        let Self { memory, read, .. } = self;
        memory.consumer().store(*read, Release);
        let end = memory.producer().load(Acquire);
        Records { memory, read, end }
    }

    /// Whether nothing is left to read; a record that is still written is.
    pub(super) fn is_empty(&self) -> bool {
        self.memory.producer().load(Acquire) == self.read
    }
}

/// Readable when a record is there.
impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

impl<'a> Records<'a> {
    /// The next record; none while it is still written.
    ///
    /// # Errors
    /// When there is something else; then the ring goes on with what comes from now on.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>, Damaged> {
        loop {
            let left = self.end.wrapping_sub(*self.read);
            if left == 0 {
                return Ok(None);
            }
            // Written with release when the record is whole.
            let header = self.memory.header(*self.read).load(Acquire);
            if header & BUSY != 0 {
                return Ok(None);
            }
            let length = u64::from(header & !(BUSY | DISCARDED));
            let step = (HEADER + length).next_multiple_of(ALIGNMENT);
            if step > left || left > self.memory.bytes {
                *self.read = self.end;
                return Err(Damaged);
            }
            let start = self.read.wrapping_add(HEADER);
            *self.read = self.read.wrapping_add(step);
            if header & DISCARDED == 0 {
                prefetch::line(self.memory.header(*self.read));
                return Ok(Some(self.memory.record(start, length as usize)));
            }
        }
    }
}

/// The memory of a ring: a page with the consumer's position; a page with the producers', and the
/// data twice.
#[derive(Debug)]
struct Memory {
    ours: MmapRaw,
    theirs: MmapRaw,
    /// Bytes of a page.
    page: usize,
    /// Bytes of data: a power of two.
    bytes: u64,
}

impl Memory {
    fn map(map: &OwnedFd, bytes: usize) -> io::Result<Self> {
        if !bytes.is_power_of_two() || bytes < ALIGNMENT as usize {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a ring's size is a power of two",
            ));
        }
        let page = page_size();
        let ours = MmapOptions::new().len(page).map_raw(map.as_raw_fd())?;
        let theirs = MmapOptions::new()
            .offset(page as u64)
            .len(page + 2 * bytes)
            .map_raw_read_only(map.as_raw_fd())?;
        Ok(Self { ours, theirs, page, bytes: bytes as u64 })
    }

    #[expect(unsafe_code, reason = "the kernel reads this word")]
    fn consumer(&self) -> &AtomicU64 {
        // SAFETY: the mapping begins with the word, is aligned to pages and lives as long as `self`.
        unsafe { AtomicU64::from_ptr(self.ours.as_mut_ptr().cast()) }
    }

    #[expect(unsafe_code, reason = "the kernel writes this word")]
    fn producer(&self) -> &AtomicU64 {
        // SAFETY: the mapping begins with the word, is aligned to pages and lives as long as `self`;
        // it is only loaded, as the mapping cannot be written.
        unsafe { AtomicU64::from_ptr(self.theirs.as_mut_ptr().cast()) }
    }

    #[expect(unsafe_code, reason = "the kernel writes this word")]
    fn header(&self, position: u64) -> &AtomicU32 {
        let word = self.data(position & !(ALIGNMENT - 1)).cast();
        // SAFETY: inside the data, which has a second copy behind it, aligned, and as long-lived as
        // `self`; it is only loaded, as the mapping cannot be written.
        unsafe { AtomicU32::from_ptr(word) }
    }

    /// The bytes of a record that lies whole between the consumer's position and the producers'.
    #[expect(unsafe_code, reason = "records lie in memory that is shared with the kernel")]
    fn record(&self, position: u64, length: usize) -> &[u8] {
        let length = length.min(self.bytes as usize);
        // SAFETY: data begins below `bytes` and lies there twice, so that `length` bytes follow
        // inside the mapping, which lives as long as `self`. The kernel writes them no more until the
        // consumer's position is behind them; that moves in `Ring::records` only, which takes
        // `&mut self` and so outlives no borrow of these bytes.
        unsafe { slice::from_raw_parts(self.data(position), length) }
    }

    /// Where the data of a position lies; always in the first of the two copies.
    fn data(&self, position: u64) -> *mut u8 {
        let at = (position & (self.bytes - 1)) as usize;
        self.theirs.as_mut_ptr().wrapping_add(self.page + at)
    }
}

#[expect(unsafe_code, reason = "a call without pointers")]
fn page_size() -> usize {
    // SAFETY: takes no pointers.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests;
