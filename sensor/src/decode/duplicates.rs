//! Second copies of packets: a mirror of both ports of a path gives every packet twice.
//!
//! Copies come within [`APART`] of each other and are the same IP packet, though a router may have
//! counted its time to live down, and link header, VLAN, padding, DSCP and ECN may differ. Compared
//! are, by a seeded hash: addresses, protocol, lengths, IPv4's identification and fragment, and of
//! what is above the IP header
//! - the first [`SUMMED`] bytes, where a checksum over all of it is among them: TCP's header with
//!   sequence numbers and timestamps, or UDP's with 24 bytes of payload;
//! - else the first [`BARE`] bytes, which in a tunnel reach the inner packet's transport header.
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
//!   are not recognised. Nor are copies on both sides of address translation, or segments that the
//!   card puts together (LRO, GRO), as it does so differently for each copy.
//! - Two hosts that mirror the same packet wrap it in tunnels of their own: what comes through one is
//!   compared by the packet inside, too.
//!
//! Bounds: a table of 512 KiB, one place a packet. A packet between the two copies that has the same
//! place hides the second: with `n` packets between them in `n / 65536` of cases. Of the hash 16
//! bits choose the place and 32 others are kept there, so what is no copy is taken for one with a
//! chance of 2^-32 at most. Words are mixed by the folded multiplication of wyhash and foldhash, with
//! words that only this process knows: nobody outside can look for packets with equal hashes. What
//! must come out the same each time is compared with [`Duplicates::seeded`] ones.

use std::hash::BuildHasher;
use std::time::Duration;

use super::protocol;
use crate::time::Timestamp;

/// Copies come no further apart, either way: ports' queues reorder.
pub const APART: Duration = Duration::from_millis(2);

/// What is remembered for so long says whether a packet was here before, though not that it is a second
/// copy: mirrors that are wrapped and sent elsewhere come late.
pub const MOMENTS: Duration = Duration::from_secs(1);

/// Bytes above the IP header that are compared of TCP, and of UDP with a checksum.
pub const SUMMED: usize = 2 * CHUNK;

/// Bytes above the IP header that are compared of everything else.
pub const BARE: usize = 8 * CHUNK;

/// Bytes that one multiplication mixes.
const CHUNK: usize = 16;

/// Of the first eight bytes of an IPv4 header all but DSCP and ECN: header length, total length,
/// identification, fragment.
const V4: u64 = u64::from_le_bytes([0xff, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/// Of the first eight bytes of an IPv6 header version, payload length and next header.
const V6: u64 = u64::from_le_bytes([0xf0, 0, 0, 0, 0xff, 0xff, 0xff, 0]);

/// Places in the table: a power of two.
const PLACES: usize = 1 << 16;

/// Times are kept in units of 2^14 ns, so that 32 bits go round in 19 hours.
const UNIT: u32 = 14;

/// Recognises second copies. One thread's own; takes no memory after it is made.
pub struct Duplicates {
    /// Of the last packet with that place: 32 bits of its hash, and its time.
    seen: Box<[Seen]>,
    /// What words are mixed with.
    seed: [u64; 3],
    count: u64,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    hash: u32,
    time: u32,
}

impl Default for Duplicates {
    /// With words that differ in each process.
    fn default() -> Self {
        Self::mixing(&foldhash::quality::RandomState::default())
    }
}

impl Duplicates {
    /// Which copy is hidden by a packet between the two is the same for the same packets and `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::mixing(&foldhash::quality::FixedState::with_seed(seed))
    }

    fn mixing(words: &impl BuildHasher) -> Self {
        Self {
            seen: vec![Seen::default(); PLACES].into_boxed_slice(),
            seed: [0, 1, 2].map(|number: u8| words.hash_one(number)),
            count: 0,
        }
    }

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
        let this = Seen { hash: (hash >> 32) as u32, time: units(time) };
        let apart = this.time.wrapping_sub(seen.time);
        if seen.hash == this.hash && apart.min(apart.wrapping_neg()) <= APART_UNITS {
            self.count += 1;
            return true;
        }
        *seen = this;
        false
    }

    /// Whether the packet with this [`Duplicates::hash`] was seen within [`MOMENTS`] of `time`, as far as
    /// is still known; this asks, and changes nothing.
    pub fn was_seen(&self, hash: u64, time: Timestamp) -> bool {
        let seen = self.seen.get(hash as usize % PLACES).copied().unwrap_or_default();
        let apart = units(time).wrapping_sub(seen.time);
        seen.hash == (hash >> 32) as u32 && apart.min(apart.wrapping_neg()) <= MOMENTS_UNITS
    }

    /// What an IP packet is told by; `None` of what is too short to say so, or is not IP.
    #[inline]
    pub fn hash(&self, ip: &[u8]) -> Option<u64> {
        let [a, b, c] = self.seed;
        let header: &[u8; 20] = ip.first_chunk()?;
        let start = u64::from_le_bytes(*header.first_chunk()?);
        let &[first, _, l0, l1, n0, n1, n2, _, _, protocol, _, _, ref ends @ ..] = header;
        let (header, protocol, above, stated) = match first >> 4 {
            4 => {
                let header =
                    fold(start & V4 ^ u64::from(protocol) << 8 ^ a, u64::from_le_bytes(*ends) ^ b);
                let stated = u16::from_be_bytes([l0, l1]);
                (header, protocol, usize::from(first & 0x0f) * 4, usize::from(stated))
            }
            6 => {
                let (_, ends) = ip.split_first_chunk::<8>()?;
                let (source, rest) = ends.split_first_chunk()?;
                let ends = self.mix(self.mix(b, source), rest.first_chunk()?);
                let stated = u16::from_be_bytes([n0, n1]);
                (fold(start & V6 ^ a, ends ^ c), n2, 40, usize::from(stated) + 40)
            }
            _ => return None,
        };
        let rest = ip.get(above..)?;
        match rest.first_chunk::<SUMMED>() {
            Some(first) if stated >= above + SUMMED && is_summed(protocol, first) => {
                let chunks = first.as_chunks().0;
                Some(chunks.iter().fold(header, |hash, chunk| self.mix(hash, chunk)))
            }
            _ => {
                // Padding of the link is not the packet's. A length of 0 was left to the network card.
                let length = if stated > above { stated - above } else { BARE };
                Some(self.bytes(header, rest.get(..length.min(BARE)).unwrap_or(rest)))
            }
        }
    }

    /// The hash of a header's and these bytes above it.
    #[inline]
    fn bytes(&self, header: u64, bytes: &[u8]) -> u64 {
        let (chunks, rest) = bytes.as_chunks();
        let hash = chunks.iter().fold(header, |hash, chunk| self.mix(hash, chunk));
        // Some bytes a second time cost less than fewer than sixteen.
        let last = bytes.last_chunk().copied().unwrap_or_else(|| padded(rest));
        self.mix(hash, &last)
    }

    #[inline]
    fn mix(&self, hash: u64, chunk: &[u8; CHUNK]) -> u64 {
        let [_, _, c] = self.seed;
        let words = u128::from_le_bytes(*chunk);
        fold(words as u64 ^ hash, (words >> 64) as u64 ^ c)
    }
}

/// Whether a packet's checksum tells its contents apart, and not only its first bytes do.
#[inline]
const fn is_summed(protocol: u8, above: &[u8; SUMMED]) -> bool {
    match protocol {
        protocol::TCP => true,
        protocol::UDP => !matches!(above, [_, _, _, _, _, _, 0, 0, ..]),
        _ => false,
    }
}

/// Both halves of a product in one word: each bit of it depends on all bits of both factors.
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

fn padded(bytes: &[u8]) -> [u8; CHUNK] {
    let mut chunk = [0; CHUNK];
    for (to, from) in chunk.iter_mut().zip(bytes) {
        *to = *from;
    }
    chunk
}

const APART_UNITS: u32 = (APART.as_nanos() >> UNIT) as u32;

const MOMENTS_UNITS: u32 = (MOMENTS.as_nanos() >> UNIT) as u32;

const fn units(time: Timestamp) -> u32 {
    (time.as_nanos() >> UNIT) as u32
}

#[cfg(test)]
mod tests;
