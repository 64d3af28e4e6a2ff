//! How much of the table is in use: more, when flows push out each other; less, when long none did.
//!
//! A flow whose place changes with that gets another slot there, and its first packet goes up as any
//! flow's; what the old slot holds is told from where it is.

use egret_ebpf::{LEAST_PAIRS, Totals};

use crate::family::Family;

/// A flow that had a packet within so many nanoseconds would rather have kept its slot.
const RECENT: u64 = 5_000_000_000;

/// There is no room to spare while more than one packet of so many pushes such a flow out.
const RARE: u64 = 64;

/// After so many packets without that, there is.
const LONG: u64 = 1 << 28;

/// A flow takes the slot of one that had its last packet at `last`.
#[inline(always)]
pub(crate) fn met<A: Family>(last: u64, now: u64, totals: &mut Totals) {
    let in_use = &mut totals.in_use;
    let mask = in_use.mask | (LEAST_PAIRS - 1);
    let packets = totals.packets - in_use.since;
    if now.saturating_sub(last) > RECENT {
        if packets > LONG {
            in_use.mask = mask >> 1;
            in_use.crowded = 0;
            in_use.since = totals.packets;
        }
        return;
    }
    in_use.crowded += 1;
    if in_use.crowded < mask / 16 {
        return;
    }
    if u64::from(in_use.crowded) * RARE > packets && mask < A::sets() / 2 - 1 {
        in_use.mask = mask << 1 | 1;
    }
    in_use.crowded = 0;
    in_use.since = totals.packets;
}
