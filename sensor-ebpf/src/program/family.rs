//! What IPv4 and IPv6 flows differ in.

use aya_ebpf::maps::Array;
use egret_ebpf::{Key, Set, Touched, kind};

use crate::maps;

/// An odd number whose products spread well: the fraction of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// An address of one of the two versions of IP.
pub(crate) trait Family: Copy + 'static {
    /// IP's version.
    const VERSION: u32;
    /// The kind of an eviction's record.
    const EVICTED: u32;
    /// The table.
    fn slots() -> &'static Array<Set<Key<Self>>>;
    /// Which blocks of it were touched.
    fn touched() -> &'static Array<Touched>;
    /// Sets in one ring's share of one processor's part.
    fn sets() -> u32;
    /// One end of a flow.
    fn end(self, port: [u8; 2]) -> u64;
    /// The address as the overflow maps have it.
    fn widened(self) -> [u8; 16];
}

/// A number for a key's flow, the same for both directions, and 0 or 1 for the direction.
#[inline(always)]
pub(crate) fn hash<A: Family>(key: &Key<A>) -> (u64, u32) {
    let from = key.source.end(key.source_port);
    let to = key.destination.end(key.destination_port);
    let (low, high, direction) = if from <= to { (from, to, 0) } else { (to, from, 1) };
    (mix(mix(low, high), u64::from(key.protocol)), direction)
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

impl Family for [u8; 4] {
    const VERSION: u32 = 4;
    const EVICTED: u32 = kind::EVICTED_4;

    #[inline(always)]
    fn slots() -> &'static Array<Set<Key<Self>>> {
        &maps::SLOTS4
    }

    #[inline(always)]
    fn touched() -> &'static Array<Touched> {
        &maps::TOUCHED4
    }

    #[inline(always)]
    fn sets() -> u32 {
        maps::sets4()
    }

    #[inline(always)]
    fn end(self, port: [u8; 2]) -> u64 {
        u64::from(u32::from_ne_bytes(self)) << 16 | u64::from(u16::from_ne_bytes(port))
    }

    #[inline(always)]
    fn widened(self) -> [u8; 16] {
        let [a, b, c, d] = self;
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
    }
}

impl Family for [u8; 16] {
    const VERSION: u32 = 6;
    const EVICTED: u32 = kind::EVICTED_6;

    #[inline(always)]
    fn slots() -> &'static Array<Set<Key<Self>>> {
        &maps::SLOTS6
    }

    #[inline(always)]
    fn touched() -> &'static Array<Touched> {
        &maps::TOUCHED6
    }

    #[inline(always)]
    fn sets() -> u32 {
        maps::sets6()
    }

    #[inline(always)]
    fn end(self, port: [u8; 2]) -> u64 {
        let address = u128::from_ne_bytes(self);
        mix((address >> 64) as u64 ^ u64::from(u16::from_ne_bytes(port)), address as u64)
    }

    #[inline(always)]
    fn widened(self) -> [u8; 16] {
        self
    }
}
