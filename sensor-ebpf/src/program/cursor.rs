//! Reads a packet in place, header by header. The verifier follows each pointer to its check.

#[cfg(target_arch = "bpf")]
use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};

use egret_ebpf::Totals;

use crate::context::Context;

/// What is read at once, in the order it has in memory.
pub(crate) trait Word: Sized {
    /// Reads it.
    ///
    /// # Safety
    /// `at` is an address in a packet, with so many bytes before the packet's end.
    unsafe fn load(at: usize) -> Self;
}

macro_rules! word {
    ($kind:ty, $load:literal) => {
        impl Word for $kind {
            /// By one instruction: the compiler would put together single bytes, as it cannot know that
            /// the kernel lets packets be read at any address (where the processor does).
            #[cfg(target_arch = "bpf")]
            #[inline(always)]
            unsafe fn load(at: usize) -> Self {
                let word: u64;
                // SAFETY: the caller knows that the bytes are there; the verifier checks.
                unsafe { asm!($load, out(reg) word, in(reg) at, options(pure, readonly, nostack)) };
                word as Self
            }

            /// The like where the program is only looked at, not run.
            #[cfg(not(target_arch = "bpf"))]
            unsafe fn load(at: usize) -> Self {
                // SAFETY: the caller knows that the bytes are there.
                unsafe { (at as *const Self).read_unaligned() }
            }
        }
    };
}

word!(u8, "{0} = *(u8 *)({1} + 0)");
word!(u16, "{0} = *(u16 *)({1} + 0)");
word!(u32, "{0} = *(u32 *)({1} + 0)");
word!(u64, "{0} = *(u64 *)({1} + 0)");

/// The number itself, of an address above all. Else the compiler may add it up twice, which is two to the verifier: one that
/// was checked, and one that is read.
#[inline(always)]
pub(crate) fn kept(at: usize) -> usize {
    #[cfg(target_arch = "bpf")]
    // SAFETY: a register is given its own value.
    let at = unsafe {
        let mut at = at;
        asm!("{0} = {0}", inout(reg) at, options(pure, nomem, nostack));
        at
    };
    at
}

/// The farthest from the start that a header may begin.
const FARTHEST: u32 = 256;

/// A place in a packet.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    at: usize,
    end: usize,
    /// How far it is from the packet's start.
    pub(crate) offset: u32,
}

impl Cursor {
    #[inline(always)]
    pub(crate) fn new(context: &impl Context) -> Self {
        Self { at: context.start(), end: context.end(), offset: 0 }
    }

    /// What lies `ahead` bytes on.
    #[inline(always)]
    pub(crate) fn peek<T: Word>(&self, ahead: usize) -> Option<T> {
        if self.at + ahead + size_of::<T>() > self.end {
            return None;
        }
        // SAFETY: so many bytes lie in the packet, as was just seen.
        Some(unsafe { T::load(self.at + ahead) })
    }

    /// The words that lie `ahead` bytes on.
    #[inline(always)]
    pub(crate) fn words<const COUNT: usize>(&self, ahead: usize) -> Option<[u64; COUNT]> {
        if self.at + ahead + size_of::<[u64; COUNT]>() > self.end {
            return None;
        }
        // SAFETY: so many bytes lie in the packet, as was just seen.
        Some(core::array::from_fn(|word| unsafe { u64::load(self.at + ahead + word * 8) }))
    }

    /// An IPv6 address that lies `ahead` bytes on.
    #[inline(always)]
    pub(crate) fn address(&self, ahead: usize) -> Option<[u8; 16]> {
        let words = self.words::<2>(ahead)?;
        // SAFETY: both are sixteen bytes without any meaning of their own.
        Some(unsafe { core::mem::transmute::<[u64; 2], [u8; 16]>(words) })
    }

    /// The number in network byte order that lies `ahead` bytes on.
    #[inline(always)]
    pub(crate) fn short(&self, ahead: usize) -> Option<u16> {
        self.peek::<u16>(ahead).map(u16::from_be)
    }

    /// Goes on by so many bytes, unless that is farther than headers reach.
    #[inline(always)]
    pub(crate) fn skip(&mut self, length: u32) -> Option<()> {
        if length > FARTHEST || self.offset > FARTHEST {
            return None;
        }
        self.at += length as usize;
        self.offset += length;
        self.at = kept(self.at);
        Some(())
    }

    /// The same by a number that was added up, which stays one: the one that is asked for is gone on by.
    #[inline(always)]
    pub(crate) fn skip_sum(&mut self, length: u32) -> Option<()> {
        self.skip(kept(length as usize) as u32)
    }

    /// The same place, of which the verifier knows no more than the bounds: all the ways that led here
    /// are one to it from now on, and it follows what comes once instead of once a way.
    #[inline(always)]
    pub(crate) fn anew(&self, context: &impl Context, totals: &mut Totals) -> Option<Self> {
        // SAFETY: the reference is valid; volatile, so that it is really written.
        unsafe { write_volatile(&raw mut totals.scratch, u64::from(self.offset)) };
        // SAFETY: likewise, so that it is really read.
        let offset = unsafe { read_volatile(&raw const totals.scratch) };
        if offset > u64::from(FARTHEST) {
            return None;
        }
        Some(Self {
            at: context.start() + offset as usize,
            end: context.end(),
            offset: offset as u32,
        })
    }
}
