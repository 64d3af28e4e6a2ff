//! VPC flow logs of Google Cloud (Google, *VPC Flow Logs record format*): JSON, one direction of a
//! connection a record.
//!
//! Google samples packets and corrects what it counts by itself. Both virtual machines of a connection
//! tell of it: who tells is the side.

use crate::event::{FlowRecord, Said, Service, Traffic};
use crate::intake::audit::providers::Told;
use crate::intake::audit::providers::field::Field;

/// Whether a record is of such a log.
pub(in super::super) fn is(record: Field<'_>) -> bool {
    record.path(&["jsonPayload", "connection"]).is_there()
        && record.path(&["jsonPayload", "bytes_sent"]).is_there()
}

/// What a record says.
pub(in super::super) fn read(record: Field<'_>) -> Option<Told> {
    let payload = record.at("jsonPayload");
    let connection = payload.at("connection");
    let end = |address, port| {
        let port = connection.at(port).number_to(u16::MAX.into()).unwrap_or(0);
        Some((connection.at(address).address()?, u16::try_from(port).ok()?))
    };
    let first = payload.at("start_time").time()?;
    let last = payload.at("end_time").time()?.max(first);
    let said = FlowRecord {
        from: end("src_ip", "src_port")?,
        to: end("dest_ip", "dest_port")?,
        protocol: connection.at("protocol").number()?.try_into().ok()?,
        first,
        last,
        sent: Traffic {
            packets: payload.at("packets_sent").number()?,
            bytes: payload.at("bytes_sent").number()?,
        },
        received: None,
        tcp_flags: None,
        one_in: None,
        is_forward: None,
        is_blocked: false,
    };
    Some(Told {
        service: Service::FlowLog,
        host: payload.at("reporter").name(),
        time: Some(last),
        id: record.at("insertId").text().map(Into::into),
        said: vec![Said::Exported(Box::new(said))],
    })
}
