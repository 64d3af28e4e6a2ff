//! The vocabulary between packets and detectors: owned, small, each event with its own time.
//!
//! No logic lives here. Names are copied once, when an event is made.

use std::net::IpAddr;
use std::sync::Arc;

use crate::decode::{Mac, Vlans};
use crate::time::Timestamp;

#[cfg(test)]
pub(crate) mod sample;

/// Something that was seen, and when.
#[derive(Debug, Clone)]
pub struct Event {
    /// When: the packet's time, never a clock's.
    pub time: Timestamp,
    /// The conversation it belongs to.
    pub flow: Flow,
    /// What was seen.
    pub body: Body,
}

/// What an [`Event`] says.
#[derive(Debug, Clone)]
pub enum Body {
    /// A conversation's first packet, but not to a DNS server: there the messages tell more.
    Opened,
    /// What a conversation moved since its last `Volume`: one for each 10 s of capture time
    /// (aligned to whole 10 s since the epoch) in which it moved anything, one at its end, and one
    /// whenever a direction has moved 4 MiB since its account. None reaches over the end of 10 s.
    Volume(Volume),
    /// A conversation's account: at its end and, for a long one, while it lives.
    Account(Account),
    /// A ClientHello, as soon as it is complete: what detectors go by.
    Hello(Box<TlsSession>),
    /// The same with what the server answered, or without when it did not answer in time.
    Tls(Box<TlsSession>),
    /// A DNS message.
    Dns(Box<DnsMessage>),
}

/// A conversation, as every event about it names it. The client is the side that opened it.
#[derive(Debug, Clone)]
pub struct Flow {
    /// EVE's `flow_id`: the same for all events of one conversation and for every reading of a capture.
    pub id: u64,
    /// A small number that no other conversation has while this one lives.
    pub slot: u32,
    /// The side that opened it.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// IP protocol number.
    pub protocol: u8,
    /// VLAN ids of its first packet, outermost first.
    pub vlans: Vlans,
    /// The interface its first packet came by: its place in the list of those that are captured
    /// from. A file has none.
    pub interface: Option<u16>,
    /// The tunnel its first packet came through.
    pub tunnel: Option<Arc<Tunnel>>,
    /// Time of its first packet.
    pub opened: Timestamp,
}

/// A tunnel as one packet in it shows it: the outermost, where there is one in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunnel {
    /// What it is.
    pub kind: TunnelKind,
    /// VXLAN's network identifier, GRE's key, or ERSPAN's session, where it has one.
    pub id: Option<u32>,
    /// Who put the packet in.
    pub source: IpAddr,
    /// Who is to take it out.
    pub destination: IpAddr,
}

/// What a [`Tunnel`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunnelKind {
    /// VXLAN (RFC 7348).
    Vxlan,
    /// GRE (RFC 2784, RFC 2890).
    Gre,
    /// ERSPAN, type I or II: a mirror's frames in GRE.
    Erspan,
}

/// One side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its port; for ICMP the client's is the type and the server's the code; else 0.
    pub port: u16,
    /// The MAC address its packets came from, once one was seen.
    pub mac: Option<Mac>,
}

/// Packets and bytes in one direction; bytes are frame lengths on the wire, in a tunnel those of the
/// frames or packets inside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

/// What moved since the last volume event of the same conversation.
#[derive(Debug, Clone, Copy)]
pub struct Volume {
    /// When the first of it was seen, or what was told before it ended.
    pub since: Timestamp,
    /// Client to server.
    pub to_server: Traffic,
    /// Server to client.
    pub to_client: Traffic,
}

/// What a conversation moved since its last account, and how it stands.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Client to server, since the last account.
    pub to_server: Traffic,
    /// Server to client, since the last account.
    pub to_client: Traffic,
    /// Time of the last packet.
    pub last: Timestamp,
    /// How it stands.
    pub state: FlowState,
    /// Why the account is given.
    pub reason: AccountReason,
    /// All TCP flags seen from the client and from the server.
    pub tcp_flags: Option<[u8; 2]>,
}

/// How a conversation stands, in EVE's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowState {
    /// Only one side was seen, or TCP's handshake is not complete.
    New,
    /// Both sides were seen.
    Established,
    /// TCP was closed or reset.
    Closed,
}

/// Why an [`Account`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountReason {
    /// It was quiet for the timeout of its state, or TCP closed it.
    Timeout,
    /// It lives on; this is a report in between.
    Active,
    /// The flow table was full.
    Evicted,
    /// The capture ended.
    Shutdown,
}

/// A TLS session as its first messages show it (RFC 8446, RFC 5246).
#[derive(Debug, Clone, Default)]
pub struct TlsSession {
    /// Server name of the ClientHello (RFC 6066), as sent; what is not printable as `\xNN`.
    pub sni: Option<Arc<str>>,
    /// Protocols the client offers (RFC 7301), written like the server name.
    pub alpn: Vec<Box<str>>,
    /// Highest version the client offers; GREASE left out (RFC 8701).
    pub offered: u16,
    /// Version the server chose, when its hello was seen.
    pub version: Option<u16>,
    /// Cipher suite the server chose.
    pub cipher: Option<u16>,
    /// Protocol the server chose (only visible up to TLS 1.2).
    pub server_alpn: Option<Box<str>>,
    /// Whether an Encrypted ClientHello extension was present.
    pub ech: bool,
    /// When the ClientHello was complete.
    pub hello: Timestamp,
}

/// A DNS message (RFC 1035), over UDP or TCP, multicast ones included.
#[derive(Debug, Clone)]
pub struct DnsMessage {
    /// Transaction id.
    pub id: u16,
    /// Whether this is a response.
    pub response: bool,
    /// The 16 bits of flags, opcode and rcode as sent.
    pub flags: u16,
    /// How it came.
    pub transport: DnsTransport,
    /// What was asked.
    pub questions: Vec<DnsQuestion>,
    /// The answer section, in order, of the types that are kept; others keep their type alone.
    pub answers: Vec<DnsAnswer>,
    /// Whether the message ended before all its answers were read.
    pub incomplete: bool,
}

impl DnsMessage {
    /// The response code in the header (RFC 6895): 0 no error, 3 no such name.
    pub const fn rcode(&self) -> u16 {
        self.flags & 0x0f
    }
}

/// How a DNS message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// Multicast DNS (RFC 6762), port 5353.
    Mdns,
    /// LLMNR (RFC 4795), port 5355.
    Llmnr,
}

/// An entry of the question section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsQuestion {
    /// Name as sent, without the final dot (the root is `.`); in a label a dot is `\.`, a backslash
    /// `\\`, and a byte that is not part of printable UTF-8 `\DDD` (mDNS names are UTF-8, RFC 6762).
    pub name: Arc<str>,
    /// Record type.
    pub rtype: u16,
}

/// An entry of the answer section.
#[derive(Debug, Clone, PartialEq)]
pub struct DnsAnswer {
    /// Owner name, written like a question's.
    pub name: Arc<str>,
    /// Record type.
    pub rtype: u16,
    /// Time to live in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: DnsData,
}

/// A record's data, of the types that are kept.
#[derive(Debug, Clone, PartialEq)]
pub enum DnsData {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, PTR, NS or DNAME: another name.
    Name(Arc<str>),
    /// TXT: its strings joined; what is not printable as `\DDD`.
    Text(Box<str>),
    /// SRV (RFC 2782).
    Service {
        /// Priority.
        priority: u16,
        /// Weight.
        weight: u16,
        /// Port.
        port: u16,
        /// Target name.
        target: Arc<str>,
    },
    /// SVCB or HTTPS (RFC 9460).
    ServiceBinding {
        /// Priority; 0 is an alias.
        priority: u16,
        /// Target name.
        target: Arc<str>,
        /// The `port` parameter.
        port: Option<u16>,
        /// Addresses hinted.
        hints: Vec<IpAddr>,
    },
    /// Any other type: passed over.
    Other,
}
