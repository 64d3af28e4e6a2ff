//! A flow's state: what every packet touches in two cache lines, the rest beside it.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::index::{SlotId, Tag};
use super::key::{Direction, Key};
use super::sources::SourceId;
use super::table::Added;
use super::timers::Timers;
use crate::decode::{Mac, Packet, Vlans, dns, protocol, tcp_flags};
use crate::event::{App, Endpoint, Flow, FlowState, Traffic, Tunnel};
use crate::time::Timestamp;

/// What a direction of a flow moves is told whenever its bytes pass a multiple of this, and not only
/// at the end of a tick: data that was pulled together is known when it begins to leave. The smallest
/// spike, 50 MB unless the config says less, is known to a twelfth; 10 Gbit/s are 300 steps a second.
pub(super) const STEP: u64 = 4 << 20;

/// What every packet of a flow reads and writes: 128 bytes, two cache lines.
///
/// Counters run since the last account of the flow, indexed by [`Direction`].
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub key: Key,
    pub opened: u64,
    pub last: u64,
    /// The first packet of the tick in which it was last active, or the last one told in it.
    pub active_since: u64,
    pub packets: [u64; 2],
    pub bytes: [u64; 2],
    /// The sequence number after the last in-order byte.
    pub next_sequence: [u32; 2],
    /// 1 while [`super::stream`] may keep something of this flow, else 0.
    pub stream: u8,
    /// How many of its next packets are to be shown as its first ones, and how many bytes of them in
    /// all; no bytes once that is done.
    pub first_packets: u8,
    pub first_bytes: u16,
    /// The tick in which it was last active.
    pub tick: u32,
    pub tag: Tag,
    /// Counts the flows that have lived here; tells a late timer that its flow is gone.
    pub generation: u32,
    /// How many bytes may still be looked at.
    pub budget: [u16; 2],
    /// All TCP flags seen.
    pub tcp_flags: [u8; 2],
    /// Bits of [`flags`].
    pub flags: u8,
    /// Bits of [`SEEN`], [`MET`], [`WATCHED`] and [`SIDES_COUNTED`].
    pub seen: u8,
}

/// Whether anything was seen, for `Up` and for `Down`: bits of [`Slot::seen`].
pub(super) const SEEN: [u8; 2] = [1, 2];

/// Whether packets were there to be looked at, and not only counted elsewhere, and no other need be:
/// bits likewise.
pub(super) const MET: [u8; 2] = [4, 8];

/// Whether the sequence numbers are watched: bits likewise.
pub(super) const WATCHED: [u8; 2] = [16, 32];

/// Whether the conversation was counted by the sides that were seen of it: a bit of [`Slot::seen`].
const SIDES_COUNTED: u8 = 64;

/// How many sides of a conversation were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    One,
    Both,
}

/// Bits of [`Slot::flags`].
pub(super) mod flags {
    /// The slot holds a flow.
    pub(in crate::flow) const LIVE: u8 = 1;
    /// The client is the side that sends [`super::Direction::Down`].
    pub(in crate::flow) const CLIENT_IS_HIGH: u8 = 2;
    /// Who the client is was seen, not guessed.
    pub(in crate::flow) const CLIENT_IS_SURE: u8 = 4;
    /// The flow waits in the wheel of timers.
    pub(in crate::flow) const ARMED: u8 = 8;
    /// The next sequence number is known, for `Up` and for `Down`.
    pub(in crate::flow) const SYNCED: [u8; 2] = [16, 32];
    /// Enough was read, for `Up` and for `Down`.
    pub(in crate::flow) const READ: [u8; 2] = [64, 128];
}

/// Picks one direction's item of a pair.
pub(super) const fn of<T: Copy>(pair: &[T; 2], direction: Direction) -> T {
    let [up, down] = *pair;
    match direction {
        Direction::Up => up,
        Direction::Down => down,
    }
}

/// Picks one direction's item of a pair, to change it.
pub(super) const fn of_mut<T>(pair: &mut [T; 2], direction: Direction) -> &mut T {
    let [up, down] = pair;
    match direction {
        Direction::Up => up,
        Direction::Down => down,
    }
}

impl Slot {
    pub(super) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(super) const fn client(&self) -> Direction {
        if self.has(flags::CLIENT_IS_HIGH) { Direction::Down } else { Direction::Up }
    }

    pub(super) fn set_client(&mut self, client: Direction) {
        self.flags &= !flags::CLIENT_IS_HIGH;
        if client == Direction::Down {
            self.flags |= flags::CLIENT_IS_HIGH;
        }
    }

    /// What was seen of a payload tells the client, unless that was seen already.
    pub(super) fn be_sure(&mut self, client: Direction) {
        if !self.has(flags::CLIENT_IS_SURE) {
            self.set_client(client);
            self.flags |= flags::CLIENT_IS_SURE;
        }
    }

    pub(super) const fn is_read(&self, direction: Direction) -> bool {
        self.has(of(&flags::READ, direction))
    }

    fn has_port(&self, port: u16) -> bool {
        [Direction::Up, Direction::Down].into_iter().any(|side| self.key.sender(side).1 == port)
    }

    pub(super) fn traffic(&self, direction: Direction) -> Traffic {
        Traffic { packets: of(&self.packets, direction), bytes: of(&self.bytes, direction) }
    }

    /// Adds to a direction of the flow in this slot; whether that has moved another [`STEP`] with it.
    #[inline]
    pub(super) fn add(
        &mut self,
        id: SlotId,
        direction: Direction,
        added: &Added,
        timers: &mut Timers,
    ) -> bool {
        self.last = self.last.max(added.last.as_nanos());
        *of_mut(&mut self.packets, direction) += added.packets;
        let bytes = of_mut(&mut self.bytes, direction);
        let before = *bytes;
        *bytes += added.bytes;
        // The step is a power of two: its multiples differ above its lower bits, and no slot needs room.
        let is_step = (before ^ *bytes) >= STEP;
        *of_mut(&mut self.tcp_flags, direction) |= added.tcp_flags;
        self.seen |= of(&SEEN, direction);
        if self.tick != timers.tick() {
            self.tick = timers.tick();
            // What comes late belongs to this tick: no volume reaches over the end of one.
            self.active_since = added.since.max(timers.start()).as_nanos();
            timers.active(id);
        }
        is_step
    }

    /// Of how many sides of a TCP conversation packets were seen; `None` where that says nothing:
    /// a SYN alone may be a scan's, a SYN with ACK or a RST alone the answer to somebody who only
    /// pretends to be this address.
    pub(super) const fn tcp_sides(&self) -> Option<Sides> {
        let [up, down] = self.tcp_flags;
        let flags = up | down;
        let speaks = flags & (tcp_flags::PSH | tcp_flags::FIN) != 0
            || flags & (tcp_flags::SYN | tcp_flags::RST) == 0;
        if self.key.protocol() != protocol::TCP || flags & tcp_flags::ACK == 0 || !speaks {
            return None;
        }
        Some(if self.both_seen() { Sides::Both } else { Sides::One })
    }

    /// Whether all there was since its last account is one packet.
    pub(super) const fn is_lone(&self) -> bool {
        let [up, down] = self.packets;
        up + down <= 1
    }

    /// The same, the first time that it can be told.
    pub(super) const fn take_sides(&mut self) -> Option<Sides> {
        if self.seen & SIDES_COUNTED != 0 {
            return None;
        }
        let sides = self.tcp_sides();
        if sides.is_some() {
            self.seen |= SIDES_COUNTED;
        }
        sides
    }

    const fn both_seen(&self) -> bool {
        let [up, down] = SEEN;
        self.seen & (up | down) == up | down
    }

    /// How it stands, in EVE's words.
    pub(super) fn state(&self) -> FlowState {
        let [up, down] = self.tcp_flags;
        let both_seen = self.both_seen();
        if self.key.protocol() == protocol::TCP {
            if (up | down) & tcp_flags::RST != 0 || up & down & tcp_flags::FIN != 0 {
                return FlowState::Closed;
            }
            let open = |flags: u8| flags & tcp_flags::ACK != 0;
            return if both_seen && open(up) && open(down) {
                FlowState::Established
            } else {
                FlowState::New
            };
        }
        if both_seen { FlowState::Established } else { FlowState::New }
    }

    /// How long it may be quiet, as seen at the end of a tick: long where a silent conversation is
    /// likely to go on, short where one packet is all there may ever be.
    pub(super) fn timeout(&self) -> Duration {
        let seconds = match (self.key.protocol(), self.state()) {
            (_, FlowState::Closed) => 1,
            (protocol::TCP, FlowState::Established) => 1800,
            (protocol::TCP, FlowState::New) => 60,
            (_, FlowState::New) => 30,
            // Most flows of an estate are one question and its answer, and then over.
            (protocol::UDP, FlowState::Established) if self.has_port(dns::PORT) => 1,
            (_, FlowState::Established) => 120,
        };
        Duration::from_secs(seconds)
    }
}

/// What is written when a flow opens and read when it is reported.
#[derive(Clone, Default)]
pub(super) struct Cold {
    /// See [`Key::flow_id`].
    pub id: u64,
    /// The MAC address of each side, indexed by the direction it sends in.
    pub macs: [Option<Mac>; 2],
    pub vlans: Vlans,
    /// See [`Flow::interface`].
    pub interface: Option<u16>,
    /// See [`Flow::tunnel`].
    pub tunnel: Option<Arc<Tunnel>>,
    /// The tunnel that its packets come through, too, besides bare.
    pub also: Option<Arc<Tunnel>>,
    /// Where its first packet came from.
    pub source: SourceId,
    /// Second copies since volume was last reported, where they are counted.
    pub copies: [Traffic; 2],
    /// How much each direction's packets were looked at, see [`super::looking`].
    pub looked: [u8; 2],
    /// ICMP type and code of the first packet.
    pub icmp: Option<[u16; 2]>,
    /// The slot's counters when volume was last reported.
    pub reported: [Traffic; 2],
    /// When the flow was last accounted for.
    pub accounted: u64,
    /// See [`super::View::speaks`].
    pub app: Cell<Option<App>>,
}

impl Cold {
    pub(super) fn new(key: &Key, opened: Timestamp, interface: Option<u16>) -> Self {
        let time = opened.as_nanos();
        Self { id: key.flow_id(time), interface, accounted: time, ..Self::default() }
    }

    /// Learns what no count tells from the first packet of the flow.
    pub(super) fn meet(&mut self, packet: &Packet<'_>, tunnel: Option<Arc<Tunnel>>) {
        self.tunnel = tunnel;
        self.vlans = packet.vlans;
        self.icmp =
            matches!(packet.protocol, protocol::ICMP | protocol::ICMPV6).then_some(packet.ports);
    }

    /// Learns who sends in `direction` from the first packet that goes there.
    pub(super) fn meet_sender(&mut self, packet: &Packet<'_>, direction: Direction) {
        *of_mut(&mut self.looked, direction) = 1;
        if let Some([source, destination]) = packet.macs {
            // The sender's own address is surer than where the other side sent to.
            *of_mut(&mut self.macs, direction) = Some(source);
            of_mut(&mut self.macs, direction.reverse()).get_or_insert(destination);
        }
    }

    /// The flow as events name it.
    pub(super) fn flow(&self, id: SlotId, slot: &Slot, client: Direction) -> Flow {
        let endpoint = |direction| {
            let (address, port) = slot.key.sender(direction);
            Endpoint { address, port, mac: of(&self.macs, direction) }
        };
        let (mut client, mut server) = (endpoint(client), endpoint(client.reverse()));
        if let Some([kind, code]) = self.icmp {
            (client.port, server.port) = (kind, code);
        }
        Flow {
            id: self.id,
            slot: id,
            client,
            server,
            protocol: slot.key.protocol(),
            vlans: self.vlans,
            interface: self.interface,
            tunnel: self.tunnel.clone(),
            opened: Timestamp::from_nanos(slot.opened),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_two_cache_lines() {
        assert_eq!(size_of::<Slot>(), 128);
        assert_eq!(align_of::<Slot>(), 64);
    }
}
