//! Flow logs in JSON.

use super::*;
use crate::event::{FlowRecord, Service, Traffic};
use crate::time::Timestamp;

fn records(record: &Value) -> Vec<FlowRecord> {
    let Some(told) = told(record) else { return Vec::new() };
    assert_eq!(told.service, Service::FlowLog);
    let record = |said| match said {
        Said::Exported(record) => *record,
        other => panic!("{other:?}"),
    };
    told.said.into_iter().map(record).collect()
}

fn traffic(packets: u64, bytes: u64) -> Traffic {
    Traffic { packets, bytes }
}

fn times(record: &FlowRecord) -> [u64; 2] {
    [record.first.as_secs(), record.last.as_secs()]
}

#[test]
fn google_cloud_tells_each_direction_by_itself() {
    let google = json!({
        "insertId": "x1", "logName": "projects/p/logs/compute.googleapis.com%2Fvpc_flows",
        "timestamp": "2026-11-20T14:03:20Z",
        "jsonPayload": {
            "connection": {
                "src_ip": "10.0.0.1", "src_port": 50000.0, "dest_ip": "203.0.113.9", "dest_port": 443,
                "protocol": 6,
            },
            "bytes_sent": "8400", "packets_sent": "10", "reporter": "SRC",
            "start_time": "2026-11-20T14:03:11.5Z", "end_time": "2026-11-20T14:03:16Z",
        },
    });
    let [record] = &records(&google)[..] else { panic!("one") };
    assert_eq!((record.from.1, record.to.1, record.protocol), (50_000, 443, 6));
    assert_eq!((record.sent, record.received), (traffic(10, 8400), None));
    assert_eq!(times(record), [1_795_183_391, 1_795_183_396]);
    let who = told(&google).unwrap();
    assert_eq!((who.host.as_deref(), who.id.as_deref()), (Some("SRC"), Some("x1")));
    for (path, value) in [
        ("jsonPayload.connection.src_ip", json!("10.0.0")),
        ("jsonPayload.connection.protocol", json!(256)),
        ("jsonPayload.bytes_sent", json!("-1")),
        ("jsonPayload.start_time", json!(null)),
    ] {
        assert_eq!(records(&with(&google, path, value)), [], "{path}");
    }
}

#[test]
fn virtual_networks_of_azure_tell_both_directions() {
    let lines = json!([
        "1795183391599,10.0.0.6,203.0.113.9,50000,443,6,O,B,NX,0,0,0,0",
        "1795183451599,10.0.0.6,203.0.113.9,50000,443,6,O,E,NX,5,420,4,990",
        "1795183451599,203.0.113.7,10.0.0.6,50000,22,6,I,D,NX,0,0,0,0",
        "1795183451599,10.0.0.6,203.0.113.9,50000",
        "x,10.0.0.6,203.0.113.9,50000,443,6,O,E,NX,5,420,4,990",
    ]);
    let azure = json!({
        "time": "2026-11-20T14:04:11Z", "flowLogVersion": 4, "macAddress": "112233445566",
        "category": "FlowLogFlowEvent", "operationName": "FlowLogFlowEvent",
        "flowRecords": { "flows": [{ "aclID": "a", "flowGroups": [{ "rule": "r", "flowTuples": lines }] }] },
    });
    let all = records(&azure);
    let [begun, ended, denied] = &all[..] else { panic!("{all:#?}") };
    assert_eq!(
        (begun.sent, begun.is_forward, begun.is_blocked),
        (traffic(0, 0), Some(true), false)
    );
    assert_eq!(begun.first, Timestamp::from_parts(1_795_183_391, 599_000_000));
    assert_eq!((ended.sent, ended.received), (traffic(5, 420), Some(traffic(4, 990))));
    assert_eq!(times(ended), [1_795_183_391, 1_795_183_451]);
    assert!(denied.is_blocked && denied.to.1 == 22);
    let who = told(&azure).unwrap();
    assert_eq!((who.host.as_deref(), who.time), (Some("112233445566"), Some(ended.last)));
}

#[test]
fn security_groups_of_azure_tell_with_counts_or_without() {
    let group = |lines: Value| {
        json!({
            "time": "2026-11-20T14:04:11Z", "category": "NetworkSecurityGroupFlowEvent",
            "operationName": "NetworkSecurityGroupFlowEvents",
            "properties": { "flows": [{ "rule": "r", "flows": [{ "mac": "m", "flowTuples": lines }] }] },
        })
    };
    let second = group(json!([
        "1795183451,10.0.0.6,203.0.113.9,50000,443,T,O,A,C,5,420,4,990",
        "1795183451,10.0.0.6,203.0.113.9,50000,53,U,O,A,B,,,,",
    ]));
    let all = records(&second);
    let [counted, begun] = &all[..] else { panic!("{all:#?}") };
    assert_eq!((counted.sent, counted.received), (traffic(5, 420), Some(traffic(4, 990))));
    assert_eq!((begun.protocol, begun.sent), (17, traffic(0, 0)));
    let first = group(json!([
        "1795183451,10.0.0.6,203.0.113.9,50000,443,T,O,A",
        "1795183451,203.0.113.7,10.0.0.6,50000,22,T,I,D",
    ]));
    let blocked: Vec<bool> = records(&first).iter().map(|record| record.is_blocked).collect();
    assert_eq!(blocked, [false, true]);
    assert_eq!(records(&group(json!([]))), []);
    assert_eq!(records(&group(json!(["", ",,,,,,,", 7, null]))), []);
}
