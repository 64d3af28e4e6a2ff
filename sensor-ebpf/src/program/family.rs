//! What IPv4 and IPv6 flows differ in.

use aya_ebpf::maps::Array;
use egret_ebpf::{Key4, Key6, Set, kind};

use crate::maps;

/// An odd number whose products spread well: the fraction of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A key of one of the two tables.
pub(crate) trait Family: Copy + 'static {
    /// IP's version.
    const VERSION: u32;
    /// The kind of an eviction's record.
    const EVICTED: u32;
    /// The table.
    fn slots() -> &'static Array<Set<Self>>;
    /// Which blocks of it were touched.
    fn touched() -> &'static Array<u64>;
    /// Sets in one ring's share of one processor's part.
    fn sets() -> u32;
    /// A number for the flow, the same for both directions, and 0 or 1 for the direction.
    fn hash(&self) -> (u64, u32);
    /// The other direction's key.
    fn reversed(&self) -> Self;
    /// The key as the overflow maps have it.
    fn widened(&self) -> Key6;
}

/// Mixes two words: each bit of both moves the upper half of the result.
///
/// Secrets are added to what is multiplied (NH of RFC 4418), so that nobody who does not know them finds
/// words that come to the same. (With a constant factor the highest bit of a word moves the highest
/// one of its product, whatever the secret is.)
#[inline(always)]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let sum = product(a, maps::seed()).wrapping_add(product(b, maps::seed2()));
    let mixed = (sum ^ (sum >> 32)).wrapping_mul(GOLDEN);
    mixed ^ (mixed >> 29)
}

/// Of both halves of a word, each with a half of the secret added.
#[inline(always)]
fn product(word: u64, secret: u64) -> u64 {
    let low = (word as u32).wrapping_add(secret as u32);
    let high = ((word >> 32) as u32).wrapping_add((secret >> 32) as u32);
    u64::from(low) * u64::from(high)
}

/// The flow between two ends, whichever sends.
#[inline(always)]
fn between(from: u64, to: u64, protocol: u8) -> (u64, u32) {
    let (low, high, direction) = if from <= to { (from, to, 0) } else { (to, from, 1) };
    (mix(mix(low, high), u64::from(protocol)), direction)
}

impl Family for Key4 {
    const VERSION: u32 = 4;
    const EVICTED: u32 = kind::EVICTED_4;

    #[inline(always)]
    fn slots() -> &'static Array<Set<Self>> {
        &maps::SLOTS4
    }

    #[inline(always)]
    fn touched() -> &'static Array<u64> {
        &maps::TOUCHED4
    }

    #[inline(always)]
    fn sets() -> u32 {
        maps::sets4()
    }

    #[inline(always)]
    fn hash(&self) -> (u64, u32) {
        let end = |address, port| {
            u64::from(u32::from_ne_bytes(address)) << 16 | u64::from(u16::from_ne_bytes(port))
        };
        between(
            end(self.source, self.source_port),
            end(self.destination, self.destination_port),
            self.protocol,
        )
    }

    #[inline(always)]
    fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..*self
        }
    }

    #[inline(always)]
    fn widened(&self) -> Key6 {
        let mapped = |[a, b, c, d]: [u8; 4]| [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d];
        Key6 {
            source: mapped(self.source),
            destination: mapped(self.destination),
            source_port: self.source_port,
            destination_port: self.destination_port,
            protocol: self.protocol,
            unused: [0; 3],
        }
    }
}

impl Family for Key6 {
    const VERSION: u32 = 6;
    const EVICTED: u32 = kind::EVICTED_6;

    #[inline(always)]
    fn slots() -> &'static Array<Set<Self>> {
        &maps::SLOTS6
    }

    #[inline(always)]
    fn touched() -> &'static Array<u64> {
        &maps::TOUCHED6
    }

    #[inline(always)]
    fn sets() -> u32 {
        maps::sets6()
    }

    #[inline(always)]
    fn hash(&self) -> (u64, u32) {
        let end = |address: [u8; 16], port| {
            let address = u128::from_ne_bytes(address);
            mix((address >> 64) as u64 ^ u64::from(u16::from_ne_bytes(port)), address as u64)
        };
        between(
            end(self.source, self.source_port),
            end(self.destination, self.destination_port),
            self.protocol,
        )
    }

    #[inline(always)]
    fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..*self
        }
    }

    #[inline(always)]
    fn widened(&self) -> Key6 {
        *self
    }
}
