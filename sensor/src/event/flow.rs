//! A conversation: who, where it was seen, and what it moved.

use std::net::IpAddr;
use std::sync::Arc;

use crate::decode::{Mac, Vlans};
use crate::time::Timestamp;

/// A conversation, as every event about it names it. The client is the side that opened it.
#[derive(Debug, Clone)]
pub struct Flow {
    /// EVE's `flow_id`: the same for all events of one conversation and for every reading of a capture.
    pub id: u64,
    /// A small number that no other conversation has while this one lives, or [`Flow::NO_SLOT`].
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

impl Flow {
    /// The slot of a conversation of which only a log tells.
    pub const NO_SLOT: u32 = u32::MAX;

    /// What stands for a conversation where something is said of one host alone.
    pub fn of_nobody(host: Endpoint, time: Timestamp) -> Self {
        Self {
            id: 0,
            slot: Self::NO_SLOT,
            client: host,
            server: host,
            protocol: 0,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: time,
        }
    }
}

/// A tunnel as one packet in it shows it: the outermost, where there is one in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tunnel {
    /// What it is.
    pub kind: TunnelKind,
    /// The network identifier of VXLAN and GENEVE, GRE's key, NVGRE's virtual subnet, ERSPAN's session
    /// or GTP-U's tunnel endpoint, where it has one.
    pub id: Option<u32>,
    /// How many tunnels the packet was in, this one included.
    pub depth: u8,
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
    /// VXLAN that says what it carries (draft-ietf-nvo3-vxlan-gpe-13).
    VxlanGpe,
    /// GENEVE (RFC 8926).
    Geneve,
    /// GRE (RFC 2784, RFC 2890).
    Gre,
    /// NVGRE (RFC 7637): GRE with a virtual subnet in its key.
    Nvgre,
    /// ERSPAN, type I, II or III: a mirror's frames in GRE.
    Erspan,
    /// IP in IP, either version in either (RFC 2003, RFC 2473, RFC 4213).
    IpInIp,
    /// GTP-U, version 1 (3GPP TS 29.281).
    GtpU,
}

impl TunnelKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Vxlan,
        Self::VxlanGpe,
        Self::Geneve,
        Self::Gre,
        Self::Nvgre,
        Self::Erspan,
        Self::IpInIp,
        Self::GtpU,
    ];

    /// Its name, as events have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan-gpe",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::Nvgre => "nvgre",
            Self::Erspan => "erspan",
            Self::IpInIp => "ipip",
            Self::GtpU => "gtp-u",
        }
    }
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

/// What was seen to move since the last volume event of the same conversation, second copies left out.
#[derive(Debug, Clone, Copy)]
pub struct Volume {
    /// When the first of it was seen, or what was told before it ended.
    pub since: Timestamp,
    /// Client to server.
    pub to_server: Traffic,
    /// Server to client.
    pub to_client: Traffic,
    /// All TCP flags seen so far from the client and from the server.
    pub tcp_flags: Option<[u8; 2]>,
    /// The mirror shows one packet in so many, where it does not show all.
    pub one_in: Option<f64>,
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
    /// What was recognised in it so far.
    pub app: Option<App>,
    /// The mirror shows one packet in so many, where it does not show all: the counts are of those
    /// that were seen.
    pub one_in: Option<f64>,
}

/// What a conversation speaks, of the protocols that are recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    /// TLS.
    Tls,
    /// QUIC.
    Quic,
    /// DNS.
    Dns,
    /// Multicast DNS.
    Mdns,
    /// LLMNR.
    Llmnr,
    /// HTTP in the clear.
    Http,
    /// SSH.
    Ssh,
    /// SMB.
    Smb,
    /// RFB: what VNC speaks.
    Rfb,
    /// RDP.
    Rdp,
    /// SOCKS, version 5.
    Socks,
    /// Stratum: what miners speak with their pools.
    Stratum,
    /// Nothing that is known, in bytes as even as encryption makes them.
    Opaque,
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
