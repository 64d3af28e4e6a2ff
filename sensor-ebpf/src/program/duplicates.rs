//! Second copies of packets, as a mirror of both ports of a path gives them: the same IP packet again
//! within some ms. Told by what user space tells them by, see `egret::decode::duplicates`: addresses,
//! protocol, lengths, identification, and the first bytes above the IP header.
//!
//! A place for each packet of the last milliseconds is more than processors keep close by, and looking
//! there costs as much as all the rest: so this is done only while there are copies. User space sees
//! those of packets that go up, and says so; with no copy among many packets it says that there are none.
//!
//! Time is counted in the kernel's ticks here, as reading a better clock costs a third of all that is
//! done for a packet: what comes in the same tick or the next is a copy, so within 4 to 8 ms as most
//! kernels are made (250 ticks a second).

use egret_ebpf::DUPLICATE_PLACES;

use crate::cursor::Cursor;
use crate::family::mix;
use crate::ip::{TCP, UDP};
use crate::maps;

/// Copies come no further apart, in units of 2^20 ns: a tick where there are 250 a second.
const APART: u32 = 4;

/// Bytes that are compared above the IP header, where a checksum over all of it is among them.
const SUMMED: u32 = 32;

/// The like of everything else: in a tunnel they reach the inner packet's transport header.
const BARE: u32 = 128;

/// What is above a header that states no length, as it was left to the network card: more than that.
const UNSTATED: u32 = BARE;

/// Whether the IP packet at the cursor was seen on this processor a moment before `now`.
#[inline(always)]
pub(crate) fn is_copy(ip: Cursor, version: u32, now: u64) -> bool {
    let hash = if version == 4 { v4(ip) } else { v6(ip) };
    let Some(hash) = hash else { return false };
    let place = maps::processor() * DUPLICATE_PLACES + (hash as u32 & (DUPLICATE_PLACES - 1));
    let Some(place) = maps::SEEN.get_ptr_mut(place) else { return false };
    // The upper half of the hash; below it the time in units of 2^20 ns.
    let this = hash & 0xffff_ffff_0000_0000 | (now >> 20) & 0xffff_ffff;
    // SAFETY: the place is in this processor's part.
    let seen = unsafe { &mut *place };
    let apart = (this as u32).wrapping_sub(*seen as u32);
    let is_copy = (*seen ^ this) >> 32 == 0 && apart <= APART;
    // The time of the first stays: of equal packets that come one after the other for ever, those that
    // are not close to it count again.
    if !is_copy {
        *seen = this;
    }
    is_copy
}

#[inline(always)]
fn v4(ip: Cursor) -> Option<u64> {
    /// All but DSCP and ECN.
    const START: u64 = u64::from_le_bytes([0xff, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let start: u64 = ip.peek(0)?;
    let protocol: u8 = ip.peek(9)?;
    let ends: u64 = ip.peek(12)?;
    let header = mix(u64::from_le(start) & START ^ u64::from(protocol) << 8, ends);
    let length = u32::from(ip.peek::<u8>(0)? & 0x0f) * 4;
    let left = match ip.short(2)? {
        0 => UNSTATED,
        stated => u32::from(stated).saturating_sub(length),
    };
    let mut above = ip;
    above.skip(length)?;
    Some(words(header, above, protocol, left))
}

#[inline(always)]
fn v6(ip: Cursor) -> Option<u64> {
    /// Version, payload length and next header.
    const START: u64 = u64::from_le_bytes([0xf0, 0, 0, 0, 0xff, 0xff, 0xff, 0]);
    let start: u64 = ip.peek(0)?;
    let [a, b, c, d] = ip.words(8)?;
    let header = mix(mix(u64::from_le(start) & START ^ a, b) ^ c, d);
    let protocol: u8 = ip.peek(6)?;
    let left = match ip.short(4)? {
        0 => UNSTATED,
        stated => u32::from(stated),
    };
    let mut above = ip;
    above.skip(40)?;
    Some(words(header, above, protocol, left))
}

/// Mixes in what is above the header, `left` bytes, as far as it is there; padding of the link is not.
#[inline(always)]
fn words(hash: u64, above: Cursor, protocol: u8, left: u32) -> u64 {
    let is_summed = match protocol {
        TCP => true,
        UDP => above.short(6).is_some_and(|sum| sum != 0),
        _ => false,
    };
    if is_summed
        && left >= SUMMED
        && let Some([a, b, c, d]) = above.words(0)
    {
        return mix(mix(hash ^ a, b) ^ c, d);
    }
    bare(hash, &above, left)
}

/// The like of what has no checksum that tells its bytes apart, or is short.
#[inline(never)]
fn bare(mut hash: u64, above: &Cursor, left: u32) -> u64 {
    const CHUNK: u32 = 16;
    let left = left.min(BARE);
    let mut at = 0;
    while at < BARE {
        let chunk = if at + CHUNK <= left { above.words(at as usize) } else { None };
        let Some([a, b]) = chunk else { break };
        hash = mix(hash ^ a, b);
        at += CHUNK;
    }
    // Some bytes a second time cost less than fewer than sixteen.
    let mut end = *above;
    if left >= CHUNK && end.skip(left - CHUNK).is_some() {
        let [a, b] = end.words(0).unwrap_or_default();
        hash = mix(hash ^ a, b);
    } else if left >= 8 && end.skip(left - 8).is_some() {
        hash = mix(hash ^ above.peek::<u64>(0).unwrap_or(0), end.peek(0).unwrap_or(0));
    }
    mix(hash, u64::from(left))
}
