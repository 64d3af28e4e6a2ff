//! Later fragments have no ports: this remembers which flow a datagram's first fragment belonged to.

use std::net::IpAddr;
use std::time::Duration;

use super::key::{Direction, Key};
use crate::decode::{Fragment, Packet};
use crate::time::Timestamp;

/// How many fragmented datagrams are remembered at once; the oldest gives way.
const CAPACITY: usize = 4096;

/// How long a datagram's fragments may be apart (RFC 791 suggests 15 s, Linux waits 30 s).
pub(super) const LIFETIME: Duration = Duration::from_secs(30);

/// A datagram's name: addresses, protocol and identification (RFC 791, RFC 8200 section 4.5).
pub(super) type Datagram = (IpAddr, IpAddr, u8, u32);

/// The name of the datagram that a packet is a fragment of.
pub(super) fn datagram(packet: &Packet<'_>, fragment: Fragment) -> Datagram {
    // In IPv6 the fragment header's next header may differ between fragments.
    let protocol = if packet.source.is_ipv4() { packet.protocol } else { 0 };
    (packet.source, packet.destination, protocol, fragment.id)
}

/// Remembers datagrams whose first fragment was seen.
#[derive(Default)]
pub(super) struct Fragments {
    flows:
        hashbrown::HashMap<Datagram, (Key, Direction, Timestamp), foldhash::quality::RandomState>,
    /// In order of arrival.
    order: std::collections::VecDeque<Datagram>,
}

impl Fragments {
    /// The flow a fragment belongs to, when it is known; remembers it when this is the first.
    pub(super) fn resolve(
        &mut self,
        packet: &Packet<'_>,
        key: Key,
        direction: Direction,
    ) -> (Key, Direction) {
        let Some(fragment) = packet.fragment else {
            return (key, direction);
        };
        let name = datagram(packet, fragment);
        let now = packet.time;
        if fragment.is_first() {
            if self.flows.insert(name, (key, direction, now)).is_none() {
                self.order.push_back(name);
                if self.order.len() > CAPACITY
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.flows.remove(&oldest);
                }
            }
            return (key, direction);
        }
        match self.flows.get(&name) {
            Some((key, direction, seen)) if now.since(*seen) < LIFETIME => (*key, *direction),
            _ => (key, direction),
        }
    }
}
