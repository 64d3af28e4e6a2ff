//! AF_PACKET with a TPACKET_V3 ring: the kernel writes frames into blocks of memory that are
//! shared with it; frames are read there, and each block is handed back once all of it was read.
//! (Linux, `Documentation/networking/packet_mmap.rst`.)

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::{BURST, Burst, LinkType, Progress, Stats};
use crate::time::Timestamp;
use block::Walk;
use memory::Memory;
use socket::Socket;

mod block;
mod fanout;
mod hold;
mod length;
mod memory;
mod open;
mod socket;

pub(super) use hold::Hold;
pub(super) use open::open;
pub(super) use socket::is_orphan;

/// Bytes of a block. Large, so that a burst seldom ends early and super-frames fit many times.
const BLOCK: usize = 1 << 20;

/// Blocks of a ring: 32 MiB, a quarter of a second at 1 Gbit/s.
const BLOCKS: usize = 32;

/// Bytes of a ring.
pub(super) const SIZE: usize = BLOCK * BLOCKS;

/// After this long the kernel gives out a block that is not full.
const RETIRE: Duration = Duration::from_millis(20);

/// How long a frame may lie in a block that is not given out yet: the kernel looks every
/// [`RETIRE`], or a tick of its timer later, and gives a block out at the second look.
const HELD_BACK: Duration = Duration::from_millis(100);

/// One ring: all frames of an interface, or one worker's share of them.
#[derive(Debug)]
pub(super) struct Ring {
    memory: Memory,
    socket: Socket,
    link: LinkType,
    /// The block that is read, or the next one that will be.
    block: usize,
    /// How far it was read; `None` before the kernel has given it out.
    walk: Option<Walk>,
    /// Time of the last frame given.
    last: Timestamp,
    frames: u64,
    bytes: u64,
    truncated: u64,
    invalid: u64,
    dropped: Cell<u64>,
}

impl Ring {
    /// As [`super::Source::burst`]; never fails, whatever becomes of the interface.
    pub(super) fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Progress {
        if self.walk.as_ref().is_some_and(Walk::is_over) {
            self.walk = None;
            self.memory.hand_back(self.block);
            self.block = (self.block + 1) % BLOCKS;
        }
        let Some(block) = self.memory.block(self.block) else {
            self.socket.clear_error();
            return Progress::Idle;
        };
        let walk = self.walk.get_or_insert_with(|| Walk::new(block));
        while burst.len() < BURST
            && let Some(frame) = walk.next(block, self.link)
        {
            self.frames += 1;
            self.bytes += frame.bytes.len() as u64;
            self.last = frame.time;
            burst.push(frame);
        }
        self.truncated += walk.take_cut();
        self.invalid += walk.take_lost();
        Progress::More
    }

    /// As [`super::Source::stats`].
    pub(super) fn stats(&self) -> Stats {
        // Each reading sets the kernel's own counters back to zero.
        let dropped = self.dropped.get() + self.socket.take_drops().unwrap_or(0);
        self.dropped.set(dropped);
        Stats {
            frames: self.frames,
            bytes_read: self.bytes,
            truncated: self.truncated,
            invalid: self.invalid,
            dropped,
            ..Stats::default()
        }
    }

    /// See [`super::live::Live::is_gone`].
    pub(super) fn is_gone(&self) -> bool {
        is_orphan(&self.socket)
    }

    /// See [`super::live::Live::quiet_since`].
    pub(super) fn quiet_since(&self, now: Timestamp) -> Timestamp {
        let quiet = now.minus(HELD_BACK);
        // Within the ring frames lie in the order in which they came.
        if self.memory.block(self.block).is_some() { quiet.min(self.last) } else { quiet }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
