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

/// Whether the IP packet at the cursor, of which so many bytes are there, was seen on this processor a
/// moment before `now`.
#[inline(always)]
pub(crate) fn is_copy(ip: Cursor, there: u32, version: u32, now: u64) -> bool {
    let hash = if version == 4 { v4(ip, there) } else { v6(ip, there) };
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
fn v4(ip: Cursor, there: u32) -> Option<u64> {
    /// All but DSCP and ECN.
    const START: u64 = u64::from_le_bytes([0xff, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let start: u64 = ip.peek(0)?;
    let protocol: u8 = ip.peek(9)?;
    let ends: u64 = ip.peek(12)?;
    let hash = mix(u64::from_le(start) & START ^ u64::from(protocol) << 8, ends);
    let first: u8 = ip.peek(0)?;
    let header = u32::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < 20 {
        return None;
    }
    let end = end(u32::from(ip.short(2)?), header, there);
    words(hash, ip, protocol, (header, end))
}

#[inline(always)]
fn v6(ip: Cursor, there: u32) -> Option<u64> {
    const HEADER: u32 = 40;
    /// Version, payload length and next header.
    const START: u64 = u64::from_le_bytes([0xf0, 0, 0, 0, 0xff, 0xff, 0xff, 0]);
    let start: u64 = ip.peek(0)?;
    let [a, b, c, d] = ip.words(8)?;
    let hash = mix(mix(u64::from_le(start) & START ^ a, b) ^ c, d);
    let first: u8 = ip.peek(0)?;
    if first >> 4 != 6 {
        return None;
    }
    let protocol: u8 = ip.peek(6)?;
    let end = end(HEADER + u32::from(ip.short(4)?), HEADER, there);
    words(hash, ip, protocol, (HEADER, end))
}

/// Where a packet of a stated length ends, of which so many bytes are there: padding of the link is not
/// the packet's, and a length that leaves nothing above the header was left to the network card.
#[inline(always)]
fn end(stated: u32, header: u32, there: u32) -> u32 {
    if stated > header && stated < there { stated } else { there }
}

/// Mixes in what is above the header, from there to the packet's end.
#[inline(always)]
fn words(hash: u64, ip: Cursor, protocol: u8, (header, end): (u32, u32)) -> Option<u64> {
    let mut above = ip;
    above.skip(header)?;
    let left = end.checked_sub(header)?;
    let is_summed = match protocol {
        TCP => true,
        UDP => above.short(6).is_some_and(|sum| sum != 0),
        _ => false,
    };
    if is_summed
        && left >= SUMMED
        && let Some([a, b, c, d]) = above.words(0)
    {
        return Some(mix(mix(hash ^ a, b) ^ c, d));
    }
    Some(bare(hash, &ip, header, left))
}

/// The like of what has no checksum that tells its bytes apart, or is short.
#[inline(never)]
fn bare(mut hash: u64, ip: &Cursor, header: u32, left: u32) -> u64 {
    const WORD: u32 = 8;
    const CHUNK: u32 = 2 * WORD;
    let left = left.min(BARE);
    let mut above = *ip;
    if above.skip(header).is_none() {
        return hash;
    }
    let mut at = 0;
    while at < BARE {
        let chunk = if at + CHUNK <= left { above.words(at as usize) } else { None };
        let Some([a, b]) = chunk else { break };
        hash = mix(hash ^ a, b);
        at += CHUNK;
    }
    // Some bytes a second time cost less than fewer than sixteen; of fewer than eight, the header's last.
    let mut end = *ip;
    if left >= CHUNK {
        if end.skip_sum(header + left - CHUNK).is_some() {
            let [a, b] = end.words(0).unwrap_or_default();
            hash = mix(hash ^ a, b);
        }
    } else if end.skip_sum(header + left - WORD).is_some() {
        let first = if left > WORD { above.peek(0).unwrap_or(0) } else { 0_u64 };
        hash = mix(hash ^ first, end.peek(0).unwrap_or(0));
    }
    mix(hash, u64::from(left))
}
