//! CloudTrail.

use super::*;

pub(super) fn created() -> Value {
    json!({
        "eventVersion": "1.08", "eventSource": "ec2.amazonaws.com", "eventID": "e-1",
        "eventName": "CreateTrafficMirrorSession", "eventTime": "2026-11-20T14:03:11Z",
        "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.15", "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/netops/alice",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/netops"}},
        },
        "requestParameters": {"CreateTrafficMirrorSessionRequest": {
            "NetworkInterfaceId": "eni-0a", "TrafficMirrorTargetId": "tmt-0a",
            "TrafficMirrorFilterId": "tmf-0a", "SessionNumber": 1, "PacketLength": 128, "TagSet": [],
        }},
        "responseElements": {"CreateTrafficMirrorSessionResponse": {"trafficMirrorSession": {
            "trafficMirrorSessionId": "tms-0a", "virtualNetworkId": 12345, "ownerId": "111122223333",
            "networkInterfaceId": "eni-0a", "tagSet": [],
        }}},
    })
}

fn rule(request: Value) -> Value {
    let record = with(&created(), "eventName", json!("CreateTrafficMirrorFilterRule"));
    let record = with(&record, "responseElements", json!(null));
    with(&record, "requestParameters", json!({"CreateTrafficMirrorFilterRuleRequest": request}))
}

#[test]
fn a_session_is_told_with_all_its_ends() {
    let principal = Principal {
        full: Some("arn:aws:sts::111122223333:assumed-role/netops/alice".into()),
        ..Principal::named("arn:aws:iam::111122223333:role/netops")
    };
    let expected = MirrorChange {
        call: "CreateTrafficMirrorSession".into(),
        action: ChangeAction::Create,
        object: MirrorObject::Session,
        id: Some("tms-0a".into()),
        scope: Some("111122223333".into()),
        principal: Some(principal),
        from: Some("192.0.2.10".into()),
        sources: names(&["eni-0a"]),
        targets: names(&["tmt-0a"]),
        wrapping: Some(TunnelKind::Vxlan),
        wire_id: Some(12345),
        filter: Some("tmf-0a".into()),
        packet_length: Some(128),
        record: Some("e-1".into()),
        ..MirrorChange::default()
    };
    assert_eq!(change(&created()), expected);
    let told = told(&created()).unwrap();
    assert_eq!((told.service, told.id.as_deref()), (Service::CloudTrail, Some("e-1")));
    assert_eq!(told.time, "2026-11-20T14:03:11Z".parse().ok());
    // A collector may leave out what the call gave back, and the keys around.
    let bare = with(&created(), "responseElements", json!(null));
    assert_eq!(change(&bare), MirrorChange { id: None, wire_id: None, ..expected.clone() });
    let request =
        created().pointer("/requestParameters/CreateTrafficMirrorSessionRequest").cloned();
    assert_eq!(change(&with(&created(), "requestParameters", request.unwrap())), expected);
}

#[test]
fn calls_are_told_apart() {
    for (call, action, object) in [
        ("CreateTrafficMirrorTarget", ChangeAction::Create, MirrorObject::Target),
        ("ModifyTrafficMirrorTarget", ChangeAction::Modify, MirrorObject::Target),
        ("DeleteTrafficMirrorFilter", ChangeAction::Delete, MirrorObject::Filter),
        ("ModifyTrafficMirrorFilterNetworkServices", ChangeAction::Modify, MirrorObject::Filter),
        ("modifyTRAFFICMirrorFilterRule", ChangeAction::Modify, MirrorObject::FilterRule),
        ("DeleteTrafficMirrorSession", ChangeAction::Delete, MirrorObject::Session),
    ] {
        let change = change(&with(&created(), "eventName", json!(call)));
        assert_eq!((change.action, change.object, &*change.call), (action, object, call));
    }
    for call in ["DescribeTrafficMirrorSessions", "CreateTrafficMirrorX", "StopInstances", ""] {
        assert_eq!(told(&with(&created(), "eventName", json!(call))), None, "{call}");
    }
    assert_eq!(told(&with(&created(), "eventSource", json!("s3.amazonaws.com"))), None);
}

#[test]
fn a_target_has_what_is_behind_it() {
    let record = with(&created(), "eventName", json!("CreateTrafficMirrorTarget"));
    for (key, id) in [
        ("NetworkInterfaceId", "eni-0b"),
        (
            "NetworkLoadBalancerArn",
            "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/x/1",
        ),
        ("GatewayLoadBalancerEndpointId", "vpce-0a"),
    ] {
        let asked = json!({"CreateTrafficMirrorTargetRequest": {key: id}});
        let given = json!({"CreateTrafficMirrorTargetResponse": {"trafficMirrorTarget": {
            "trafficMirrorTargetId": "tmt-0a", "ownerId": 11122223333.0}}});
        let record = with(&with(&record, "requestParameters", asked), "responseElements", given);
        let change = change(&record);
        assert_eq!(change.targets, names(&["tmt-0a", id]));
        assert_eq!(change.scope.as_deref(), Some("011122223333"), "a number has no zeros in front");
    }
}

#[test]
fn a_call_that_failed_says_why() {
    let failed = with(&created(), "errorCode", json!("Client.UnauthorizedOperation"));
    assert_eq!(change(&failed).failure.as_deref(), Some("Client.UnauthorizedOperation"));
    let failed = with(&failed, "errorMessage", json!("not\nallowed"));
    let failure = change(&failed).failure;
    assert_eq!(failure.as_deref(), Some("Client.UnauthorizedOperation: not\\nallowed"));
}

#[test]
fn who_calls_may_be_of_another_account_or_at_the_console() {
    let by = |record: &Value| change(record).principal.unwrap();
    let foreign = with(&created(), "recipientAccountId", json!("444455556666"));
    assert_eq!(by(&foreign).foreign_account.as_deref(), Some("111122223333"));
    let masked = with(&foreign, "userIdentity.accountId", json!("999999999999"));
    assert_eq!(by(&masked).foreign_account, None, "an account that does not agree with itself");
    for (key, value) in [
        ("sessionCredentialFromConsole", json!(true)),
        ("sessionCredentialFromConsole", json!("true")),
        ("sourceIPAddress", json!("AWS Internal")),
        ("userAgent", json!("signin.amazonaws.com")),
    ] {
        assert!(by(&with(&created(), key, value)).by_console);
    }
    assert!(!by(&created()).by_console);
    let root = json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root"});
    let root = by(&with(&created(), "userIdentity", root));
    assert_eq!((&*root.name, root.full), ("arn:aws:iam::111122223333:root", None));
}

#[test]
fn what_aws_does_for_itself_is_left_out() {
    let by = |who: &str| with(&created(), "userIdentity.invokedBy", json!(who));
    assert_eq!(told(&by("config.amazonaws.com")), None);
    for agent in ["cloudformation.amazonaws.com", "signin.amazonaws.com", "AWS Internal"] {
        assert!(told(&by(agent)).is_some(), "{agent} calls for whoever uses it");
    }
}

#[test]
fn a_rule_for_everything_is_wide() {
    let open = json!({
        "TrafficMirrorFilterId": "tmf-0a", "RuleAction": "accept", "TrafficDirection": "egress",
        "SourceCidrBlock": "0.0.0.0/0", "DestinationCidrBlock": "0.0.0.0/0",
    });
    let is_wide = |request: &Value| change(&rule(request.clone())).is_wide;
    assert!(is_wide(&open));
    assert_eq!(change(&rule(open.clone())).filter.as_deref(), Some("tmf-0a"));
    for (key, value, wide) in [
        ("SourceCidrBlock", json!("::/0"), true),
        ("SourceCidrBlock", json!("10.0.0.0/8"), false),
        ("RuleAction", json!("reject"), false),
        ("Protocol", json!(6.0), true),
        ("Protocol", json!(1), false),
        ("DestinationPortRange", json!({"FromPort": 443, "ToPort": 443}), false),
        ("DestinationPortRange", json!({"FromPort": 0, "ToPort": 65535}), true),
        ("DestinationPortRange", json!(""), true),
    ] {
        assert_eq!(is_wide(&with(&open, key, value.clone())), wide, "{key} {value}");
    }
    let modified = |request: Value| {
        let record = with(&rule(json!(null)), "eventName", json!("ModifyTrafficMirrorFilterRule"));
        let request = json!({"ModifyTrafficMirrorFilterRuleRequest": request});
        change(&with(&record, "requestParameters", request)).is_wide
    };
    assert!(modified(json!({"RemoveField": [{"tag": 1, "content": "protocol"}]})));
    assert!(modified(json!({"RemoveField": "destination-port-range"})));
    assert!(!modified(json!({"RemoveField": [{"tag": 1, "content": "description"}]})));
    assert!(!modified(json!({"RemoveField": "protocol", "SourceCidrBlock": "10.0.0.0/8"})));
    assert!(!modified(json!({"RuleNumber": 7})), "what was not changed is not known");
}

#[test]
fn interfaces_are_told_with_their_addresses() {
    let made = json!({"networkInterface": {
        "networkInterfaceId": "eni-0a", "privateIpAddress": "10.0.0.5",
        "privateIpAddressesSet": {"item": [{"privateIpAddress": "10.0.0.5"}, {"privateIpAddress": "10.0.0.6"}]},
        "ipv6AddressesSet": {},
    }});
    let record = with(&created(), "eventName", json!("CreateNetworkInterface"));
    let record = with(&record, "responseElements", made.clone());
    let address = |id: &str, address: &str| Said::Address {
        id: id.into(),
        address: address.parse().unwrap(),
    };
    let expected = [address("eni-0a", "10.0.0.5"), address("eni-0a", "10.0.0.6")];
    assert_eq!(told(&record).unwrap().said, expected);
    let wrapped = json!({"CreateNetworkInterfaceResponse": made});
    assert_eq!(told(&with(&record, "responseElements", wrapped)).unwrap().said, expected);

    let run = json!({"instancesSet": {"items": [
        {"networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-0c", "privateIpAddress": "10.0.0.7"}]}},
        {"networkInterfaceSet": ""},
    ]}});
    let record = with(&with(&record, "eventName", json!("RunInstances")), "responseElements", run);
    assert_eq!(told(&record).unwrap().said, [address("eni-0c", "10.0.0.7")]);
    assert_eq!(told(&with(&record, "responseElements", json!(null))), None, "it failed");
}
