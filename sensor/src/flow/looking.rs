//! Looks into the first datagrams of each direction for whole packets: copies that somebody sends on in a
//! wrapping that no port tells.

use std::hash::BuildHasher;

use super::index::{SlotId, Tag};
use super::key::{Direction, Key};
use super::slot::{of, of_mut};
use super::table::Looked;
use super::{Observer, Table, View};
use crate::capture::{Frame, LinkType};
use crate::decode::{self, Packet, dns, inside, protocol};
use crate::intake::syslog;

/// What a direction may cost in all, and what each datagram does: four that carry nothing, or as many as
/// four times sixteen that carry packets of which nothing is known.
const ENOUGH: u8 = 64;
const NOTHING: u8 = 16;
const SOMETHING: u8 = 1;

/// Whether there may be a packet inside: any datagram, but of what is read otherwise.
pub(super) const fn may_carry(packet: &Packet<'_>) -> bool {
    let [from, to] = packet.ports;
    packet.protocol == protocol::UDP
        && packet.fragment.is_none()
        && !is_read_otherwise(from)
        && !is_read_otherwise(to)
}

const fn is_read_otherwise(port: u16) -> bool {
    matches!(port, dns::PORT | dns::MDNS_PORT | dns::LLMNR_PORT | syslog::PORT)
}

impl Table {
    /// Looks into a datagram; whether the next one of its direction is to be looked into, too.
    pub(super) fn look_into<O: Observer>(
        &mut self,
        id: SlotId,
        packet: &Packet<'_>,
        direction: Direction,
        observer: &mut O,
    ) -> bool {
        let found = inside::find(packet.payload, packet.payload_wire_len);
        let frame = found.map(|found| Frame {
            time: packet.time,
            wire_len: found.wire_len,
            link: LinkType::RAW,
            vlan: None,
            mark: None,
            bytes: found.ip,
        });
        let inside = frame.as_ref().and_then(|frame| decode::packet(frame).ok());
        let costs = match inside {
            None => NOTHING,
            Some(inside) => {
                let is_known = self.is_bare(&inside);
                let (Some(slot), Some(cold)) =
                    (self.slots.one(id as usize), self.cold.get(id as usize))
                else {
                    return false;
                };
                let view = View { id, slot, cold };
                if observer.carried(&view, packet, &inside, is_known) { 0 } else { SOMETHING }
            }
        };
        let Some(cold) = self.cold.get_mut(id as usize) else { return false };
        let looked = of_mut(&mut cold.looked, direction);
        *looked = looked.saturating_add(costs);
        of(&cold.looked, direction) < ENOUGH
    }

    /// Whether a packet's conversation is known from bare packets.
    fn is_bare(&self, packet: &Packet<'_>) -> bool {
        let cold = self.find_packet(packet).and_then(|id| self.cold.get(id as usize));
        cold.is_some_and(|cold| cold.tunnel.is_none())
    }

    /// The flow of a packet that is not counted to it now.
    pub(super) fn find_packet(&self, packet: &Packet<'_>) -> Option<SlotId> {
        let (key, direction) = Key::of(packet);
        let tag = self.hasher.hash_one(key) as Tag;
        self.find(&Looked { key, direction, tag, likely: None })
    }
}
