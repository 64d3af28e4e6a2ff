//! The memory that is shared with the kernel, block by block: each is the kernel's or ours.

use std::io;
use std::os::fd::AsFd;
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};

use memmap2::{MmapOptions, MmapRaw};

use super::{BLOCK, BLOCKS};

/// Where in a block its status is (`tpacket_hdr_v1.block_status`).
const STATUS: usize = 8;

/// All blocks of a ring.
#[derive(Debug)]
pub(super) struct Memory(MmapRaw);

impl Memory {
    /// Maps the ring of a socket that has one.
    ///
    /// # Errors
    /// When the system grants no address space.
    pub(super) fn map(socket: &impl AsFd) -> io::Result<Self> {
        use std::os::fd::AsRawFd;
        MmapOptions::new().len(BLOCK * BLOCKS).map_raw(socket.as_fd().as_raw_fd()).map(Self)
    }

    /// A block, if it is ours now.
    #[expect(unsafe_code, reason = "the kernel writes to this memory")]
    pub(super) fn block(&self, index: usize) -> Option<&[u8]> {
        if self.status(index).load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let start = self.start(index);
        // SAFETY: `start` is followed by a whole block of the mapping, which lives as long as
        // `self`. The status says that the kernel has filled the block and will not touch it until
        // it is handed back, which takes `&mut self` and so outlives no borrow of these bytes.
        Some(unsafe { slice::from_raw_parts(start, BLOCK) })
    }

    /// Gives a block to the kernel.
    pub(super) fn hand_back(&mut self, index: usize) {
        self.status(index).store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    #[expect(unsafe_code, reason = "the kernel and we take turns by this word")]
    fn status(&self, index: usize) -> &AtomicU32 {
        let status = self.start(index).wrapping_add(STATUS).cast::<u32>();
        // SAFETY: the word lies inside the mapping, which lives as long as `self`, and is aligned,
        // as blocks are to pages. All writing to it, the kernel's too, is atomic.
        unsafe { AtomicU32::from_ptr(status) }
    }

    /// The first byte of a block; never outside of the mapping.
    fn start(&self, index: usize) -> *mut u8 {
        self.0.as_mut_ptr().wrapping_add(index % BLOCKS * BLOCK)
    }
}
