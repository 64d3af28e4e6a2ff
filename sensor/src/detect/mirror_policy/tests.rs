use proptest::prelude::*;

use super::*;
use crate::alert::{Alert, Severity};
use crate::config::MirrorDestination;
use crate::detect::Engine;
use crate::detect::tests::{DAY, HOUR, MINUTE, MONDAY, time};
use crate::event::{ChangeAction, MirrorObject, Report, Reporter, Said, Traffic, TunnelKind};
use scene::{
    ACCOUNT, EVE, EVIL, LATER, NETOPS, SENSOR, Scene, Told, address, changes, findings, session,
    target, traffic, vxlan,
};

mod known;
mod scene;

use ChangeAction::{Create, Delete, Modify};

/// The only alert there is.
fn only(told: &Told) -> &Alert {
    let summaries: Vec<_> = told.iter().map(|alert| &alert.summary).collect();
    assert_eq!(told.len(), 1, "{summaries:#?}");
    &told[0]
}

fn quiet(told: &Told) {
    let summaries: Vec<_> = told.iter().map(|alert| &alert.summary).collect();
    assert!(told.is_empty(), "{summaries:#?}");
}

#[test]
fn what_is_approved_stays_quiet_for_two_weeks() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, target(NETOPS, "tmt-good", "eni-good"));
    scene.cloudtrail(LATER + 5, session(Create, NETOPS, "tmt-good"));
    for hour in 0..14 * 24 {
        scene.seen(vxlan(LATER + 20 + hour * HOUR, SENSOR));
        if hour % 24 == 9 {
            let mut change = session(Modify, NETOPS, "tmt-good");
            change.packet_length = Some(u32::try_from(hour).unwrap());
            scene.cloudtrail(LATER + hour * HOUR + 40, change);
        }
    }
    quiet(&scene.run());
}

#[test]
fn a_session_to_an_unapproved_destination_is_medium_while_nothing_is_sent() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, EVE, "tmt-evil"));
    let told = scene.run();
    let alert = only(&told);
    assert_eq!(alert.severity, Severity::Medium);
    assert_eq!(findings(alert), ["unapproved_destination", "unapproved_principal"]);
    assert_eq!(address(alert), EVIL.parse().ok(), "by the config's addresses");
    assert_eq!(alert.destination.as_ref().unwrap().port, 4789);
    assert_eq!((alert.asset.name.as_str(), &*alert.asset.role), ("eni-0web", "other"));
    for part in [EVE, "203.0.113.5", "made the mirror tms-01", "tmt-evil", "approved are tmt-good"]
    {
        assert!(alert.summary.contains(part), "{part}: {}", alert.summary);
    }
    let sum: f64 = alert.evidence.iter().map(|piece| piece.weight).sum();
    assert!((sum - 1.2).abs() < 1e-9, "{sum}");
}

#[test]
fn one_of_both_is_enough_and_only_what_is_wrong_is_said() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, NETOPS, "tmt-other"));
    let told = scene.run();
    assert_eq!(findings(only(&told)), ["unapproved_destination"]);
    assert_eq!(only(&told).severity, Severity::Medium);
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, EVE, "tmt-good"));
    let told = scene.run();
    assert_eq!(findings(only(&told)), ["unapproved_principal"]);
    assert_eq!(only(&told).title, "Mirror changed by an unapproved principal");
}

#[test]
fn change_and_traffic_within_the_window_are_one_critical_alert_with_both_halves() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, target(EVE, "tmt-evil", "eni-evil"));
    scene.cloudtrail(LATER + 5, session(Create, EVE, "tmt-evil"));
    scene.seen(vxlan(LATER + 30, EVIL));
    let told = scene.run();
    let alert = only(&told);
    assert_eq!((alert.severity, alert.confidence), (Severity::Critical, 0.99));
    assert_eq!((traffic(alert).len(), alert.count), (1, 3));
    let calls: Vec<_> = changes(alert).iter().map(|event| event.call.as_str()).collect();
    assert!(calls.contains(&"CreateTrafficMirrorTarget"), "{calls:?}");
    assert!(calls.contains(&"CreateTrafficMirrorSession"), "{calls:?}");
    assert!(alert.summary.contains("after the change"), "{}", alert.summary);
}

#[test]
fn an_hour_apart_they_are_one_alert_and_high() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, EVE, "tmt-evil"));
    scene.seen(vxlan(LATER + HOUR, EVIL));
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::High);
    assert_eq!((changes(only(&told)).len(), traffic(only(&told)).len()), (3, 1));
}

#[test]
fn a_record_that_comes_a_quarter_of_an_hour_later_makes_the_alert_of_the_traffic_critical() {
    for target in ["tmt-evil", "tmt-nowhere-known"] {
        let mut scene = Scene::new();
        scene.seen(vxlan(LATER + 20, EVIL));
        for minute in 1..15 {
            scene.seen(vxlan(LATER + 20 + minute * MINUTE, EVIL));
        }
        let high = scene.run();
        assert_eq!(only(&high).severity, Severity::High);
        scene.cloudtrail(LATER, session(Create, EVE, target));
        let told = scene.run();
        let alert = only(&told);
        assert_eq!((alert.severity, alert.id), (Severity::Critical, high[0].id), "{target}");
        assert_eq!(alert.first_seen, time(LATER));
        let late = changes(alert).iter().find_map(|event| event.late_seconds);
        assert_eq!(late, Some(14 * 60 + 30));
    }
}

#[test]
fn a_session_of_another_id_on_the_wire_is_another_story() {
    let mut scene = Scene::new();
    scene.seen(vxlan(LATER + 20, EVIL));
    let mut other = session(Create, EVE, "tmt-nowhere-known");
    other.wire_id = Some(8);
    scene.cloudtrail(LATER, other);
    let told = scene.run();
    let severities: Vec<_> = told.iter().map(|alert| alert.severity).collect();
    assert_eq!(severities, [Severity::High, Severity::Medium]);
}

#[test]
fn traffic_without_a_change_is_high_and_told_anew_only_when_it_doubles() {
    let mut scene = Scene::new();
    for minute in 0..600 {
        scene.seen(vxlan(LATER + minute * MINUTE, EVIL));
    }
    let told = scene.run();
    let alert = only(&told);
    assert_eq!(alert.severity, Severity::High);
    assert!(alert.count <= 12, "{}", alert.count);
    let all = traffic(alert)[0];
    assert_eq!((all.bytes, all.packets, all.wire_id), (600_000_000, 600_000, Some(7)));
    assert!(alert.summary.contains("no change of a mirror is known"), "{}", alert.summary);
    assert!(alert.summary.contains("outside the estate"), "{}", alert.summary);
    assert_eq!(alert.asset.name, "10.1.0.5");
}

#[test]
fn retargeting_the_socs_mirror_is_high_and_critical_with_traffic() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER - DAY, session(Create, NETOPS, "tmt-good"));
    scene.cloudtrail(LATER, session(Modify, NETOPS, "tmt-evil"));
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::High);
    let found = ["own_mirror_deleted", "retargeted", "unapproved_destination"];
    assert_eq!(findings(only(&told)), found);
    scene.seen(vxlan(LATER + 12, EVIL));
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::Critical);
}

#[test]
fn a_mirror_of_somebody_else_that_is_retargeted_is_medium() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER - 3 * DAY, session(Create, NETOPS, "tmt-other"));
    scene.cloudtrail(LATER, session(Modify, NETOPS, "tmt-evil"));
    let told = scene.run();
    assert_eq!(told.len(), 2, "two destinations");
    assert_eq!(told[1].severity, Severity::Medium);
    assert_eq!(findings(&told[1]), ["retargeted", "unapproved_destination"]);
}

#[test]
fn the_console_and_other_accounts_are_told_of_what_is_told() {
    let mut scene = Scene::new();
    let mut change = session(Create, EVE, "tmt-evil");
    change.from = Some("AWS Internal".into());
    scene.cloudtrail(LATER, change);
    let told = scene.run();
    assert!(findings(only(&told)).contains(&"console"));
    assert_eq!(only(&told).severity, Severity::Medium);

    let nlb = "arn:aws:elasticloadbalancing:eu-west-1:999988887777:loadbalancer/net/x/1";
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, NETOPS, nlb));
    let told = scene.run();
    assert_eq!(findings(only(&told)), ["foreign_account", "unapproved_destination"]);
    assert_eq!(only(&told).severity, Severity::Medium);

    let mut scene = Scene::new();
    let mut shared = target(NETOPS, "tmt-shared", "eni-x");
    shared.scope = Some("999988887777".into());
    scene.cloudtrail(LATER - 3 * DAY, shared);
    scene.cloudtrail(LATER, session(Create, NETOPS, "tmt-shared"));
    assert!(findings(&scene.run()[1]).contains(&"foreign_account"));

    let mut scene = Scene::new();
    scene.cloudtrail(LATER, session(Create, NETOPS, "tmt-evil"));
    let told = scene.run();
    assert!(!findings(only(&told)).contains(&"foreign_account"), "of {ACCOUNT} all");
}

#[test]
fn a_failed_call_is_told_of_those_only_who_may_not() {
    let failed = |who| {
        let mut change = session(Create, who, "tmt-evil");
        change.failure = Some("Client.UnauthorizedOperation".into());
        change
    };
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, failed(NETOPS));
    quiet(&scene.run());
    scene.cloudtrail(LATER, failed(EVE));
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::Medium);
    assert!(findings(only(&told)).contains(&"failed"));
    assert_eq!(only(&told).title, "Failed attempt to change what is mirrored");
    // What failed sends nothing.
    scene.seen(vxlan(LATER + 5, EVIL));
    assert_eq!(only(&scene.run()).severity, Severity::High);
}

#[test]
fn deleting_the_socs_mirror_is_high_whoever_does_it() {
    for who in [NETOPS, EVE] {
        let mut scene = Scene::new();
        scene.cloudtrail(LATER - DAY, session(Create, NETOPS, "tmt-good"));
        scene.cloudtrail(LATER, session(Delete, who, ""));
        let told = scene.run();
        assert_eq!(only(&told).severity, Severity::High, "{who}");
        assert!(findings(only(&told)).contains(&"own_mirror_deleted"));
        assert!(only(&told).summary.contains("sees less"), "{}", only(&told).summary);
    }
    let mut scene = Scene::new();
    scene.cloudtrail(LATER - 3 * DAY, session(Create, NETOPS, "tmt-other"));
    scene.cloudtrail(LATER, session(Delete, NETOPS, ""));
    assert_eq!(scene.run().len(), 1, "the end of somebody else's is good news");
}

#[test]
fn a_filter_is_told_of_when_it_is_opened_towards_a_leak_or_closed_to_the_soc() {
    let rule = |who, action, id: &str| MirrorChange {
        call: "TrafficMirrorFilterRule".into(),
        action,
        object: MirrorObject::FilterRule,
        id: Some(id.into()),
        filter: Some("tmf-01".into()),
        principal: Some(scene::principal(who)),
        is_wide: action == Create,
        ..MirrorChange::default()
    };
    let with_filter =
        |to| MirrorChange { filter: Some("tmf-01".into()), ..session(Create, NETOPS, to) };
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, with_filter("tmt-evil"));
    scene.cloudtrail(LATER + 60, rule(NETOPS, Create, "tmfr-1"));
    let told = scene.run();
    assert_eq!(findings(only(&told)), ["opened_wide", "unapproved_destination"]);
    assert_eq!(only(&told).severity, Severity::Medium);

    let mut scene = Scene::new();
    let whole = MirrorChange {
        object: MirrorObject::Filter,
        id: Some("tmf-01".into()),
        filter: None,
        ..rule(NETOPS, Modify, "")
    };
    scene.cloudtrail(LATER, MirrorChange { action: Create, ..whole });
    scene.cloudtrail(LATER + 1, rule(NETOPS, Create, "tmfr-1"));
    scene.cloudtrail(LATER + 1, rule(NETOPS, Create, "tmfr-2"));
    scene.cloudtrail(LATER + 2, with_filter("tmt-good"));
    scene.cloudtrail(LATER + 3, rule(NETOPS, Delete, "tmfr-1"));
    quiet(&scene.run());
    let gone = MirrorChange { filter: None, ..rule(NETOPS, Delete, "tmfr-2") };
    scene.cloudtrail(LATER + 4, gone);
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::High);
    assert_eq!(findings(only(&told)), ["own_mirror_deleted"]);
}

#[test]
fn erspan_from_an_esxi_host_to_outside_is_high_and_critical_with_a_change_in_vcenter() {
    let erspan = Mirrored {
        kind: Some(TunnelKind::Erspan),
        id: Some(101),
        source: "10.10.0.11".parse().unwrap(),
        port: None,
        ..vxlan(LATER + 20, EVIL)
    };
    let mut scene = Scene::new();
    scene.seen(erspan.clone());
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::High);
    assert_eq!((only(&told).asset.name.as_str(), &*only(&told).asset.role), ("esxi-01", "esxi"));
    assert_eq!(only(&told).destination.as_ref().unwrap().port, 0);
    // The log of a vCenter does not say where a mirror leads.
    let change = |who| MirrorChange {
        call: "vim.DistributedVirtualSwitch.reconfigure".into(),
        principal: Some(scene::principal(who)),
        scope: Some("DSwitch".into()),
        ..MirrorChange::default()
    };
    for who in [NETOPS, "CORP\\eve"] {
        for late in [false, true] {
            let mut scene = Scene::new();
            if late {
                scene.seen(erspan.clone());
            }
            scene.says(LATER, Service::Vpxd, Some("vcsa01"), change(who));
            if !late {
                scene.seen(erspan.clone());
            }
            let told = scene.run();
            assert_eq!(only(&told).severity, Severity::Critical, "{who}, late: {late}");
            assert!(!changes(only(&told)).is_empty() && !traffic(only(&told)).is_empty());
        }
    }
    let mut scene = Scene::new();
    scene.says(LATER - HOUR, Service::Vpxd, Some("vcsa01"), change(NETOPS));
    scene.seen(erspan);
    assert_eq!(only(&scene.run()).severity, Severity::High, "long before");
}

#[test]
fn alerts_keep_to_the_schemas_words() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER + 5, session(Create, EVE, "tmt-evil"));
    scene.seen(vxlan(LATER + 30, EVIL));
    let told = scene.run();
    let alert = serde_json::to_value(only(&told)).unwrap();
    assert_eq!(alert["analytic"], "AN1131");
    assert_eq!(alert["techniques"][0], "T1020.001");
    let kinds: Vec<_> =
        alert["evidence"].as_array().unwrap().iter().map(|piece| &piece["kind"]).collect();
    for kind in ["audit_event", "mirrored_traffic", "baseline"] {
        assert!(kinds.iter().any(|known| *known == kind), "{kinds:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Fails when what is told in the end depends on which half of a story came first.
    #[test]
    fn the_order_in_which_the_halves_come_does_not_matter(
        gap in 0u64..200,
        before in any::<bool>(),
        is_address_known in any::<bool>(),
        at in 0u64..8 * HOUR,
        who in prop_oneof![Just(EVE), Just(NETOPS)],
        source in prop_oneof![Just("10.1.0.5"), Just("10.10.0.11")],
    ) {
        let at = LATER + at;
        let changed = if before { at.saturating_sub(gap) } else { at + gap };
        let mut scene = Scene::new();
        if !is_address_known {
            scene.config.mirror_policy.addresses.clear();
        }
        scene.cloudtrail(changed, session(Create, who, "tmt-evil"));
        scene.seen(Mirrored { source: source.parse().unwrap(), ..vxlan(at, EVIL) });
        let mut other = scene.clone();
        other.steps.reverse();
        let state = |told: &Told| -> Vec<_> {
            let state = told.iter().map(|alert| {
                let mut alert = alert.clone();
                // When it was told is another matter.
                (alert.time, alert.count) = (alert.last_seen, 1);
                for piece in &mut alert.evidence {
                    if let crate::alert::Fact::AuditEvent(event) = &mut piece.fact {
                        event.late_seconds = None;
                    }
                }
                if !is_address_known {
                    // What is told first gives the name: the target, or where packets go.
                    alert.id = uuid::Uuid::nil();
                }
                serde_json::to_string(&alert).unwrap()
            });
            let mut states: Vec<_> = state.collect();
            states.sort();
            states
        };
        let (one, two) = (scene.run(), other.run());
        prop_assert_eq!(state(&one), state(&two));
        if is_address_known {
            prop_assert_eq!(one.len(), 1);
        }
    }
}
