//! What a DNS message says.

use std::net::IpAddr;
use std::sync::Arc;

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
    /// Of a response: whether its conversation showed a packet of who asks. One that nobody asked for
    /// has none.
    pub asked: bool,
    /// What was asked.
    pub questions: Vec<DnsQuestion>,
    /// The answer section, in order, of the types that are kept; others keep their type alone.
    pub answers: Vec<DnsAnswer>,
    /// The authority section, likewise; only where an event file is written.
    pub authorities: Vec<DnsAnswer>,
    /// The additional section, likewise, without what EDNS puts there (OPT, RFC 6891).
    pub additionals: Vec<DnsAnswer>,
    /// Whether not all its questions and answers were read: the message ended before, or has more
    /// than are kept.
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

/// An entry of the answer section, or of those behind it.
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
    /// CNAME, PTR, NS, DNAME or MX: another name.
    Name(Arc<str>),
    /// TXT: its strings joined; NULL; what is not printable as `\DDD`.
    Text(Box<str>),
    /// SOA.
    Authority(Box<DnsAuthority>),
    /// SSHFP (RFC 4255).
    HostKey {
        /// Algorithm of the key.
        algorithm: u8,
        /// Type of the fingerprint.
        kind: u8,
        /// The fingerprint.
        fingerprint: Box<[u8]>,
    },
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

/// Who answers for a zone, and how its copies are kept (RFC 1035, 3.3.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsAuthority {
    /// The primary server's name.
    pub server: Arc<str>,
    /// The mailbox of who is responsible, written as a name.
    pub mailbox: Arc<str>,
    /// Version of the zone.
    pub serial: u32,
    /// Seconds between looks for a new version.
    pub refresh: u32,
    /// Seconds until the next look after one that failed.
    pub retry: u32,
    /// Seconds after which a copy is no longer good.
    pub expire: u32,
    /// Seconds for which it is remembered that there is no such name (RFC 2308).
    pub minimum: u32,
}
