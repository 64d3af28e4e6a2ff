//! Hands UDP payloads to the observer, those in fragments once they are put together.

use std::hash::BuildHasher;

use super::index::{SlotId, Tag};
use super::key::Direction;
use super::reassembly::Kept;
use super::table::Looked;
use super::{Observer, Table, View};
use crate::decode::{Fragment, Packet};
use crate::time::Timestamp;

impl Table {
    #[inline]
    pub(super) fn datagram<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        looked: &Looked,
        observer: &mut O,
    ) {
        match packet.fragment {
            None => {
                let cut = packet.payload_wire_len as usize > packet.payload.len();
                self.show_datagram(id, self.now, looked.direction, packet.payload, cut, observer);
            }
            Some(fragment) => self.fragment(id, packet, fragment, looked, observer),
        }
    }

    /// A datagram in fragments is shown once it is whole or, if it is none that is put together,
    /// as far as its first fragment goes.
    #[cold]
    fn fragment<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        fragment: Fragment,
        looked: &Looked,
        observer: &mut O,
    ) {
        let (at, from) = (self.now, looked.direction);
        match self.reassembly.keep(packet, fragment, looked.key, from) {
            Kept::Whole(payload) => self.show_datagram(id, at, from, &payload, false, observer),
            Kept::No if fragment.is_first() => {
                self.show_datagram(id, at, from, packet.payload, true, observer);
            }
            Kept::No | Kept::Waits => {}
        }
    }

    /// Shows what came of datagrams that have waited too long at `until`.
    pub(super) fn give_up<O: Observer>(
        &mut self,
        until: Timestamp,
        at: Timestamp,
        observer: &mut O,
    ) {
        while let Some((key, from, payload)) = self.reassembly.overdue(until) {
            let tag = self.hasher.hash_one(key) as Tag;
            if let Some(id) = self.find(&Looked { key, direction: from, tag, likely: None }) {
                self.show_datagram(id, at, from, &payload, true, observer);
            }
        }
    }

    #[inline]
    fn show_datagram<O: Observer>(
        &mut self,
        id: SlotId,
        at: Timestamp,
        from: Direction,
        bytes: &[u8],
        cut: bool,
        observer: &mut O,
    ) {
        if !bytes.is_empty()
            && let (Some(slot), Some(cold)) =
                (self.slots.one(id as usize), self.cold.get(id as usize))
            && let Some(client) = observer.datagram(&View { id, slot, cold }, at, from, bytes, cut)
        {
            slot.be_sure(client);
        }
    }
}
