//! Takes what was counted elsewhere, without its packets: in the kernel, once a flow is read enough.
//!
//! It is told in the last second of the tick that it was counted in, or sooner where it is much, and so
//! lies in the past as a rule. That decides nothing: flows are over at the end of a tick, and wait for
//! the next one where some of it may still be to come.

use std::time::Duration;

use arrayvec::ArrayVec;

use super::table::{Added, Looked};
use super::timers::Timers;
use super::{Key, Observer, Table, View, opener};
use crate::capture::{BURST, Counted};
use crate::decode::Packet;
use crate::event::Traffic;
use crate::time::Timestamp;

/// Counts come so much later than the end of the tick they belong to, at the most: what was counted in
/// its last moments, or while a scan went on. A connection closed in this time still has its tail to come.
const LATE: Duration = Duration::from_secs(2);

impl Table {
    /// Counts what was counted elsewhere, without its packets, to its flows. From the first call on,
    /// with counts or none, flows wait for such counts before they are over.
    pub fn counted<O: Observer>(&mut self, counts: &[Counted], observer: &mut O) {
        self.expect_counts();
        for counts in counts.chunks(BURST) {
            let mut burst: ArrayVec<Looked, BURST> = counts
                .iter()
                .map(|of| Key::between(of.source, of.destination, of.ports, of.protocol))
                .map(|(key, direction)| self.look(key, direction))
                .collect();
            self.fetch(&mut burst);
            for (counted, looked) in counts.iter().zip(&burst) {
                self.add(counted, looked, observer);
            }
        }
    }

    /// Packets are given that the kernel goes on counting from now on: flows wait for that before they
    /// are over, and what is given of them is not all.
    pub(super) const fn expect_counts(&mut self) {
        self.late = LATE;
    }

    /// Counts that come next may lie ahead of packets that are still to be read, which were read up to
    /// this time: within a tick, the packets' order is theirs.
    pub fn set_read(&mut self, read: Timestamp) {
        self.read = read;
    }

    /// A packet was seen bare and through a tunnel, and so is its conversation: this is one of the two.
    /// Where nothing is counted elsewhere nobody asks.
    pub fn comes_both_ways(&mut self, packet: &Packet<'_>) {
        if self.late.is_zero() {
            return;
        }
        let Some(id) = self.find_packet(packet) else { return };
        let tunnel = self.tunnels.of(packet);
        if let Some(cold) = self.cold.get_mut(id as usize)
            && cold.also.is_none()
        {
            cold.also = tunnel.or_else(|| cold.tunnel.clone());
        }
    }

    /// Adds to a flow, or opens it. One that is closed gets what was still to come of it: a new
    /// connection over its ports begins with a packet.
    fn add<O: Observer>(&mut self, counted: &Counted, looked: &Looked, observer: &mut O) {
        let in_tick = Timers::tick_of(counted.last.as_nanos()) <= self.timers.tick();
        self.idle(if in_tick { counted.last.min(self.read) } else { counted.last }, observer);
        let id = self.find(looked).unwrap_or_else(|| {
            let client = opener::client_of_counted(counted, looked.direction);
            self.open_with(looked, counted.since, client, observer, |_| ())
        });
        let added = Added {
            packets: counted.packets,
            bytes: counted.bytes,
            tcp_flags: counted.tcp_flags,
            since: counted.since,
            last: counted.last,
        };
        if self.count(id, looked.direction, &added) {
            self.step(id, observer);
        }
        if let (Some(slot), Some(cold)) = (self.slots.one(id as usize), self.cold.get(id as usize))
        {
            let traffic = Traffic { packets: counted.packets, bytes: counted.bytes };
            let times = (counted.since, counted.last);
            observer.counted(&View { id, slot, cold }, looked.direction, traffic, times);
        }
    }
}
