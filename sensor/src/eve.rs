//! Events as Suricata EVE JSON lines, so that whatever reads Suricata reads Egret.
//!
//! Field names, their order and formats are Suricata 8's; `src_*` is always the side that opened
//! the conversation. What EVE has no name for goes under one key, `egret`.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::decode::protocol::{ICMP, ICMPV6, SCTP, TCP, UDP};
use crate::event::{Account, Flow, FlowState};
use crate::time::Timestamp;
use community_id::CommunityId;
use protocol::Protocol;

mod alert;
mod anomaly;
pub mod community_id;
mod dns;
mod flow;
mod netflow;
mod protocol;
mod quic;
mod report;
mod stats;
mod tls;
mod tunnel;
mod writer;

pub use anomaly::write_anomalies;
pub use report::write_report;
pub use stats::{Capture, Decoder, Refused, Stats, write_stats};
pub use writer::Writer;

fn write_line(line: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    match serde_json::to_writer(&mut *out, line) {
        Ok(()) => out.push(b'\n'),
        // A `Vec` takes all that is written and no map has odd keys; half a line would be worse
        // than none.
        Err(_) => out.truncate(start),
    }
}

/// What every event about a conversation has, and one of the bodies.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    flow_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_iface: Option<&'a str>,
    event_type: &'static str,
    #[serde(skip_serializing_if = "<[u16]>::is_empty")]
    vlan: &'a [u16],
    #[serde(flatten)]
    ends: Ends,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_icmp_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_icmp_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_proto: Option<&'static str>,
    community_id: CommunityId,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<alert::Alert<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<tls::Session<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quic: Option<quic::Session<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<dns::Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<flow::Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<flow::TcpFlags>,
    #[serde(skip_serializing_if = "Egret::is_empty")]
    egret: Egret<'a>,
}

/// Between whom, by which protocol.
#[derive(Serialize)]
struct Ends {
    src_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: Protocol,
    ip_v: u8,
}

/// What EVE has no name for.
#[derive(Serialize)]
struct Egret<'a> {
    #[serde(flatten)]
    own: Option<Own<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<tunnel::Tunnel>,
}

impl Egret<'_> {
    const fn is_empty(&self) -> bool {
        self.own.is_none() && self.tunnel.is_none()
    }
}

/// What it is of an event's own body.
#[derive(Serialize)]
#[serde(untagged)]
enum Own<'a> {
    Alert(alert::Own<'a>),
    Tls(tls::Own<'a>),
    Quic(quic::Own<'a>),
    Dns(dns::Own),
    Flow(flow::Own),
}

impl Ends {
    fn new(protocol: u8, [source, destination]: [(IpAddr, u16); 2]) -> Self {
        let has_ports = matches!(protocol, TCP | UDP | SCTP);
        Self {
            src_ip: source.0,
            src_port: has_ports.then_some(source.1),
            dest_ip: destination.0,
            dest_port: has_ports.then_some(destination.1),
            proto: Protocol(protocol),
            ip_v: if source.0.is_ipv4() { 4 } else { 6 },
        }
    }
}

impl<'a> Line<'a> {
    fn new(
        time: Timestamp,
        flow: &'a Flow,
        interfaces: &'a [String],
        event_type: &'static str,
    ) -> Self {
        let Flow { id, client, server, protocol, vlans, interface, tunnel, .. } = flow;
        let is_icmp = matches!(*protocol, ICMP | ICMPV6);
        let in_iface = interface.and_then(|place| interfaces.get(usize::from(place)));
        Self {
            timestamp: Time(time),
            flow_id: *id,
            in_iface: in_iface.map(String::as_str),
            event_type,
            vlan: vlans,
            ends: Ends::new(*protocol, [client, server].map(|end| (end.address, end.port))),
            icmp_type: is_icmp.then_some(client.port),
            icmp_code: is_icmp.then_some(server.port),
            response_icmp_type: None,
            response_icmp_code: None,
            app_proto: None,
            community_id: CommunityId::new(flow),
            alert: None,
            tls: None,
            quic: None,
            dns: None,
            flow: None,
            tcp: None,
            egret: Egret { own: None, tunnel: tunnel.as_deref().map(tunnel::Tunnel::new) },
        }
    }

    /// Says what an ICMP message was answered with, once it was: a question has one kind of answer.
    fn answered(&mut self, account: &Account) {
        let both_seen = account.state == FlowState::Established;
        let Some(kind) = self.icmp_type.filter(|_| both_seen) else { return };
        self.response_icmp_type = community_id::counterpart(self.ends.proto.0, kind);
        self.response_icmp_code = self.response_icmp_type.map(|_| 0);
    }
}

/// A time in EVE's form.
#[derive(Clone, Copy)]
struct Time(Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.eve())
    }
}

/// A number in lower-case hexadecimal, as EVE has flags.
struct Hex(u16, usize);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, width) = *self;
        serializer.collect_str(&fmt::from_fn(|f| write!(f, "{value:0width$x}")))
    }
}

#[cfg(test)]
mod tests;
