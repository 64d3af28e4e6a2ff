//! Packets to test with.

use std::net::{IpAddr, Ipv4Addr};

use super::{Packet, Tcp, Vlans, protocol};
use crate::time::Timestamp;

/// Who sends a [`packet`].
pub(crate) const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 20, 0, 5));
/// Who receives it.
pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// What a client sends to port 443 of a server in a bare frame; without TCP's part of the header a
/// datagram.
pub(crate) fn packet(tcp: Option<Tcp>, payload: &[u8]) -> Packet<'_> {
    Packet {
        time: Timestamp::ZERO,
        wire_len: 54 + payload.len() as u32,
        macs: None,
        vlans: Vlans::new(),
        source: CLIENT,
        destination: SERVER,
        protocol: if tcp.is_some() { protocol::TCP } else { protocol::UDP },
        ports: [40_000, 443],
        tcp,
        fragment: None,
        payload,
        payload_wire_len: payload.len() as u32,
        ip: &[],
        cut: 0,
        copy: false,
        place: 0,
        mark: None,
        tunnel: None,
    }
}
