//! What is done with the first packets of a flow: learning what no count tells, and showing them to whoever
//! keeps them. Which they are is known from bytes of the slot that every packet reads anyway.

use super::index::SlotId;
use super::slot::{Cold, MET, Slot, of};
use super::{Direction, Observer, Table, looking};
use crate::decode::{Packet, tcp_flags};

/// How much of each flow's beginning is shown to [`Observer::first`].
#[derive(Debug, Clone, Copy, Default)]
pub struct First {
    /// Packets.
    pub packets: u8,
    /// Bytes of their frames, as far as the observer takes them.
    pub bytes: u16,
}

impl Slot {
    /// Shows one of the flow's first packets, unless it is a second copy or a bare acknowledgment: these say
    /// nothing, and where the kernel counts them they are not seen at all.
    #[inline]
    pub(super) fn show<O: Observer>(&mut self, cold: &Cold, packet: &Packet<'_>, observer: &mut O) {
        if packet.copy || is_bare(packet) {
            return;
        }
        let taken = observer.first(cold.id, packet, usize::from(self.first_bytes));
        if taken == 0 {
            return;
        }
        self.first_packets = self.first_packets.saturating_sub(1);
        let is_last = self.first_packets == 0;
        self.first_bytes = if is_last { 0 } else { self.first_bytes.saturating_sub(taken as u16) };
    }
}

/// Whether a segment only acknowledges.
fn is_bare(packet: &Packet<'_>) -> bool {
    const TELLING: u8 = tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST;
    packet.payload_wire_len == 0 && packet.tcp.is_some_and(|tcp| tcp.flags & TELLING == 0)
}

impl Table {
    /// Shows so much of the beginning of each flow that opens from here on; nothing unless this is said.
    pub const fn show_first(&mut self, first: First) {
        self.first = first;
    }

    /// Learns what the first packets of a direction tell beyond their counts.
    pub(super) fn meet<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        direction: Direction,
        observer: &mut O,
    ) {
        let (Some(slot), Some(cold)) =
            (self.slots.one(id as usize), self.cold.get_mut(id as usize))
        else {
            return;
        };
        if slot.seen & of(&MET, direction) != 0 {
            return;
        }
        if of(&cold.looked, direction) == 0 {
            if of(&cold.looked, direction.reverse()) == 0 {
                let tunnel = self.tunnels.of(packet);
                cold.source = self.sources.of(cold.interface, tunnel.as_deref());
                cold.meet(packet, tunnel);
            }
            cold.meet_sender(packet, direction);
        }
        if !looking::may_carry(packet) || !self.look_into(id, packet, direction, observer) {
            self.met(id, direction);
        }
    }

    /// No packet of this direction need be looked at any more.
    pub(super) fn met(&mut self, id: SlotId, direction: Direction) {
        if let Some(slot) = self.slots.one(id as usize) {
            slot.seen |= of(&MET, direction);
        }
    }
}
