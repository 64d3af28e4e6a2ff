//! What is done with the first packets of a flow: learning what no count tells, and showing them to whoever
//! keeps them. Which they are is known from bytes of the slot that every packet reads anyway.

use super::index::SlotId;
use super::slot::{MET, of};
use super::{Direction, Observer, Table, View, looking};
use crate::decode::Packet;

/// How much of each flow's beginning is shown to [`Observer::first`].
#[derive(Debug, Clone, Copy, Default)]
pub struct First {
    /// Packets.
    pub packets: u8,
    /// Bytes of their frames, as far as the observer takes them.
    pub bytes: u16,
}

impl Table {
    /// Shows so much of the beginning of each flow that opens from here on; nothing unless this is said.
    pub const fn show_first(&mut self, first: First) {
        self.first = first;
    }

    /// Shows one of a flow's first packets, unless it is a second copy.
    #[inline]
    pub(super) fn show_packet<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        observer: &mut O,
    ) {
        let (Some(slot), Some(cold)) = (self.slots.one(id as usize), self.cold.get(id as usize))
        else {
            return;
        };
        if packet.copy {
            return;
        }
        let room = slot.first_bytes;
        let taken = observer.first(&View { id, slot, cold }, packet, usize::from(room));
        slot.first_packets = slot.first_packets.saturating_sub(1);
        let is_last = slot.first_packets == 0;
        slot.first_bytes = if is_last { 0 } else { room.saturating_sub(taken as u16) };
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
