//! What logs said.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::event::{
    Access, Basis, ChangeAction, Claim, FlowRecord, GuestOperation, MirrorChange, Operation,
    Principal, Report, Reporter, Said, Service, Session, SessionChange, Traffic, TunnelKind,
};

fn report(service: Service, said: Said) -> Report {
    let time = Timestamp::from_parts(1_795_183_391, 123_456_000);
    let stated = Some(time.minus(Duration::from_millis(1500)));
    let peer = Some("192.0.2.5".parse().unwrap());
    Report { time, stated, reporter: Reporter { service, host: Some("esx1".into()), peer }, said }
}

fn written(report: &Report) -> String {
    let mut out = Vec::new();
    write_report(report, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_guest_operation_has_all_that_is_known_of_it() {
    let account = Some(Claim { account: r"CORP\al".into(), basis: Basis::Stated });
    let operation = GuestOperation {
        operation: Operation::FileTransferFromGuest,
        vm: Some("db \"03\"".into()),
        account,
        client: Some("192.0.2.7".parse().unwrap()),
        is_refused: false,
        event: Some(249),
        session: Some("52018116".into()),
        op_id: Some("c4c96306".into()),
        also: vec![Service::Vpxd, Service::Audit],
    };
    let report = report(Service::Hostd, Said::GuestOperation(Box::new(operation)));
    let expected = concat!(
        r#"{"timestamp":"2026-11-20T14:03:11.123456+0000","event_type":"guest_operation","#,
        r#""egret":{"guest_operation":{"operation":"InitiateFileTransferFromGuest","#,
        r#""vm":"db \"03\"","account":"CORP\\al","basis":"stated","client":"192.0.2.7","#,
        r#""refused":false,"event":249,"session":"52018116","op_id":"c4c96306","#,
        r#""also":["vpxd","audit"],"source":"hostd","host":"esx1","sender":"192.0.2.5","#,
        r#""stated":"2026-11-20T14:03:09.623456+0000","skew":-1.5}}}"#,
        "\n"
    );
    assert_eq!(written(&report), expected);
}

#[test]
fn of_a_guest_operation_what_is_not_known_is_left_out() {
    let operation = GuestOperation {
        operation: Operation::Other("Brew Coffee".into()),
        vm: None,
        account: None,
        client: None,
        is_refused: true,
        event: None,
        session: None,
        op_id: None,
        also: Vec::new(),
    };
    let said = Said::GuestOperation(Box::new(operation));
    let reporter = Reporter { service: Service::Audit, host: None, peer: None };
    let report = Report { stated: None, reporter, ..report(Service::Audit, said) };
    let own = r#""egret":{"guest_operation":{"operation":"Brew Coffee","refused":true,"source":"audit"}}}"#;
    assert!(written(&report).contains(own), "{}", written(&report));
}

#[test]
fn a_mirror_is_told_with_all_that_is_known_of_it() {
    let principal = Principal {
        foreign_account: Some("444455556666".into()),
        by_console: true,
        ..Principal::named("netops")
    };
    let change = MirrorChange {
        call: "ModifyTrafficMirrorSession".into(),
        kind: Some("erspan-source".into()),
        principal: Some(principal),
        failure: Some("denied".into()),
        sources: vec!["eni-0a".into()],
        targets: vec!["tmt-0a".into()],
        addresses: vec![[10, 0, 0, 5].into()],
        wrapping: Some(TunnelKind::Vxlan),
        wire_id: Some(7),
        filter: Some("tmf-0a".into()),
        is_wide: true,
        packet_length: Some(128),
        sampling: Some(10),
        ..MirrorChange::default()
    };
    let line = written(&report(Service::CloudTrail, Said::MirrorChanged(Box::new(change))));
    for own in [
        r#""action":"mirror_modify","operation":"ModifyTrafficMirrorSession","object":"session","kind":"erspan-source""#,
        r#""sources":["eni-0a"],"targets":["tmt-0a"],"addresses":["10.0.0.5"],"wrapping":"vxlan","wire_id":7"#,
        r#""filter":"tmf-0a","wide":true,"packet_length":128,"sampling":10"#,
        r#""console":true,"foreign_account":"444455556666","failure":"denied""#,
        r#""account":"netops","refused":true"#,
    ] {
        assert!(line.contains(own), "{own} in {line}");
    }
}

#[test]
fn logins_and_changes_of_the_network_are_audit_events() {
    let session = Session {
        change: SessionChange::Refused,
        account: "eve".into(),
        client: None,
        agent: Some("PowerCLI/13".into()),
        id: None,
        access: Access::Api,
    };
    let switch: Arc<str> = "DSwitch".into();
    let mirroring = MirrorChange {
        call: "CreatePortMirroringSession".into(),
        action: ChangeAction::Create,
        ..MirrorChange::default()
    };
    for (said, own) in [
        (
            Said::Session(Box::new(session)),
            r#"{"action":"login_refused","access":"api","account":"eve","agent":"PowerCLI/13","source""#,
        ),
        (
            Said::SwitchReconfigured { switch: switch.clone(), account: None },
            r#"{"action":"switch_reconfigured","switch":"DSwitch","source""#,
        ),
        (
            Said::MirrorChanged(Box::new(mirroring)),
            r#"{"action":"mirror_create","operation":"CreatePortMirroringSession","object":"session","refused":false,"source""#,
        ),
    ] {
        let line = written(&report(Service::Vpxd, said));
        assert!(line.contains(r#""event_type":"audit","#), "{line}");
        assert!(line.contains(&format!(r#""egret":{{"audit":{own}"#)), "{line}");
    }
    let address = Said::Address { id: "eni-0a".into(), address: [10, 0, 0, 5].into() };
    let own =
        r#""egret":{"audit":{"action":"address","id":"eni-0a","addresses":["10.0.0.5"],"source""#;
    assert!(written(&report(Service::CloudTrail, address)).contains(own));
    let placement = Said::Placement { vm: "web01".into(), host: switch, is_new: false };
    assert_eq!(written(&report(Service::Vpxd, placement)), "");
}

#[test]
fn a_flow_record_is_a_line_for_each_direction() {
    let last = Timestamp::from_parts(1_795_183_391, 0);
    let mut record = FlowRecord {
        from: ([10, 0, 0, 1].into(), 49_152),
        to: ([203, 0, 113, 9].into(), 443),
        protocol: 6,
        first: last.minus(Duration::from_secs(60)),
        last,
        sent: Traffic { packets: 3, bytes: 1500 },
        received: Some(Traffic { packets: 2, bytes: 80 }),
        tcp_flags: Some(0x1b),
        one_in: Some(100.0),
        is_forward: None,
        is_blocked: false,
    };
    let lines = |record: &FlowRecord| {
        written(&report(Service::Ipfix, Said::Exported(Box::new(record.clone()))))
    };
    let expected = concat!(
        r#"{"timestamp":"2026-11-20T14:03:11.123456+0000","event_type":"netflow","#,
        r#""src_ip":"10.0.0.1","src_port":49152,"dest_ip":"203.0.113.9","dest_port":443,"#,
        r#""proto":"TCP","ip_v":4,"community_id":"1:ID","netflow":{"pkts":3,"bytes":1500,"#,
        r#""start":"2026-11-20T14:02:11.000000+0000","end":"2026-11-20T14:03:11.000000+0000","#,
        r#""age":60},"tcp":{"tcp_flags":"1b","syn":true,"fin":true,"psh":true,"ack":true},"#,
        r#""egret":{"source":"ipfix","exporter":"192.0.2.5","host":"esx1","#,
        r#""stated":"2026-11-20T14:03:09.623456+0000","#,
        r#""sampling":{"one_in":100.0,"estimated_bytes":150000}}}"#,
        "\n"
    );
    let both = lines(&record);
    let ids: Vec<_> = both
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["community_id"].clone()
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    let first = both.replace(ids[0].as_str().unwrap(), "1:ID");
    assert!(first.starts_with(expected), "{first}");
    assert!(both.lines().nth(1).unwrap().contains(r#""src_ip":"203.0.113.9","src_port":443"#));
    record = FlowRecord { received: None, protocol: 1, is_blocked: true, ..record };
    let one = lines(&record);
    assert_eq!(one.lines().count(), 1);
    assert!(!one.contains("src_port") && one.contains(r#""blocked":true"#), "{one}");
}
