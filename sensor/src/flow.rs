//! Conversations: every packet counted to its flow, in bursts; the first bytes of each direction
//! handed on in order; volumes every 10 s and every 4 MiB; an account at the end.
//!
//! The cost of small packets is the table's cache misses, so a burst is looked up in three
//! passes (hash and fetch the index line, find the slot and fetch it, update it), and the misses of
//! a burst overlap. Everything happens in the order of packets and by their time: two readings of
//! one capture go alike, whatever the hash seed.

use std::net::IpAddr;

use crate::decode::{Packet, tcp_flags};
use crate::event::{Account, App, Flow, Traffic, Tunnel, Volume};
use crate::mirror::SourceFacts;
use crate::prefetch;
use crate::time::Timestamp;

mod beginning;
mod counted;
mod datagrams;
mod fragments;
mod index;
mod key;
mod lifecycle;
mod looking;
mod opener;
mod pages;
mod reading;
mod reassembly;
mod slot;
mod sources;
mod stream;
mod table;
mod timers;
mod tunnels;
mod watch;

pub use beginning::First;
pub use key::{Direction, Key};
pub use table::Table;
pub use timers::TICK;

use index::SlotId;
use slot::{Cold, Slot};

/// Who is told what flows do. All calls come in the order of capture time. What an observer does not
/// take is passed over.
pub trait Observer {
    /// A conversation's first packet.
    fn opened(&mut self, _flow: &View<'_>, _at: Timestamp) {}
    /// One of the first packets of the conversation with this [`Flow::id`], see [`Table::show_first`]: how
    /// many bytes of its frame were taken, of at most `room`; of one that is passed over, none.
    fn first(&mut self, _flow: u64, _packet: &Packet<'_>, _room: usize) -> usize {
        0
    }
    /// What moved since the last volume: at the end of each 10 s and of the flow, and as soon as one
    /// direction has moved 4 MiB.
    fn volume(&mut self, _flow: &View<'_>, _at: Timestamp, _volume: Volume) {}
    /// What moved since the last account.
    fn account(&mut self, _flow: &View<'_>, _at: Timestamp, _account: Account) {}
    /// The next bytes of a TCP direction, in order. Without `more`, nothing follows them.
    fn stream(
        &mut self,
        _flow: &View<'_>,
        _at: Timestamp,
        _from: Direction,
        _bytes: &[u8],
        _more: bool,
    ) -> Verdict {
        Verdict::Enough(None)
    }
    /// A UDP payload. When `cut`, the rest of it was not captured. Gives the client's direction, if the
    /// payload tells it.
    fn datagram(
        &mut self,
        _flow: &View<'_>,
        _at: Timestamp,
        _from: Direction,
        _bytes: &[u8],
        _cut: bool,
    ) -> Option<Direction> {
        None
    }
    /// One of a UDP direction's first packets, `outer`, carries a whole packet: of a conversation that
    /// the table has from bare packets, when it `is_known`. Whether the next one is to be looked at, too.
    fn carried(
        &mut self,
        _flow: &View<'_>,
        _outer: &Packet<'_>,
        _inside: &Packet<'_>,
        _is_known: bool,
    ) -> bool {
        false
    }
    /// So much was counted elsewhere of a direction, from the first of these times to the second.
    fn counted(
        &mut self,
        _flow: &View<'_>,
        _from: Direction,
        _traffic: Traffic,
        _times: (Timestamp, Timestamp),
    ) {
    }
    /// What each source of packets does to them, at the end of each 10 s.
    fn mirror(&mut self, _at: Timestamp, _sources: &[SourceFacts]) {}
    /// The flow ends: its last volume and account follow, then its [`View::slot`] may name another.
    fn closing(&mut self, _flow: &View<'_>, _at: Timestamp) {}
}

/// What an observer makes of a direction's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing of interest: go on with what follows them.
    Skip,
    /// They begin something: come again with at least this many.
    Want(usize),
    /// The first so many are dealt with: go on with the rest.
    Used(usize),
    /// This direction is read enough. If the bytes told it, which direction is the client's.
    Enough(Option<Direction>),
}

/// A flow as an observer sees it.
pub struct View<'a> {
    id: SlotId,
    slot: &'a Slot,
    cold: &'a Cold,
}

impl View<'_> {
    /// A number that no other flow has while this one lives.
    pub const fn slot(&self) -> u32 {
        self.id
    }

    /// The direction the client sends in, as far as known.
    pub const fn client(&self) -> Direction {
        self.slot.client()
    }

    /// Whether anything was seen in this direction.
    pub const fn was_seen(&self, direction: Direction) -> bool {
        self.slot.seen & slot::of(&slot::SEEN, direction) != 0
    }

    /// The address of a direction's sender.
    pub fn address(&self, direction: Direction) -> std::net::IpAddr {
        self.slot.key.sender(direction).0
    }

    /// The port of the side that sends in `direction`.
    pub fn port(&self, direction: Direction) -> u16 {
        self.slot.key.sender(direction).1
    }

    /// IP protocol number.
    pub const fn protocol(&self) -> u8 {
        self.slot.key.protocol()
    }

    /// See [`Flow::interface`].
    pub const fn interface(&self) -> Option<u16> {
        self.cold.interface
    }

    /// The tunnel that its packets come through, and whether that is each of them or, where they come
    /// bare, too, every second one: 1 or 2.
    pub fn tunnel(&self) -> Option<(&Tunnel, u64)> {
        match (&self.cold.also, &self.cold.tunnel) {
            (Some(tunnel), _) => Some((tunnel, 2)),
            (None, Some(tunnel)) => Some((tunnel, 1)),
            (None, None) => None,
        }
    }

    /// Whether no byte of this direction was passed over so far: every one was kept or used.
    pub const fn is_untouched(&self, direction: Direction) -> bool {
        slot::of(&self.slot.budget, direction) == stream::BUDGET
    }

    /// Whether this direction of a TCP flow was seen from its first byte on.
    pub const fn is_whole(&self, direction: Direction) -> bool {
        slot::of(&self.slot.tcp_flags, direction) & tcp_flags::SYN != 0
    }

    /// Notes what the flow speaks: its accounts say so from now on.
    pub fn speaks(&self, app: App) {
        self.cold.app.set(Some(app));
    }

    /// The flow as events name it.
    pub fn flow(&self) -> Flow {
        self.cold.flow(self.id, self.slot, self.slot.client())
    }

    /// The same, when it has just become clear which direction is the client's.
    pub fn flow_with_client(&self, client: Direction) -> Flow {
        self.cold.flow(self.id, self.slot, client)
    }
}

/// Client and server of a packet's conversation with their ports, as far as this packet tells.
pub fn ends(packet: &Packet<'_>) -> [(IpAddr, u16); 2] {
    let (key, direction) = Key::of(packet);
    let (client, _) = opener::client(packet, direction);
    [key.sender(client), key.sender(client.reverse())]
}

/// What the table has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Flows opened.
    pub opened: u64,
    /// Flows that gave way because the table was full.
    pub evicted: u64,
    /// Flows whose kept bytes gave way because too much was kept.
    pub streams_evicted: u64,
    /// TCP flows that ended of which one side only was seen, though it spoke with another: a scan's
    /// lone SYN, and answers to what was never sent, are not counted.
    pub tcp_one_sided: u64,
    /// The like of which both sides were seen.
    pub tcp_both: u64,
    /// Packets whose time lay before an earlier packet's.
    pub time_backwards: u64,
}

#[cfg(test)]
mod tests;
