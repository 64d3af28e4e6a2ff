//! Counts a packet to its flow, or hands it up.

use core::sync::atomic::{Ordering, compiler_fence};

use egret_ebpf::{Key, MUCH, Slot, Totals};

use crate::context::Context;
use crate::crowding;
use crate::family::{self, Family};
use crate::hand_up::{self, At};
use crate::interest::{self, Known};
use crate::overflow;
use crate::packet::{Packet, wire_len};
use crate::table::{self, Found, Looked, Place};

/// After so many nanoseconds without a packet, user space may have forgotten a flow: most timeouts are
/// no shorter, and a packet seen once more does no harm.
const QUIET: u64 = 30_000_000_000;

/// Counts a packet of a flow with this key, of a frame with this length on the wire that came now.
#[inline(always)]
pub(crate) fn count<A: Family>(
    context: &impl Context,
    packet: &Packet,
    key: &Key<A>,
    (on_wire, now): (u32, u64),
    totals: &mut Totals,
) {
    let (hash, direction) = family::hash(key);
    let place = Place::of::<A>(hash, direction, &totals.in_use);
    let length = wire_len(context, packet.begin, packet.end, packet.headers);
    let Some((found, is_first)) = slot(packet, key, place, now, totals) else {
        return overflow::count(key, packet, length, now, totals);
    };
    let Found { slot, index } = found;
    let is_first = is_first || now.saturating_sub(slot.count.last) > QUIET;
    let known = Known { is_first, is_read: slot.read == slot.sequence, count: &slot.count };
    if interest::is_wanted(packet, &known) {
        let at = At { index, sequence: slot.sequence, version: A::VERSION };
        if hand_up::packet(context, place.ring, on_wire, &at, totals) {
            slot.count.handed = slot.count.handed.saturating_add(packet.payload);
            slot.count.last = now;
            totals.handed += 1;
            totals.handed_bytes += u64::from(on_wire);
            return;
        }
        totals.ring_full += 1;
    }
    let much = add(slot, packet, length, now);
    table::touch::<A>(index, much);
}

/// The slot of a packet's direction of its flow, and whether it was taken just now; `None` when all
/// are others' and there is no room to tell of one.
#[inline(always)]
fn slot<A: Family>(
    packet: &Packet,
    key: &Key<A>,
    place: Place,
    now: u64,
    totals: &mut Totals,
) -> Option<(Found<Key<A>>, bool)> {
    match table::look(place, key) {
        Looked::Found(found) if interest::opens(packet) => {
            // What was counted so far belongs to the connection before, in both directions.
            if let Looked::Found(other) = table::look(place.reversed(), &key.reversed())
                && table::evict(other.slot, other.index, place.ring, 1, totals)
            {
                table::take(other.slot, &key.reversed(), now, totals);
            }
            if table::evict(found.slot, found.index, place.ring, 1, totals) {
                table::take(found.slot, key, now, totals);
            }
            Some((found, true))
        }
        Looked::Found(found) => Some((found, false)),
        Looked::Victim(victim) => {
            crowding::met::<A>(victim.slot.count.last, now, totals);
            if !table::evict(victim.slot, victim.index, place.ring, 0, totals) {
                return None;
            }
            table::take(victim.slot, key, now, totals);
            Some((victim, true))
        }
        Looked::Nowhere => None,
    }
}

/// Counts a packet in its slot; whether its flow has counted much with it.
#[inline(always)]
fn add<K>(slot: &mut Slot<K>, packet: &Packet, length: u32, now: u64) -> bool {
    let count = &mut slot.count;
    let before = count.bytes;
    if count.packets == 0 {
        count.first = now;
    }
    count.bytes += u64::from(length);
    count.tcp_flags |= u32::from(packet.tcp_flags);
    count.last = now;
    // Last, and really then: by its packets user space sees that there is more in a slot.
    compiler_fence(Ordering::SeqCst);
    count.packets += 1;
    (before ^ count.bytes) >= MUCH
}
