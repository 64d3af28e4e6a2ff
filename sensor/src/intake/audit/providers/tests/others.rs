//! Google Cloud, Azure and vCenter.

use super::*;

pub(super) fn google() -> Value {
    json!({
        "insertId": "i-1", "timestamp": "2026-11-20T14:03:11.5Z", "severity": "NOTICE",
        "resource": {"labels": {"project_id": "prod"}},
        "operation": {"id": "operation-1", "first": true, "producer": "compute.googleapis.com"},
        "protoPayload": {
            "methodName": "v1.compute.packetMirrorings.insert", "serviceName": "compute.googleapis.com",
            "authenticationInfo": {"principalEmail": "alice@corp.example"},
            "requestMetadata": {"callerIp": "192.0.2.10", "callerSuppliedUserAgent": "google-cloud-sdk gcloud/450"},
            "resourceName": "projects/prod/regions/r/packetMirrorings/m",
            "request": {
                "collectorIlb": {"url": "projects/prod/regions/r/forwardingRules/collector"},
                "mirroredResources": {"subnetworks": [{"url": "projects/prod/regions/r/subnetworks/a"}], "instances": [], "tags": ["web"]},
                "filter": {"cidrRanges": ["10.0.0.0/8"]}, "enable": "TRUE",
            },
        },
    })
}

pub(super) fn azure() -> Value {
    json!({
        "eventDataId": "e-2", "correlationId": "c-1", "eventTimestamp": "2026-11-20T14:03:11Z",
        "operationName": {"value": "Microsoft.Network/networkInterfaces/tapConfigurations/write", "localizedValue": "x"},
        "status": {"value": "Succeeded"}, "caller": "alice@corp.example",
        "claims": {"ipaddr": "192.0.2.10", "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"},
        "resourceId": "/subscriptions/s-1/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic/tapConfigurations/t",
        "properties": {"requestbody": "{\"properties\":{\"virtualNetworkTap\":{\"id\":\"/subscriptions/s-1/TAP\"}}}"},
    })
}

pub(super) fn vcenter() -> Value {
    json!({
        "_typeName": "DvsReconfiguredEvent", "key": 4711, "createdTime": "2026-11-20T14:03:11.5Z",
        "userName": "CORP\\alice", "dvs": {"name": "DSwitch"}, "datacenter": {"name": "DC0"},
        "configSpec": {"_typeName": "VMwareDVSConfigSpec", "vspanConfigSpec": [{
            "operation": "add",
            "vspanSession": {
                "name": "leak", "enabled": true, "sessionType": "encapsulatedRemoteMirrorSource",
                "sourcePortTransmitted": {"portKey": ["12"]}, "sourcePortReceived": {"portKey": ["12", "13"]},
                "destinationPort": {"ipAddress": ["198.51.100.7"]}, "mirroredPacketLength": 256,
                "samplingRate": 10, "encapType": "erspan2", "erspanId": 77,
            },
        }]},
    })
}

#[test]
fn google_tells_what_is_mirrored_where() {
    let expected = MirrorChange {
        call: "v1.compute.packetMirrorings.insert".into(),
        action: ChangeAction::Create,
        id: Some("projects/prod/regions/r/packetMirrorings/m".into()),
        scope: Some("prod".into()),
        principal: Some(Principal::named("alice@corp.example")),
        from: Some("192.0.2.10".into()),
        sources: names(&["projects/prod/regions/r/subnetworks/a", "web"]),
        targets: names(&["projects/prod/regions/r/forwardingRules/collector"]),
        record: Some("i-1".into()),
        ..MirrorChange::default()
    };
    assert_eq!(change(&google()), expected);
    let method = |method: &str| with(&google(), "protoPayload.methodName", json!(method));
    assert_eq!(change(&method("beta.Compute.PacketMirrorings.Patch")).action, ChangeAction::Modify);
    assert_eq!(
        change(&method("alpha.compute.packetMirrorings.delete")).action,
        ChangeAction::Delete
    );
    for other in ["v1.compute.packetMirrorings.get", "v1.compute.subnetworks.patch", "insert"] {
        assert_eq!(told(&method(other)), None, "{other}");
    }
    let disabled = with(&google(), "protoPayload.request.enable", json!("FALSE"));
    assert_eq!(change(&disabled).action, ChangeAction::Delete);
}

#[test]
fn a_filter_for_everything_is_wide() {
    let filtered = |filter| change(&with(&google(), "protoPayload.request.filter", filter)).is_wide;
    assert!(
        filtered(json!(null))
            && filtered(json!({}))
            && filtered(json!({"cidrRanges": ["10.0.0.0/8", "0.0.0.0/0"]}))
    );
    assert!(!filtered(json!({"IPProtocols": ["icmp"]})));
    let patch =
        with(&google(), "protoPayload.methodName", json!("v1.compute.packetMirrorings.patch"));
    let patch = with(&patch, "protoPayload.request", json!({"priority": 1}));
    assert!(!change(&patch).is_wide, "a change without a filter leaves it as it was");
}

#[test]
fn the_two_records_of_an_operation_are_told_once() {
    let last = with(&google(), "operation", json!({"id": "operation-1", "last": true}));
    let last = with(&with(&last, "protoPayload.request", json!(null)), "insertId", json!("i-2"));
    let failed =
        with(&last, "protoPayload.status", json!({"code": 7, "message": "PERMISSION_DENIED"}));
    let mut providers = Providers::default();
    let first = changed(providers.read(&google()));
    assert_eq!(providers.read(&last), None);
    let failure = changed(providers.read(&failed));
    let expected = MirrorChange {
        failure: Some("PERMISSION_DENIED".into()),
        record: Some("i-2".into()),
        ..first
    };
    assert_eq!(failure, expected, "with what was asked for");
    let graded = with(&last, "severity", json!("error"));
    assert_eq!(changed(providers.read(&graded)).failure.as_deref(), Some("error"));
    assert!(told(&last).is_some(), "whose first was never seen");
}

#[test]
fn azure_is_told_when_it_is_done() {
    let nic =
        "/subscriptions/s-1/resourcegroups/rg/providers/microsoft.network/networkinterfaces/nic";
    let expected = MirrorChange {
        call: "Microsoft.Network/networkInterfaces/tapConfigurations/write".into(),
        action: ChangeAction::Create,
        id: Some(format!("{nic}/tapconfigurations/t").into()),
        scope: Some("s-1".into()),
        principal: Some(Principal { by_console: true, ..Principal::named("alice@corp.example") }),
        from: Some("192.0.2.10".into()),
        sources: names(&[nic]),
        targets: names(&["/subscriptions/s-1/tap"]),
        wrapping: Some(TunnelKind::Vxlan),
        record: Some("e-2".into()),
        ..MirrorChange::default()
    };
    assert_eq!(change(&azure()), expected);
    let started = with(&azure(), "status", json!("Started"));
    let bare = with(&azure(), "properties", json!({"requestbody": ""}));
    let mut providers = Providers::default();
    assert_eq!(providers.read(&started), None);
    assert_eq!(providers.read(&with(&bare, "status.value", json!("Accepted"))), None);
    assert_eq!(changed(providers.read(&bare)), expected, "with what its start had");
    let failed = with(&with(&bare, "status", json!(null)), "resultType", json!("Failure"));
    let failed = with(&failed, "subStatus", json!({"value": "Forbidden"}));
    assert_eq!(changed(providers.read(&failed)).failure.as_deref(), Some("Forbidden"));
    assert_eq!(change(&bare).targets, names(&[]), "whose start was never seen");
}

#[test]
fn a_tap_of_azure_is_a_target() {
    let ipconfig = "/subscriptions/s-1/nic2/ipConfigurations/c";
    let body = json!({"properties": {"destinationNetworkInterfaceIPConfiguration": {"id": ipconfig, "properties": {"privateIPAddress": "10.1.0.4"}}}});
    let record =
        with(&azure(), "operationName", json!("MICROSOFT.NETWORK/VIRTUALNETWORKTAPS/WRITE"));
    let record = with(&record, "resourceId", json!("/SUBSCRIPTIONS/S-1/TAP"));
    for properties in [
        json!({"requestbody": body}),
        json!({"responseBody": body.to_string()}),
        json!(json!({"requestbody": body.to_string()}).to_string()),
    ] {
        let change = change(&with(&record, "properties", properties));
        assert_eq!(change.object, MirrorObject::Target);
        assert_eq!(change.targets, names(&["/subscriptions/s-1/tap", &ipconfig.to_lowercase()]));
        assert_eq!(change.addresses, ["10.1.0.4".parse::<IpAddr>().unwrap()]);
    }
    let joined =
        with(&record, "operationName", json!("Microsoft.Network/virtualNetworkTaps/join/action"));
    assert_eq!(told(&joined), None);
}

#[test]
fn vcenter_tells_each_session_of_a_switch() {
    let expected = MirrorChange {
        call: "DvsReconfiguredEvent".into(),
        action: ChangeAction::Create,
        kind: Some("encapsulatedRemoteMirrorSource".into()),
        id: Some("leak".into()),
        scope: Some("DSwitch".into()),
        principal: Some(Principal::named("CORP\\alice")),
        sources: names(&["port 12", "port 13"]),
        addresses: vec!["198.51.100.7".parse().unwrap()],
        wrapping: Some(TunnelKind::Erspan),
        wire_id: Some(77),
        packet_length: Some(256),
        sampling: Some(10),
        record: Some("4711 2026-11-20T14:03:11.5Z".into()),
        ..MirrorChange::default()
    };
    assert_eq!(change(&vcenter()), expected);
    let event = json!({"specversion": "1.0", "id": "ce-1", "subject": "DvsReconfiguredEvent", "data": vcenter()});
    assert_eq!(told(&event).unwrap().id.as_deref(), Some("ce-1"));

    let path = "configSpec.vspanConfigSpec.0";
    let session = |key: &str, value| with(&vcenter(), &format!("{path}.vspanSession.{key}"), value);
    assert_eq!(change(&session("enabled", json!(false))).action, ChangeAction::Delete);
    let edited = with(&vcenter(), &format!("{path}.operation"), json!("edit"));
    assert_eq!(change(&edited).action, ChangeAction::Modify);
    let gre = change(&session("encapType", json!(null)));
    assert_eq!((gre.wrapping, gre.wire_id), (Some(TunnelKind::Gre), None));

    let destination =
        json!({"portKey": ["7"], "uplinkPortName": ["Uplink 1"], "vlans": [30], "ipAddress": []});
    for kind in ["dvPortMirror", "remoteMirrorSource", "remoteMirrorDest", "mixedDestMirror"] {
        let record = with(
            &session("sessionType", json!(kind)),
            &format!("{path}.vspanSession.destinationPort"),
            destination.clone(),
        );
        let change = change(&record);
        assert_eq!(change.targets, names(&["port 7", "uplink Uplink 1", "vlan 30"]));
        assert_eq!(
            (change.wrapping, change.wire_id, change.kind.as_deref()),
            (None, None, Some(kind))
        );
    }

    let one = vcenter()["configSpec"]["vspanConfigSpec"][0].clone();
    let two = told(&with(&vcenter(), "configSpec.vspanConfigSpec", json!([one, one]))).unwrap();
    let records: Vec<_> = two
        .said
        .iter()
        .map(|said| match said {
            Said::MirrorChanged(change) => change.record.clone().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(records.len() == 2 && records[0] != records[1], "{records:?}");
}

#[test]
fn a_switch_without_details_was_reconfigured() {
    let said = told(&with(&vcenter(), "configSpec", json!({"name": "DSwitch"}))).unwrap().said;
    let expected =
        Said::SwitchReconfigured { switch: "DSwitch".into(), account: Some("CORP\\alice".into()) };
    assert_eq!(said, [expected]);
    for other in
        [json!({"_typeName": "VmPoweredOnEvent"}), json!({}), json!([]), json!("x"), json!(null)]
    {
        assert_eq!(told(&other), None, "{other}");
    }
}
