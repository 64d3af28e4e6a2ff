//! The beginnings of the latest conversations of one packet path: frames as they came, one behind the
//! other in pages that are used in turn.
//!
//! Of each conversation at most [`MAX_PACKETS`] frames and [`MAX_BYTES`] bytes, of each frame at most
//! [`SNAP`]. All memory is taken at the start; a page that is used again is overwritten whole, so that
//! no frame is found of which a part is gone. One thread's own, and it reads no clock.

use std::time::Duration;

use bytemuck::{Pod, Zeroable};

use super::Packet;
use crate::capture::{Frame, LinkType};
use crate::time::Timestamp;

/// Frames of a conversation at most, bare acknowledgments not counted: a TCP handshake, both hellos of TLS and
/// what comes with them.
pub const MAX_PACKETS: u8 = 8;
/// Bytes of a conversation at most, what describes its frames not counted: a handshake and a ClientHello
/// that fills two segments leave the server a whole segment nearly.
pub const MAX_BYTES: u16 = 3072;
/// Bytes of a frame at most: a full Ethernet frame in VXLAN.
pub const SNAP: usize = 1600;

/// While memory reaches back less than this, segments that carry nothing are left out: a flood of openings
/// would take the room of hellos.
const HURRY: Duration = Duration::from_secs(10);
/// Bytes of a page: some hundred frames, searched in some microseconds.
const PAGE: usize = 1 << 16;
const HEADER: usize = size_of::<Header>();
/// Stands for no VLAN, and for no interface.
const NONE: u16 = u16::MAX;
/// Where the id of a VLAN that the kernel took out is put back: behind both MAC addresses.
const TAG_AT: usize = 12;
const TAG: [u8; 2] = [0x81, 0x00];

/// What is written before each frame.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    /// See [`crate::event::Flow::id`].
    flow: u64,
    time: u64,
    wire_len: u32,
    len: u16,
    link: u16,
    vlan: u16,
    interface: u16,
    unused: u32,
}

/// The memory.
#[derive(Debug)]
pub struct Recent {
    bytes: Vec<u8>,
    /// How much of each page holds frames; of the one that is being filled, nothing yet.
    used: Vec<usize>,
    /// How many pages were begun so far.
    begun: u64,
    /// Where the next frame goes, and where its page ends.
    next: usize,
    end: usize,
    /// Where frames come from now.
    interface: u16,
    hurried: bool,
}

/// Who looks for a conversation's packets, page by page.
#[derive(Debug)]
pub struct Search {
    flow: u64,
    /// The next page, counted from the first that was ever begun.
    page: u64,
    found: Vec<Packet>,
    bytes: usize,
}

impl Recent {
    /// Memory of so many bytes, rounded to pages, of which there are two at least.
    pub fn new(bytes: u64) -> Self {
        let pages = usize::try_from(bytes / PAGE as u64).unwrap_or(usize::MAX / PAGE).max(2);
        let zeroed = vec![0; pages * PAGE];
        Self {
            bytes: zeroed,
            used: vec![0; pages],
            begun: 1,
            next: 0,
            end: PAGE,
            interface: NONE,
            hurried: false,
        }
    }

    /// The frames from here on come from this interface, see [`Packet::interface`].
    pub fn set_interface(&mut self, interface: Option<u16>) {
        self.interface = interface.unwrap_or(NONE);
    }

    /// Whether memory reaches back less than 10 s, and is better used for what says something.
    pub const fn is_hurried(&self) -> bool {
        self.hurried
    }

    /// Keeps the first `room` bytes of a frame of the conversation with this
    /// [`id`](crate::event::Flow::id); how many that were.
    #[inline]
    pub fn put(&mut self, flow: u64, frame: &Frame<'_>, room: usize) -> usize {
        let len = frame.bytes.len().min(room).min(SNAP);
        if self.next + HEADER + len > self.end {
            self.turn(frame.time);
        }
        let header = Header {
            flow,
            time: frame.time.as_nanos(),
            wire_len: frame.wire_len,
            len: len as u16,
            link: frame.link.0,
            vlan: frame.vlan.unwrap_or(NONE),
            interface: self.interface,
            unused: 0,
        };
        let place = self.bytes.get_mut(self.next..self.next + HEADER + len);
        if let Some((described, to)) = place.and_then(<[u8]>::split_first_chunk_mut)
            && let Some(from) = frame.bytes.get(..len)
        {
            *described = bytemuck::cast::<Header, [u8; HEADER]>(header);
            to.copy_from_slice(from);
            self.next += HEADER + len;
        }
        len
    }

    /// Goes on to the next page, whose frames are gone with that.
    #[cold]
    fn turn(&mut self, now: Timestamp) {
        let is_full = self.begun >= self.used.len() as u64;
        let since = self.since().filter(|_| is_full);
        self.hurried = since.is_some_and(|since| now.since(since) < HURRY);
        let at = self.page(self.begun - 1);
        let next = self.page(self.begun);
        if let Some(used) = self.used.get_mut(at) {
            *used = self.next - at * PAGE;
        }
        if let Some(used) = self.used.get_mut(next) {
            *used = 0;
        }
        self.begun += 1;
        self.next = next * PAGE;
        self.end = self.next + PAGE;
    }

    /// Where the page lies that was begun as this one, counted from 0.
    const fn page(&self, number: u64) -> usize {
        (number % self.used.len() as u64) as usize
    }

    /// The oldest page whose frames are there.
    const fn oldest(&self) -> u64 {
        self.begun.saturating_sub(self.used.len() as u64)
    }

    /// Begins to look for a conversation's packets.
    pub const fn search(&self, flow: u64) -> Search {
        Search { flow, page: self.oldest(), found: Vec::new(), bytes: 0 }
    }

    /// Looks through so many pages more; whether that was all.
    pub fn go_on(&self, search: &mut Search, pages: usize) -> bool {
        for _ in 0..pages {
            // What was not looked at meanwhile may be overwritten.
            search.page = search.page.max(self.oldest());
            if search.page >= self.begun || search.is_full() {
                return true;
            }
            let all = self.records(search.page).filter(|(header, _)| header.flow == search.flow);
            for (header, bytes) in all {
                search.bytes += bytes.len();
                search.found.push(packet(&header, bytes));
            }
            // More may come to the page that is being filled: it is the last one.
            search.page += 1;
        }
        search.page >= self.begun || search.is_full()
    }

    /// All that is there of a conversation's first packets, in the order they came.
    pub fn find(&self, flow: u64) -> Vec<Packet> {
        let mut search = self.search(flow);
        while !self.go_on(&mut search, usize::MAX) {}
        search.found
    }

    /// The time of the oldest frame: how far memory reaches back.
    pub fn since(&self) -> Option<Timestamp> {
        let (oldest, _) = self.records(self.oldest()).next()?;
        Some(Timestamp::from_nanos(oldest.time))
    }

    /// The frames of a page.
    fn records(&self, number: u64) -> impl Iterator<Item = (Header, &[u8])> {
        let page = self.page(number);
        let used = match self.used.get(page) {
            _ if number + 1 == self.begun => self.next - page * PAGE,
            used => used.copied().unwrap_or_default(),
        };
        let mut rest = self.bytes.get(page * PAGE..page * PAGE + used).unwrap_or_default();
        std::iter::from_fn(move || {
            let (header, behind) = rest.split_first_chunk::<HEADER>()?;
            let header: Header = bytemuck::cast(*header);
            let (bytes, behind) = behind.split_at_checked(usize::from(header.len))?;
            rest = behind;
            Some((header, bytes))
        })
    }
}

impl Search {
    const fn is_full(&self) -> bool {
        self.found.len() >= MAX_PACKETS as usize || self.bytes >= MAX_BYTES as usize
    }

    /// What was found so far.
    pub fn found(self) -> Vec<Packet> {
        self.found
    }
}

fn packet(header: &Header, bytes: &[u8]) -> Packet {
    let link = LinkType(header.link);
    let some = |number: u16| (number != NONE).then_some(number);
    let mut bytes = bytes.to_vec();
    if let Some(vlan) = some(header.vlan)
        && link == LinkType::ETHERNET
        && bytes.len() >= TAG_AT
    {
        let [high, low] = vlan.to_be_bytes();
        let [kind, kind_low] = TAG;
        bytes.splice(TAG_AT..TAG_AT, [kind, kind_low, high, low]);
    }
    Packet {
        time: Timestamp::from_nanos(header.time),
        wire_len: header.wire_len.max(bytes.len() as u32),
        link,
        interface: some(header.interface),
        bytes,
    }
}

#[cfg(test)]
mod tests;
