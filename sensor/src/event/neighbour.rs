//! Whose an address is on a link, as somebody there says.

use std::net::{IpAddr, Ipv4Addr};

use crate::decode::dhcp::Addresses;
use crate::decode::{Mac, Vlans};
use crate::time::Timestamp;

/// An IPv4 address and the MAC address it is said to be at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// When it was said.
    pub time: Timestamp,
    /// The VLAN that it was said in, by its ids, outermost first.
    pub vlans: Vlans,
    /// The interface it was seen on, as [`super::Flow::interface`].
    pub interface: Option<u16>,
    /// The address.
    pub address: Ipv4Addr,
    /// Whose it is.
    pub mac: Mac,
    /// Who says so.
    pub binding: Binding,
}

/// How an address comes to be somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// Its host says so by ARP (RFC 826).
    Arp {
        /// Who sent the frame, which is another where somebody speaks for others.
        from: Mac,
        /// An answer, else a question.
        is_reply: bool,
        /// Nobody asked: said to all (RFC 5227).
        is_announcement: bool,
    },
    /// A DHCP server gave it away (RFC 2131).
    Dhcp {
        /// The server, as it calls itself, and the address that the message came from: the server's or
        /// a relay's.
        server: Ipv4Addr,
        /// Who sent the message.
        from: IpAddr,
        /// Granted, else only offered.
        is_granted: bool,
        /// The routers that the client is told to use.
        routers: Addresses,
        /// The resolvers that it is told to use.
        resolvers: Addresses,
    },
}
