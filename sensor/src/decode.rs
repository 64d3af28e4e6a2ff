//! From a [`Frame`] to a [`Packet`]: link layer, VLAN and MPLS, IP, TCP, UDP, ICMP, in place; through
//! tunnels to the packet inside.

use std::net::IpAddr;

use crate::capture::{Frame, Mark};
use crate::time::Timestamp;

pub mod arp;
#[cfg(test)]
mod corpus;
pub mod dhcp;
pub mod dns;
pub mod duplicates;
pub mod inside;
mod ip;
mod link;
pub mod progress;
mod proxy;
pub mod quic;
mod refusal;
#[cfg(test)]
pub(crate) mod sample;
pub mod starttls;
mod text;
pub mod tls;
pub mod tunnel;
mod vlans;

pub use refusal::{Refusal, Refusals};
pub use vlans::{TooManyTags, Vlans};

use link::Link;
use tunnel::Outer;

/// Reads one frame down to its transport header, without copying or allocating. Of a tunnel's packet
/// it is the inner one's, where that can be read.
///
/// Lax by design: what a snap length cut off is not missed as long as addresses and ports are
/// there; lengths come from the wire, not from what was captured.
///
/// # Errors
/// The layer and the reason, when it does not come to an IP packet that can belong to a flow.
#[inline]
pub fn packet<'a>(frame: &Frame<'a>) -> Result<Packet<'a>, Refusal> {
    behind_link(frame, link(frame)?)
}

/// Reads a frame's link header: the first half of [`packet`], for who looks at the IP packet before
/// that is read.
///
/// # Errors
/// As with [`packet`].
#[inline(always)]
pub(crate) fn link<'a>(frame: &Frame<'a>) -> Result<Link<'a>, Refusal> {
    link::read(frame)
}

/// Reads what is behind a frame's link header: the second half of [`packet`].
///
/// # Errors
/// As with [`packet`].
#[inline(always)]
pub(crate) fn behind_link<'a>(frame: &Frame<'a>, link: Link<'a>) -> Result<Packet<'a>, Refusal> {
    ip::read(frame, link, |_| ())
}

/// The same, and shows `wrapped` the packet when it came through a tunnel: to ask each packet would cost
/// those that did not.
///
/// # Errors
/// As with [`packet`].
#[inline(always)]
pub(crate) fn behind_link_watching<'a>(
    frame: &Frame<'a>,
    link: Link<'a>,
    wrapped: impl FnOnce(&Packet<'a>),
) -> Result<Packet<'a>, Refusal> {
    ip::read(frame, link, wrapped)
}

/// The same, unless its IP packet, as far as captured, is to be left out: then `None`. What came
/// through a tunnel is asked about as a whole, and again as the packet inside alone: a mirror's two
/// ends wrap the same packet differently.
///
/// # Errors
/// As with [`packet`].
#[inline]
pub fn packet_unless<'a>(
    frame: &Frame<'a>,
    mut leave_out: impl FnMut(&'a [u8]) -> bool,
) -> Result<Option<Packet<'a>>, Refusal> {
    let link = link(frame)?;
    if leave_out(link.payload) {
        return Ok(None);
    }
    let packet = behind_link(frame, link)?;
    let leave_out = packet.tunnel.is_some() && leave_out(packet.ip);
    Ok((!leave_out).then_some(packet))
}

/// A MAC address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether the address belongs to VMware by its prefix (IEEE registry: 00:05:69, 00:0c:29,
    /// 00:1c:14, 00:50:56). A hint, not a proof: a guest may set any address.
    pub const fn is_vmware(self) -> bool {
        matches!(
            self.0,
            [0x00, 0x05, 0x69, ..]
                | [0x00, 0x0c, 0x29, ..]
                | [0x00, 0x1c, 0x14, ..]
                | [0x00, 0x50, 0x56, ..]
        )
    }
}

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// IP protocol numbers that are told apart (IANA "Protocol Numbers").
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IPv4 in IP.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IP.
    pub const IPV6: u8 = 41;
    /// GRE.
    pub const GRE: u8 = 47;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
    /// SCTP.
    pub const SCTP: u8 = 132;
}

/// One decoded packet, borrowed from its frame. Of one that came through a tunnel all is the inner
/// packet's, except `tunnel`, `time`, `place` and `mark`.
#[derive(Debug, Clone)]
pub struct Packet<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// The frame's length on the wire in bytes, link header included; where a tunnel carries IP
    /// without a link header, that packet's length.
    pub wire_len: u32,
    /// Source and destination MAC address, where the link has them.
    pub macs: Option<[Mac; 2]>,
    /// VLAN ids, outermost first.
    pub vlans: Vlans,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// IP protocol number of the layer above IP and its extension headers.
    pub protocol: u8,
    /// Source and destination port; for ICMP its type and code, else 0.
    pub ports: [u16; 2],
    /// TCP's part of the header; `None` also when the capture cut it off.
    pub tcp: Option<Tcp>,
    /// Its place in a fragmented datagram.
    pub fragment: Option<Fragment>,
    /// What was captured of the payload above TCP or UDP, or of a tunnel's above IP; of a later
    /// fragment, all of it.
    pub payload: &'a [u8],
    /// How long that payload was on the wire; never less than `payload.len()`.
    pub payload_wire_len: u32,
    /// What was captured of the IP packet, link padding included.
    pub ip: &'a [u8],
    /// Bytes that the IP header tells of and that were not on the wire: a mirror cut them off, or the
    /// header lies. No length here counts them.
    pub cut: u32,
    /// A second copy of a packet, where those are recognised and not left out.
    pub copy: bool,
    /// Which frame of its burst it came in, where whoever decodes says so.
    pub place: u8,
    /// See [`Frame::mark`].
    pub mark: Option<Mark<'a>>,
    /// The outermost of the packets that it was in, when it came through a tunnel.
    pub tunnel: Option<Outer<'a>>,
}

/// What the flow table reads of a TCP header (RFC 9293).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp {
    /// Sequence number of the first payload byte (of SYN, where that is set).
    pub sequence: u32,
    /// The flags byte, see [`tcp_flags`].
    pub flags: u8,
}

/// Bits of [`Tcp::flags`].
pub mod tcp_flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// What was sent so far is to be handed on.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field counts.
    pub const ACK: u8 = 0x10;
}

/// A fragment's place in its datagram (RFC 791, RFC 8200).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// The datagram's identification.
    pub id: u32,
    /// Where it begins in the datagram's fragmented part, in bytes.
    pub offset: u32,
    /// Whether this is the last one.
    pub last: bool,
}

impl Fragment {
    /// Whether this is the first fragment, which holds the ports.
    pub const fn is_first(&self) -> bool {
        self.offset == 0
    }
}

#[cfg(test)]
mod tests;
