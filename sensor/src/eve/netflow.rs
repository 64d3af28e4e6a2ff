//! `netflow`: what an exporter or a firewall counted. As Suricata's, a line has one direction.

use std::net::IpAddr;

use serde::Serialize;

use super::community_id::CommunityId;
use super::{Ends, Time, flow, write_line};
use crate::decode::Vlans;
use crate::event::{Endpoint, Flow, FlowRecord, Report, Traffic};

/// The line of one direction of a record.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: Time,
    event_type: &'static str,
    #[serde(flatten)]
    ends: Ends,
    community_id: CommunityId,
    netflow: Counted,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp: Option<flow::TcpFlags>,
    egret: Own<'a>,
}

/// `netflow`
#[derive(Serialize)]
struct Counted {
    pkts: u64,
    bytes: u64,
    start: Time,
    end: Time,
    /// Whole seconds, as those of `flow` are counted.
    age: u64,
}

/// `egret`: who says so, and what is not counted.
#[derive(Serialize)]
struct Own<'a> {
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exporter: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sampling: Option<Sampling>,
    #[serde(skip_serializing_if = "flow::is_false")]
    blocked: bool,
}

/// `egret.sampling`: one packet in so many was counted, and what follows for the bytes.
#[derive(Serialize)]
struct Sampling {
    one_in: f64,
    estimated_bytes: u64,
}

/// Appends a record as a line, and as a second one where it tells of both directions.
pub(super) fn write(report: &Report, record: &FlowRecord, out: &mut Vec<u8>) {
    write_line(&line(report, record, [record.from, record.to], record.sent, record.tcp_flags), out);
    if let Some(received) = record.received {
        write_line(&line(report, record, [record.to, record.from], received, None), out);
    }
}

fn line<'a>(
    report: &'a Report,
    record: &FlowRecord,
    ends: [(IpAddr, u16); 2],
    moved: Traffic,
    flags: Option<u8>,
) -> Line<'a> {
    let reporter = &report.reporter;
    let sampling = record.one_in.map(|one_in| Sampling {
        one_in: (one_in * 10.0).round() / 10.0,
        estimated_bytes: (moved.bytes as f64 * one_in) as u64,
    });
    Line {
        timestamp: Time(report.time),
        event_type: "netflow",
        ends: Ends::new(record.protocol, ends),
        community_id: community_id(record),
        netflow: Counted {
            pkts: moved.packets,
            bytes: moved.bytes,
            start: Time(record.first),
            end: Time(record.last),
            age: record.last.as_secs().saturating_sub(record.first.as_secs()),
        },
        tcp: flags.map(flow::TcpFlags::all),
        egret: Own {
            source: reporter.service.name(),
            exporter: reporter.peer,
            host: reporter.host.as_deref(),
            stated: report.stated.map(Time),
            sampling,
            blocked: record.is_blocked,
        },
    }
}

/// The same for both directions, and for the packets of the conversation.
fn community_id(record: &FlowRecord) -> CommunityId {
    let end = |(address, port)| Endpoint { address, port, mac: None };
    CommunityId::new(&Flow {
        id: 0,
        slot: Flow::NO_SLOT,
        client: end(record.from),
        server: end(record.to),
        protocol: record.protocol,
        vlans: Vlans::default(),
        interface: None,
        tunnel: None,
        opened: record.first,
    })
}
