//! The frames of a block, which its kernel has filled (`struct tpacket3_hdr` and before it
//! `struct tpacket_block_desc` of `linux/if_packet.h`). No number in it is believed unchecked.

use super::length;
use crate::capture::{Frame, LinkType};
use crate::prefetch;
use crate::time::Timestamp;

/// Where in a block its number of frames is, and the place of the first one.
const FRAMES: usize = 12;
const FIRST: usize = 16;

/// How many frames ahead their headers are fetched, down to TCP's: the kernel wrote them on its own
/// way, and the next frame is often as long as this one. Halves the cost of frames of 1,514 bytes.
const AHEAD: usize = 4;

/// Bytes of a cache line.
const LINE: usize = 64;

/// What stands before each frame.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Header {
    /// From here to the next header; 0 in the last one.
    next: u32,
    seconds: u32,
    nanoseconds: u32,
    captured: u32,
    length: u32,
    status: u32,
    /// From here to the frame's first byte.
    mac: u16,
    network: u16,
    hash: u32,
    vlan_tci: u32,
    vlan_tpid: u16,
    padding: u16,
}

/// How far a block was read, and what was wrong with its frames.
#[derive(Debug)]
pub(super) struct Walk {
    at: usize,
    left: u32,
    cut: u32,
    lost: u32,
}

impl Walk {
    /// At the start of a block.
    pub(super) fn new(block: &[u8]) -> Self {
        let left = word(block, FRAMES).unwrap_or(0);
        Self { at: word(block, FIRST).unwrap_or(0) as usize, left, cut: 0, lost: 0 }
    }

    /// Whether all was read.
    pub(super) const fn is_over(&self) -> bool {
        self.left == 0
    }

    /// How many frames, since this was last asked, were captured in part only.
    pub(super) fn take_cut(&mut self) -> u64 {
        std::mem::take(&mut self.cut).into()
    }

    /// How many frames, since this was last asked, could not be read because the numbers around them
    /// make no sense.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost).into()
    }

    /// The next frame.
    #[inline]
    pub(super) fn next<'a>(&mut self, block: &'a [u8], link: LinkType) -> Option<Frame<'a>> {
        if self.left == 0 {
            return None;
        }
        let rest = block.get(self.at..).unwrap_or_default();
        let Some((header, frame)) = frame(rest, link) else {
            self.give_up();
            return None;
        };
        self.left -= 1;
        self.cut += u32::from(header.captured < header.length);
        // A step shorter than a header, or none, would have the walk go in circles.
        let next = header.next as usize;
        if self.left > 0 && next < size_of::<Header>() {
            self.give_up();
        }
        self.at = self.at.saturating_add(next);
        let ahead = self.at.saturating_add(next.saturating_mul(AHEAD));
        for byte in block.get(ahead..).unwrap_or_default().iter().step_by(LINE).take(3) {
            prefetch::line(byte);
        }
        Some(frame)
    }

    #[cold]
    fn give_up(&mut self) {
        self.lost = self.left;
        self.left = 0;
    }
}

/// The frame whose header `rest` begins with.
#[inline]
fn frame(rest: &[u8], link: LinkType) -> Option<(Header, Frame<'_>)> {
    let header: &[u8; size_of::<Header>()] = rest.first_chunk()?;
    let header: Header = bytemuck::pod_read_unaligned(header);
    let start = usize::from(header.mac);
    let bytes = rest.get(start..start.checked_add(header.captured as usize)?)?;
    let virtio = rest.get(..start)?.last_chunk()?;
    let vlan = (header.status & libc::TP_STATUS_VLAN_VALID != 0)
        .then_some((header.vlan_tci & 0x0fff) as u16);
    let length = header.length.max(header.captured);
    let wire_len = length::on_wire(length, virtio, bytes, vlan.is_some());
    let time = Timestamp::from_parts(header.seconds.into(), header.nanoseconds.into());
    Some((header, Frame { time, wire_len, link, vlan, mark: None, bytes }))
}

fn word(block: &[u8], at: usize) -> Option<u32> {
    block.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests;
