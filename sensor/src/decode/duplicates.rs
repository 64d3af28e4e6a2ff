//! Second copies of packets: a mirror of both ports of a path gives every packet twice.
//!
//! Copies come within [`APART`] of each other and are the same IP packet, though a router may have
//! counted its time to live down, and link header, VLAN, padding, DSCP and ECN may differ. Compared
//! are, by a seeded hash: addresses, protocol, lengths, IPv4's identification and fragment, and the
//! first [`ABOVE`] bytes above the IP header, which hold extension headers, the whole of TCP's or
//! UDP's header (sequence numbers and checksum included) and at least 12 bytes of payload.
//!
//! So a retransmission of IPv4 is no copy: it has another identification, or comes later. What has
//! none (IPv6, IPv4 of systems that leave it 0, RFC 6864) is told apart by sequence numbers and the
//! checksum over the whole payload:
//! - TCP: a segment sent again unchanged within [`APART`] is taken for a copy, so what the sender
//!   repeats that fast counts once. The same acknowledgement twice without timestamps likewise.
//! - UDP: two datagrams with equal contents within [`APART`] are taken for one; a counter, an id or
//!   a time in them tells them apart. Where no checksum is sent either, contents count only as far as
//!   they are compared.
//! - Checksums that a network card fills in later differ between copies before and after it: those
//!   are not recognised. Nor are copies on both sides of address translation, or in a tunnel, or
//!   segments that the card puts together (LRO, GRO), as it does so differently for each copy.
//!
//! Bounds: a table of 512 KiB, one place a packet. A packet between the two copies that has the same
//! place hides the second: with `n` packets between them in `n / 65536` of cases. What is no copy
//! is taken for one with a chance of 2^-32 at most.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::time::Timestamp;

/// Copies come no further apart, either way: ports' queues reorder.
pub const APART: Duration = Duration::from_millis(2);

/// Bytes above the IP header that are compared: the longest TCP header and 12 more.
pub const ABOVE: usize = 72;

/// Places in the table: a power of two.
const PLACES: usize = 1 << 16;

/// Times are kept in units of 2^14 ns, so that 32 bits go round in 19 hours.
const UNIT: u32 = 14;

/// Recognises second copies. One thread's own; takes no memory after it is made.
pub struct Duplicates {
    /// Of the last packet with that place: 32 bits of its hash, and its time.
    seen: Box<[Seen]>,
    hasher: foldhash::quality::RandomState,
    count: u64,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    hash: u32,
    time: u32,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self {
            seen: vec![Seen::default(); PLACES].into_boxed_slice(),
            hasher: foldhash::quality::RandomState::default(),
            count: 0,
        }
    }
}

impl Duplicates {
    /// Copies recognised so far.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Whether an IP packet, captured at `time`, was seen before within [`APART`]. What is too short
    /// to say so, or is not IP, is no copy.
    #[inline]
    pub fn is_copy(&mut self, ip: &[u8], time: Timestamp) -> bool {
        let Some(hash) = self.hash(ip) else { return false };
        let Some(seen) = self.seen.get_mut(hash as usize % PLACES) else { return false };
        // 0 is a free place.
        let this = Seen { hash: ((hash >> 32) as u32).max(1), time: units(time) };
        let apart = this.time.wrapping_sub(seen.time);
        if seen.hash == this.hash && apart.min(apart.wrapping_neg()) <= APART_UNITS {
            self.count += 1;
            return true;
        }
        *seen = this;
        false
    }

    #[inline]
    fn hash(&self, ip: &[u8]) -> Option<u64> {
        let mut hasher = self.hasher.build_hasher();
        let (above, stated) = match ip.first()? >> 4 {
            4 => {
                let (header, _) = ip.split_first_chunk::<20>()?;
                let &[first, _, l0, l1, i0, i1, f0, f1, _, protocol, _, _, ref ends @ ..] = header;
                hasher.write_u64(u64::from_be_bytes([4, l0, l1, i0, i1, f0, f1, protocol]));
                hasher.write_u64(u64::from_ne_bytes(*ends));
                (usize::from(first & 0x0f) * 4, usize::from(u16::from_be_bytes([l0, l1])))
            }
            6 => {
                let (header, _) = ip.split_first_chunk::<40>()?;
                let &[_, _, _, _, l0, l1, next, _, ref ends @ ..] = header;
                hasher.write_u64(u64::from_be_bytes([6, l0, l1, next, 0, 0, 0, 0]));
                hasher.write(ends);
                (40, usize::from(u16::from_be_bytes([l0, l1])).saturating_add(40))
            }
            _ => return None,
        };
        // Padding of the link is not the packet's. A length of 0 was left to the network card.
        let end = if stated <= above { usize::MAX } else { stated };
        let end = end.min(above.saturating_add(ABOVE)).min(ip.len());
        hasher.write(ip.get(above..end)?);
        Some(hasher.finish())
    }
}

const APART_UNITS: u32 = (APART.as_nanos() >> UNIT) as u32;

const fn units(time: Timestamp) -> u32 {
    (time.as_nanos() >> UNIT) as u32
}

#[cfg(test)]
mod tests;
