//! What is known, and how that is kept: pairs that are usual, overlays, records of long ago.

use super::*;
use crate::baseline::Baseline;

fn learned() -> Scene {
    let mut scene = Scene::bare();
    for hour in 0..5 * 24 {
        scene.seen(vxlan(MONDAY + hour * HOUR, "10.77.0.1"));
    }
    scene
}

#[test]
fn pairs_of_the_learning_time_are_usual_and_other_ones_are_not() {
    let mut scene = learned();
    for hour in 0..24 {
        scene.seen(vxlan(LATER + hour * HOUR, "10.77.0.1"));
    }
    quiet(&scene.run());
    scene.seen(Mirrored { id: Some(8), ..vxlan(LATER + DAY, "10.77.0.1") });
    assert_eq!(only(&scene.run()).severity, Severity::High);
}

#[test]
fn what_was_learned_lasts_over_a_restart_and_can_be_forgotten() {
    let scene = learned();
    let mut engine = scene.engine();
    quiet(&scene.run_with(&mut engine));
    let kept = serde_json::to_string(&engine.baseline()).unwrap();
    let kept: Baseline = serde_json::from_str(&kept).unwrap();
    assert_eq!((&kept, kept.mirrors.pairs.len()), (&engine.baseline(), 1));
    let mut later = Scene::bare();
    later.seen(vxlan(LATER, "10.77.0.1"));
    quiet(&later.run_with(&mut Engine::new(&later.config, None, Some(kept.clone()))));
    let mut engine = Engine::new(&later.config, None, Some(kept));
    assert!(engine.forget("10.77.0.1", None) && !engine.forget("10.77.0.1", None));
    assert_eq!(only(&later.run_with(&mut engine)).severity, Severity::High);
}

#[test]
fn a_mirror_configured_before_a_restart_is_known_when_it_is_deleted() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER - DAY, session(Create, NETOPS, "tmt-good"));
    let mut engine = scene.engine();
    quiet(&scene.run_with(&mut engine));
    let kept = engine.baseline();
    let mut later = Scene::new();
    later.cloudtrail(LATER, session(Delete, NETOPS, ""));
    let told = later.run_with(&mut Engine::new(&later.config, None, Some(kept)));
    assert_eq!(only(&told).severity, Severity::High);
}

/// Fails when an intruder can teach a mirror by setting it up early.
#[test]
fn a_mirror_with_a_change_is_told_of_while_all_is_learned_and_is_not_learned() {
    for late in [false, true] {
        let mut scene = Scene::new();
        let at = MONDAY + DAY;
        if late {
            scene.seen(vxlan(at + 20, EVIL));
        }
        scene.cloudtrail(at, session(Create, EVE, "tmt-evil"));
        scene.seen(vxlan(at + 30, EVIL));
        scene.seen(vxlan(at + HOUR, EVIL));
        let mut engine = scene.engine();
        let told = scene.run_with(&mut engine);
        assert_eq!(only(&told).severity, Severity::Critical, "late: {late}");
        assert!(engine.baseline().mirrors.pairs.is_empty());
    }
}

#[test]
fn what_teaches_raises_nothing() {
    let mut scene = Scene::new();
    scene.cloudtrail(MONDAY, session(Create, EVE, "tmt-evil"));
    scene.seen(vxlan(MONDAY + 5, EVIL));
    let mut engine = Engine::new(&scene.config, Some(Duration::from_secs(DAY)), None);
    scene.seen(vxlan(MONDAY + 3 * DAY, EVIL));
    quiet(&scene.run_with(&mut engine));
}

#[test]
fn overlays_between_hosts_are_no_mirrors_unless_copies_prove_it() {
    let overlay = |copies| Mirrored {
        kind: Some(TunnelKind::Geneve),
        source: "10.10.0.11".parse().unwrap(),
        copies,
        ..vxlan(LATER, "10.10.0.12")
    };
    let mut scene = Scene::new();
    scene.seen(overlay(0));
    quiet(&scene.run());
    scene.seen(overlay(500));
    let told = scene.run();
    assert_eq!(only(&told).severity, Severity::High);
    assert_eq!(traffic(only(&told))[0].copies, 500);
    let mut scene = Scene::new();
    scene.seen(Mirrored { kind: Some(TunnelKind::Erspan), ..overlay(0) });
    assert_eq!(scene.run().len(), 1, "ERSPAN is nothing else than a mirror");
}

#[test]
fn records_of_long_ago_teach_what_is_configured_and_raise_nothing() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER - 3 * DAY, session(Create, EVE, "tmt-evil"));
    scene.cloudtrail(LATER - 3 * DAY, {
        let mut own = session(Create, NETOPS, "tmt-good");
        own.id = Some("tms-own".into());
        own
    });
    let mut engine = scene.engine();
    engine.reach(time(LATER));
    quiet(&scene.run_with(&mut engine));
    let mut later = Scene::new();
    let mut delete = session(Delete, NETOPS, "");
    delete.id = Some("tms-own".into());
    later.cloudtrail(LATER + 10, delete);
    assert_eq!(only(&later.run_with(&mut engine)).severity, Severity::High);
}

#[test]
fn logs_of_flows_tell_of_mirrors_and_packets_count_where_both_do() {
    let scene = Scene::new();
    let mut engine = scene.engine();
    let said = |mirrored: Mirrored| Report {
        time: mirrored.time,
        stated: None,
        reporter: Reporter { service: Service::FlowLog, host: None, peer: None },
        said: Said::Mirrored(Box::new(mirrored)),
    };
    engine.report(&said(vxlan(LATER, EVIL)));
    let told: Told = engine.drain_alerts().collect();
    assert_eq!(&*traffic(only(&told))[0].witness, "flow_log");
    let few = Traffic { packets: 10, bytes: 9_000 };
    engine.mirrored(&Mirrored { traffic: few, ..vxlan(LATER + 20, EVIL) }, None);
    engine.report(&said(vxlan(LATER + 30, EVIL)));
    let many = Traffic { packets: 3000, bytes: 3_000_000 };
    engine.mirrored(&Mirrored { traffic: many, ..vxlan(LATER + 40, EVIL) }, None);
    let told: Told = engine.drain_alerts().collect();
    let last = told.last().map(|alert| traffic(alert)[0].clone());
    let last = last.expect("doubled");
    assert_eq!((&*last.witness, last.bytes), ("packets", 3_009_000));
}

/// Of a target that is an interface, the address comes from another record.
#[test]
fn a_record_says_what_an_interface_is_on_the_wire() {
    let mut scene = Scene::new();
    scene.cloudtrail(LATER, target(NETOPS, "tmt-x", "eni-x"));
    scene.cloudtrail(LATER + 3, session(Create, NETOPS, "tmt-x"));
    let mut engine = scene.engine();
    engine.report(&Report {
        time: time(LATER - HOUR),
        stated: None,
        reporter: Reporter { service: Service::CloudTrail, host: None, peer: None },
        said: Said::Address { id: "eni-x".into(), address: "10.88.0.1".parse().unwrap() },
    });
    scene.seen(Mirrored { id: None, ..vxlan(LATER + 20, "10.88.0.1") });
    let told = scene.run_with(&mut engine);
    assert_eq!(
        (only(&told).severity, told[0].asset.name.as_str()),
        (Severity::Critical, "eni-0web")
    );
}

#[test]
fn what_the_sensor_is_sent_is_its_own() {
    let mut scene = Scene::bare();
    scene.seen(vxlan(LATER, "10.99.0.1"));
    let mut engine = scene.engine();
    engine.receive(&["10.99.0.1".parse().unwrap()]);
    quiet(&scene.run_with(&mut engine));
    let mut later = Scene::bare();
    later.cloudtrail(LATER + HOUR, session(Delete, EVE, "tmt-unknown"));
    assert_eq!(only(&later.run_with(&mut engine)).severity, Severity::High, "by its id");
}

#[test]
fn what_is_approved_by_another_config_ends_and_the_same_config_changes_nothing() {
    let mut scene = Scene::new();
    scene.seen(vxlan(LATER, EVIL));
    let mut engine = scene.engine();
    let first = scene.run_with(&mut engine);
    engine.reconfigure(&scene.config);
    scene.steps = Vec::new();
    scene.seen(Mirrored {
        traffic: Traffic { packets: 9, bytes: 9_000_000 },
        ..vxlan(LATER + 60, EVIL)
    });
    let again: Told = scene.run_with(&mut engine);
    assert_eq!((again[0].id, again[0].count), (first[0].id, 2));
    let net = MirrorDestination::Net("198.51.100.0/24".parse().unwrap());
    scene.config.mirror_policy.destinations.push(net);
    engine.reconfigure(&scene.config);
    scene.seen(vxlan(LATER + 120, EVIL));
    quiet(&scene.run_with(&mut engine));
    scene.config.mirror_policy.enabled = false;
    engine.reconfigure(&scene.config);
    scene.config.mirror_policy.enabled = true;
    engine.reconfigure(&scene.config);
    assert_ne!(engine.baseline().mirrors.since, 0);
}

#[test]
fn floods_are_bounded_and_counted() {
    let mut scene = Scene::new();
    for number in 0..6000u32 {
        let mut change = session(Create, EVE, &format!("tmt-{number}"));
        change.id = Some(format!("tms-{number}").into());
        (change.wire_id, change.record) = (None, Some(format!("{number}").into()));
        scene.cloudtrail(LATER + u64::from(number), change);
    }
    let mut engine = scene.engine();
    let told = scene.run_with(&mut engine);
    assert_eq!(told.len(), 6000);
    assert!(engine.baseline().mirrors.sessions.len() <= 4096 && engine.forgotten() > 5000);
}
