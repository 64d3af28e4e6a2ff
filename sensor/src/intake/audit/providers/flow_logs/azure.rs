//! Flow logs of Azure (Microsoft, *Virtual network flow logs*; *NSG flow logs*, versions 1 and 2): JSON with
//! lines of values in it, both directions of a connection in each, as who opened it has them.
//!
//! A line tells that a connection began, goes on or ended, with what it moved since the line before; in
//! version 1 only that it was let through or not.

use std::time::Duration;

use serde_json::Value;

use crate::decode::protocol::{TCP, UDP};
use crate::event::{FlowRecord, Said, Service, Traffic};
use crate::intake::audit::providers::Told;
use crate::intake::audit::providers::field::Field;
use crate::time::Timestamp;

/// What goes on is told of each minute.
const INTERVAL: Duration = Duration::from_secs(60);
/// Values of a line at most.
const MAX_VALUES: usize = 16;

/// Whether a record is of such a log.
pub(in super::super) fn is(record: Field<'_>) -> bool {
    flows(record).is_there()
}

fn flows(record: Field<'_>) -> Field<'_> {
    record.path(&["flowRecords", "flows"]).or(record.path(&["properties", "flows"]))
}

/// What a record says: all its lines, which are as many as a record has room for.
pub(in super::super) fn read(record: Field<'_>) -> Option<Told> {
    let mut records = Vec::new();
    lines(flows(record).value()?, &mut |line| records.extend(connection(line)));
    let time = records.iter().map(|record| record.last).max()?;
    let said = records.into_iter().map(|record| Said::Exported(Box::new(record)));
    Some(Told {
        service: Service::FlowLog,
        host: record.at("macAddress").name(),
        time: Some(time),
        id: None,
        said: said.collect(),
    })
}

/// All `flowTuples` below: rules have groups, or flows by interface, which have them.
fn lines(value: &Value, tell: &mut impl FnMut(&str)) {
    let list = |value: &Value, tell: &mut dyn FnMut(&Value)| {
        value.as_array().into_iter().flatten().for_each(tell);
    };
    list(value, &mut |rule| {
        let groups = ["flowGroups", "flows"].iter().find_map(|key| rule.get(key));
        list(groups.unwrap_or(&Value::Null), &mut |group| {
            let tuples = group.get("flowTuples").unwrap_or(&Value::Null);
            list(tuples, &mut |line| line.as_str().into_iter().for_each(&mut *tell));
        });
    });
}

/// `1663146003599,10.0.0.6,192.0.2.180,23956,443,6,O,E,NX,5,420,4,990` of virtual networks,
/// `1542110377,10.0.0.6,192.0.2.180,23956,443,T,O,A,E,5,420,4,990` of security groups.
fn connection(line: &str) -> Option<FlowRecord> {
    let values: Vec<&str> = line.split(',').take(MAX_VALUES).map(str::trim).collect();
    let [time, from, to, here, there, protocol, _direction, state, rest @ ..] = &*values else {
        return None;
    };
    let (protocol, time) = match *protocol {
        "T" => (TCP, seconds(time, 1)?),
        "U" => (UDP, seconds(time, 1)?),
        number => (number.parse().ok()?, seconds(time, 1000)?),
    };
    // What a security group decided comes before how far the connection is; it has no encryption.
    let (state, counts) = match (*state, rest) {
        ("A", [state, counts @ ..]) => (*state, counts),
        ("A", []) => ("B", rest),
        ("B" | "C" | "E", [_encryption, counts @ ..]) => (*state, counts),
        ("D", _) => ("D", &[][..]),
        _ => return None,
    };
    let count = |at: usize| counts.get(at).and_then(|count| count.parse().ok()).unwrap_or(0);
    let traffic = |at: usize| Traffic { packets: count(at), bytes: count(at.saturating_add(1)) };
    let lasted = if matches!(state, "C" | "E") { INTERVAL } else { Duration::ZERO };
    Some(FlowRecord {
        from: (from.parse().ok()?, here.parse().ok()?),
        to: (to.parse().ok()?, there.parse().ok()?),
        protocol,
        first: time.minus(lasted),
        last: time,
        sent: traffic(0),
        received: Some(traffic(2)),
        tcp_flags: None,
        one_in: None,
        is_forward: Some(true),
        is_blocked: state == "D",
    })
}

/// A time since 1970 in parts of a second.
fn seconds(text: &str, parts: u64) -> Option<Timestamp> {
    let number: u64 = text.parse().ok()?;
    Some(Timestamp::from_parts(number / parts, number % parts * 1_000_000))
}
