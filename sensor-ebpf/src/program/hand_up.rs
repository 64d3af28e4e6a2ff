//! Hands packets up, whole, through a ring.

use aya_ebpf::bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP};
use aya_ebpf::cty::c_void;
use aya_ebpf::helpers::generated::{
    bpf_ktime_get_ns, bpf_ringbuf_discard, bpf_ringbuf_query, bpf_ringbuf_reserve,
    bpf_ringbuf_submit,
};
use egret_ebpf::{Handed, NO_SLOT, Totals, kind, size};

use crate::context::Context;
use crate::cursor::kept;
use crate::maps;

/// A reader is woken no more often than this, in nanoseconds.
const WAKE: u64 = 1_000_000;

const HEAD: usize = size_of::<Handed>();

/// The slot of a packet that goes up.
pub(crate) struct At {
    pub(crate) index: u32,
    pub(crate) sequence: u32,
    pub(crate) version: u32,
}

/// Of a packet that has none.
pub(crate) const NOWHERE: At = At { index: NO_SLOT, sequence: 0, version: 0 };

/// The map that a ring is.
#[inline(always)]
pub(crate) fn ring(number: u32) -> *mut c_void {
    let ring = match number {
        0 => &maps::RING0,
        1 => &maps::RING1,
        2 => &maps::RING2,
        3 => &maps::RING3,
        4 => &maps::RING4,
        5 => &maps::RING5,
        6 => &maps::RING6,
        _ => &maps::RING7,
    };
    core::ptr::from_ref(ring).cast_mut().cast()
}

/// Hands a packet up; false when there is no room.
#[inline(never)]
pub(crate) fn packet<C: Context>(
    context: &C,
    number: u32,
    wire_len: u32,
    at: &At,
    totals: &mut Totals,
) -> bool {
    let ring = ring(number);
    // SAFETY: the ring is one of the maps.
    let waiting = unsafe { bpf_ringbuf_query(ring, u64::from(BPF_RB_AVAIL_DATA)) };
    if waiting > maps::ring_room() {
        return false;
    }
    let length = context.length().min(maps::snaplen());
    // SAFETY: the helper has no conditions.
    let time = unsafe { bpf_ktime_get_ns() };
    let mut flags = BPF_RB_NO_WAKEUP;
    if waiting > maps::ring_wake() && time - totals.woken > WAKE {
        totals.woken = time;
        flags = BPF_RB_FORCE_WAKEUP;
    }
    let head = Handed {
        kind: kind::PACKET,
        captured: length,
        wire_len,
        vlan: context.vlan(),
        time,
        slot: at.index,
        sequence: at.sequence,
        version: at.version,
        unused: 0,
    };
    let flags = u64::from(flags);
    let size = length as usize + HEAD;
    if size <= size::HEADERS {
        put::<C, { size::HEADERS }>(context, ring, &head, flags)
    } else if size <= size::MESSAGE {
        put::<C, { size::MESSAGE }>(context, ring, &head, flags)
    } else if size <= size::FRAME {
        put::<C, { size::FRAME }>(context, ring, &head, flags)
    } else if size <= size::JUMBO {
        put::<C, { size::JUMBO }>(context, ring, &head, flags)
    } else {
        put::<C, { size::JOINED }>(context, ring, &head, flags)
    }
}

/// Writes a record of `SIZE` bytes.
#[inline(always)]
fn put<C: Context, const SIZE: usize>(
    context: &C,
    ring: *mut c_void,
    head: &Handed,
    flags: u64,
) -> bool {
    // SAFETY: the ring is one of the maps.
    let record = unsafe { bpf_ringbuf_reserve(ring, SIZE as u64, 0) };
    if record.is_null() {
        return false;
    }
    let room = (SIZE - HEAD) as u32;
    let length = head.captured.min(room);
    let mut head = *head;
    head.captured = length;
    // SAFETY: the record is longer than its head, and aligned to eight bytes.
    unsafe { record.cast::<Handed>().write(head) };
    // SAFETY: the record is longer than its head.
    let behind = unsafe { record.byte_add(HEAD) };
    // Verifiers before Linux 6.8 do not learn that a number is not zero from its being asked, and a length
    // must not be: one less has a bound that holds by itself.
    let last = (kept(length.wrapping_sub(1) as usize) as u32).min(room - 1);
    // SAFETY: there is room for so many bytes.
    let is_there = length > 0 && unsafe { context.copy(behind, last + 1) };
    if is_there {
        // SAFETY: it was reserved above, and is written as far as its head says.
        unsafe { bpf_ringbuf_submit(record, flags) };
    } else {
        // SAFETY: it was reserved above.
        unsafe { bpf_ringbuf_discard(record, u64::from(BPF_RB_NO_WAKEUP)) };
    }
    is_there
}
