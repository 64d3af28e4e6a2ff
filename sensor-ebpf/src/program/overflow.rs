//! Counts packets of flows for which there is no slot, while there is no room to evict another.

use aya_ebpf::bindings::BPF_ANY;
use egret_ebpf::{Count, Key, Totals};

use crate::family::Family;
use crate::maps;
use crate::packet::Packet;

/// Counts a packet of `length` bytes.
#[inline(never)]
pub(crate) fn count<A: Family>(
    key: &Key<A>,
    packet: &Packet,
    length: u32,
    now: u64,
    totals: &mut Totals,
) {
    let map = if maps::control().epoch == 0 { &maps::OVERFLOW0 } else { &maps::OVERFLOW1 };
    let key = Key {
        source: key.source.widened(),
        destination: key.destination.widened(),
        source_port: key.source_port,
        destination_port: key.destination_port,
        protocol: key.protocol,
        unused: key.unused,
    };
    if let Some(known) = map.get_ptr_mut(key) {
        // SAFETY: the pointer is to this processor's own value, which user space reads when it is
        // written no more.
        let known = unsafe { &mut *known };
        known.packets += 1;
        known.bytes += u64::from(length);
        known.tcp_flags |= u32::from(packet.tcp_flags);
        known.last = now;
        totals.overflow += 1;
        return;
    }
    let first = Count {
        packets: 1,
        bytes: u64::from(length),
        first: now,
        last: now,
        tcp_flags: u32::from(packet.tcp_flags),
        handed: 0,
    };
    if map.insert(key, first, u64::from(BPF_ANY)).is_ok() {
        totals.overflow += 1;
    } else {
        totals.unattributed += 1;
        totals.unattributed_bytes += u64::from(length);
    }
}
