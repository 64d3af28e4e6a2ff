//! Whose addresses are on the links that are seen: ARP, and what DHCP servers give.

use super::{Seen, Sink};
use crate::capture::Frame;
use crate::decode::{arp, dhcp};
use crate::event::{Binding, Neighbour};

/// A frame that is no IP packet.
#[cold]
pub fn not_ip(frame: &Frame<'_>, interface: Option<u16>, sink: &mut impl Sink) {
    let Some(arp) = arp::read(frame) else { return };
    let (address, mac) = arp.sender;
    // A probe asks whether an address is free, and claims none (RFC 5227).
    if address.is_unspecified() {
        return;
    }
    let is_announcement = arp.is_announcement();
    let binding = Binding::Arp { from: arp.from, is_reply: arp.is_reply, is_announcement };
    let time = frame.time;
    sink.neighbour(Neighbour { time, vlans: arp.vlans, interface, address, mac, binding });
}

/// A datagram to a port of DHCP.
#[cold]
pub(super) fn dhcp_message(seen: &Seen<'_>, sink: &mut impl Sink) {
    let Some(grant) = dhcp::read(seen.bytes) else { return };
    let binding = Binding::Dhcp {
        server: grant.server,
        from: seen.view.address(seen.from),
        is_granted: grant.is_granted,
        routers: grant.routers,
        resolvers: grant.resolvers,
    };
    sink.neighbour(Neighbour {
        time: seen.at,
        vlans: seen.view.flow().vlans,
        interface: seen.view.interface(),
        address: grant.address,
        mac: grant.client,
        binding,
    });
}
