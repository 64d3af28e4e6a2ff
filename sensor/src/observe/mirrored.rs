//! Mirrored traffic on the wire: packets that somebody wrapped and sends on, told of by the two ends of
//! the wrapping (ATT&CK T1020.001).
//!
//! VXLAN, GENEVE, GRE, NVGRE and ERSPAN are known by their headers, whoever uses them: an overlay between
//! hosts looks like a mirror, and who judges learns which pairs were always there. IP in IP and GTP-U
//! carry subscribers and sites, not mirrors: they are told of where a copy proves itself. So it is with
//! UDP on any other port, see `odd`.
//!
//! A copy proves itself when its packet was seen bare, too, a moment before it or right after. What is a
//! second copy as a whole, as a mirror port gives it, is no other packet of the pair.
//!
//! What is sent to this host itself is the sensor's own feed, and no observation: its addresses are known
//! where packets are captured live. A feed that is addressed to nobody here, as on a port that takes a
//! tunnel's packets off somebody else, is an observation like any other, as are all in a capture file:
//! [`Mirrored::interface`] says where they were seen.

use std::net::IpAddr;

use crate::decode::Packet;
use crate::decode::duplicates::Duplicates;
use crate::decode::tunnel::Outer;
use crate::event::{Mirrored, Traffic, Tunnel, TunnelKind};
use crate::flow;
use crate::time::Timestamp;

mod copies;
mod odd;
mod pairs;

use copies::Copies;
use odd::Odd;
pub use pairs::Pair;
use pairs::{Added, Pairs};

/// What is seen of mirrored traffic. One thread's own.
#[derive(Default)]
pub struct Mirrors {
    pairs: Pairs,
    copies: Copies,
    odd: Odd,
    own: Vec<IpAddr>,
}

impl Mirrors {
    /// What is sent to these addresses is this sensor's own feed.
    pub fn set_own(&mut self, own: Vec<IpAddr>) {
        self.own = own;
    }

    /// Whether something was seen lately, so that all packets are worth comparing.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.pairs.is_active()
    }

    /// Takes a packet that came through a tunnel, of a frame of this length, before it is compared.
    /// Whether it was seen bare before.
    pub fn wrapped(
        &mut self,
        packet: &Packet<'_>,
        frame_len: u32,
        interface: Option<u16>,
        duplicates: &Duplicates,
    ) -> bool {
        let Some(wrapping) = packet.tunnel.and_then(Outer::wrapping) else { return false };
        if self.own.contains(&wrapping.destination) {
            return false;
        }
        let pair = Pair {
            kind: Some(wrapping.kind),
            id: wrapping.id,
            source: wrapping.source,
            destination: wrapping.destination,
            port: wrapping.port,
            interface,
        };
        let hash = duplicates.hash(packet.ip);
        let is_known = hash.is_some_and(|hash| duplicates.was_seen(hash, packet.time));
        let copied = is_known && hash.is_some_and(|hash| self.copies.is_of_bare(hash, packet.time));
        let added = Added {
            copies: u64::from(copied),
            inside: Some(flow::ends(packet)),
            overhead: frame_len.saturating_sub(packet.wire_len),
            ..Added::packet(packet.time, frame_len)
        };
        let place = self.pairs.add(pair, &added);
        if let Some(hash) = hash {
            self.copies.wrapped(hash, packet.time, place, copied);
        }
        copied
    }

    /// A packet that is in no tunnel was seen before. Whether that was a wrapped one.
    pub fn bare_again(&mut self, ip: &[u8], time: Timestamp, duplicates: &Duplicates) -> bool {
        let hash = duplicates.hash(ip).filter(|_| self.is_active());
        let place = hash.and_then(|hash| self.copies.bare(hash, time));
        if let Some(place) = place {
            self.pairs.proved(place);
        }
        place.is_some()
    }

    /// Takes a datagram to a port of no wrapping with a packet inside, whose conversation is known from
    /// bare packets or not. Whether the next one is worth a look, too.
    pub(super) fn carried(
        &mut self,
        outer: &Packet<'_>,
        inside: &Packet<'_>,
        (interface, is_known): (Option<u16>, bool),
        duplicates: Option<&Duplicates>,
    ) -> bool {
        if self.own.contains(&outer.destination) {
            return false;
        }
        let [_, port] = outer.ports;
        let pair = Pair {
            kind: None,
            id: None,
            source: outer.source,
            destination: outer.destination,
            port: Some(port),
            interface,
        };
        let hash = duplicates.and_then(|duplicates| duplicates.hash(inside.ip));
        let copied = duplicates
            .zip(hash)
            .is_some_and(|(duplicates, hash)| duplicates.was_seen(hash, outer.time));
        let added = Added {
            copies: u64::from(copied),
            inside: Some(flow::ends(inside)),
            ..Added::packet(outer.time, outer.wire_len)
        };
        // One of the packet alone, for who has nothing to compare with.
        let is_proof = copied || is_known;
        match self.odd.carried(&pair, hash, is_proof, added) {
            odd::Judged::Mirrored(added) => {
                self.pairs.add(pair, &added);
                true
            }
            odd::Judged::Waits => {
                self.pairs.expect(outer.time);
                true
            }
            odd::Judged::Unknown => false,
        }
    }

    /// Takes what was counted in the kernel of a conversation in a tunnel.
    pub(super) fn counted(
        &mut self,
        tunnel: &Tunnel,
        interface: Option<u16>,
        traffic: Traffic,
        (since, last): (Timestamp, Timestamp),
    ) {
        let pair = Pair {
            kind: Some(tunnel.kind),
            id: tunnel.id,
            source: tunnel.source,
            destination: tunnel.destination,
            port: port(tunnel.kind),
            interface,
        };
        self.pairs.add_inside(pair, &Added { traffic, since, last, ..Added::default() });
    }

    /// The like of datagrams to a port that is known to get mirrored traffic.
    pub(super) fn counted_odd(
        &mut self,
        [source, destination]: [IpAddr; 2],
        port: u16,
        interface: Option<u16>,
        traffic: Traffic,
        (since, last): (Timestamp, Timestamp),
    ) {
        if !self.odd.is_known(destination, port) {
            return;
        }
        let pair = Pair { kind: None, id: None, source, destination, port: Some(port), interface };
        self.pairs.add(pair, &Added { traffic, since, last, ..Added::default() });
    }

    /// It is `now`: tells what was seen in each 10 s that are over.
    #[inline]
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.pairs.advance(now);
    }

    /// What is to be told, in the order of time.
    #[inline]
    pub(super) fn news(&mut self) -> Option<std::vec::IntoIter<Mirrored>> {
        self.pairs.news()
    }

    /// The capture is over: what was not told of becomes news.
    pub(super) fn finish(&mut self) {
        self.pairs.tell_all();
    }

    /// The pairs that were seen and what they moved in all, the most first; those that gave way are
    /// not among them.
    pub fn in_all(&self) -> Vec<(Pair, Traffic, u64)> {
        self.pairs.in_all()
    }
}

/// The port that a wrapping is sent to.
const fn port(kind: TunnelKind) -> Option<u16> {
    use crate::decode::tunnel::{GENEVE_PORT, GTP_U_PORT, VXLAN_GPE_PORT, VXLAN_PORT};
    match kind {
        TunnelKind::Vxlan => Some(VXLAN_PORT),
        TunnelKind::VxlanGpe => Some(VXLAN_GPE_PORT),
        TunnelKind::Geneve => Some(GENEVE_PORT),
        TunnelKind::GtpU => Some(GTP_U_PORT),
        TunnelKind::Gre | TunnelKind::Nvgre | TunnelKind::Erspan | TunnelKind::IpInIp => None,
    }
}

#[cfg(test)]
mod tests;
