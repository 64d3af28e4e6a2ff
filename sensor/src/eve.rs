//! Events as Suricata EVE JSON lines, so that whatever reads Suricata reads Egret.
//!
//! Field names, their order and formats are Suricata 8's; `src_*` is always the side that opened
//! the conversation. What EVE has no name for goes under one key, `egret`.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::decode::protocol;
use crate::event::{Body, Event, Flow};
use crate::mirror::Report;
use crate::time::Timestamp;
use community_id::CommunityId;

pub mod community_id;
mod dns;
mod flow;
mod stats;
mod tls;
mod tunnel;

pub use stats::{Refused, Stats};

/// Appends an event to `out` as one line of JSON with its line feed; what has no line in EVE
/// (a conversation's first packet, its volume, a ClientHello alone) appends nothing. `interfaces` are
/// the names of those that are captured from; of a file there are none.
pub fn write_event(event: &Event, interfaces: &[String], out: &mut Vec<u8>) {
    let in_iface = event.flow.interface.and_then(|place| interfaces.get(usize::from(place)));
    let in_iface = in_iface.map(String::as_str);
    let mut line = match &event.body {
        Body::Opened | Body::Volume(_) | Body::Hello(_) => return,
        Body::Account(_) => Line::new(event, in_iface, "flow"),
        Body::Tls(_) => Line::new(event, in_iface, "tls"),
        Body::Dns(_) => Line::new(event, in_iface, "dns"),
    };
    match &event.body {
        Body::Opened | Body::Volume(_) | Body::Hello(_) => {}
        Body::Account(account) => {
            line.flow = Some(flow::Account::new(account, event.flow.opened));
            line.tcp = account.tcp_flags.map(flow::TcpFlags::new);
            line.egret.own = flow::Own::new(account).map(Own::Flow);
        }
        Body::Tls(session) => {
            line.tls = Some(tls::Session::new(session));
            line.egret.own = Some(Own::Tls(tls::Own::new(session)));
        }
        Body::Dns(message) => {
            line.dns = Some(dns::Message::new(message));
            line.egret.own = dns::Own::new(message).map(Own::Dns);
        }
    }
    write_line(&line, out);
}

/// Appends the event that ends a run: what was read, what was refused and why, and what the mirror
/// did to it.
pub fn write_stats(
    time: Timestamp,
    stats: &Stats,
    refused: &Refused,
    mirror: &[Report],
    out: &mut Vec<u8>,
) {
    write_line(&stats::Line::new(time, stats, refused, mirror), out);
}

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
    src_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: Protocol,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u16>,
    community_id: CommunityId,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<tls::Session<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<dns::Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<flow::Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<flow::TcpFlags>,
    #[serde(skip_serializing_if = "Egret::is_empty")]
    egret: Egret,
}

/// What EVE has no name for.
#[derive(Serialize)]
struct Egret {
    #[serde(flatten)]
    own: Option<Own>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<tunnel::Tunnel>,
}

impl Egret {
    const fn is_empty(&self) -> bool {
        self.own.is_none() && self.tunnel.is_none()
    }
}

/// What it is of an event's own body.
#[derive(Serialize)]
#[serde(untagged)]
enum Own {
    Tls(tls::Own),
    Dns(dns::Own),
    Flow(flow::Own),
}

impl<'a> Line<'a> {
    fn new(event: &'a Event, in_iface: Option<&'a str>, event_type: &'static str) -> Self {
        let Flow { id, client, server, protocol, vlans, tunnel, .. } = &event.flow;
        let has_ports = matches!(*protocol, protocol::TCP | protocol::UDP | protocol::SCTP);
        let is_icmp = matches!(*protocol, protocol::ICMP | protocol::ICMPV6);
        Self {
            timestamp: Time(event.time),
            flow_id: *id,
            in_iface,
            event_type,
            vlan: vlans,
            src_ip: client.address,
            src_port: has_ports.then_some(client.port),
            dest_ip: server.address,
            dest_port: has_ports.then_some(server.port),
            proto: Protocol(*protocol),
            icmp_type: is_icmp.then_some(client.port),
            icmp_code: is_icmp.then_some(server.port),
            community_id: CommunityId::new(&event.flow),
            tls: None,
            dns: None,
            flow: None,
            tcp: None,
            egret: Egret { own: None, tunnel: tunnel.as_deref().map(tunnel::Tunnel::new) },
        }
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

/// An IP protocol by the name Suricata gives it, else its number in three digits.
struct Protocol(u8);

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self.0 {
            protocol::ICMP => "ICMP",
            2 => "IGMP",
            4 => "IPv4",
            protocol::TCP => "TCP",
            protocol::UDP => "UDP",
            41 => "IPv6",
            47 => "GRE",
            50 => "ESP",
            51 => "AH",
            protocol::ICMPV6 => "IPv6-ICMP",
            89 => "OSPFIGP",
            103 => "PIM",
            112 => "VRRP",
            protocol::SCTP => "SCTP",
            other => return serializer.collect_str(&format_args!("{other:03}")),
        };
        serializer.serialize_str(name)
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
