//! What becomes usual, for whom, and what is told of it.

use super::*;
use crate::alert::Status;
use crate::decode::Mac;

/// Fails when a place with an open alert becomes usual by being visited every day.
#[test]
fn an_open_alert_teaches_nothing() {
    let mut scene = Scene::new();
    scene.routine(3, 2);
    let at = |day: u64| day * DAY + 9 * HOUR;
    scene.inside(at(2), "10.0.0.20", "10.1.0.2", 300, 300_000_000);
    scene.visit(at(2) + 600, "10.1.0.2", "drop.evil.example", "203.0.113.9", 300, 200_000_000);
    for day in 2..16 {
        scene.visit(at(day) + 7200, "10.1.0.2", "a.evil.example", "203.0.113.9", 20, 300_000);
        scene.visit(at(day) + 7200, "10.1.0.3", "www.new.example", "203.0.113.20", 20, 30_000);
    }
    let mut engine = Engine::new(scene.config(), Some(Duration::from_secs(DAY)), None);
    let told = scene.run_with(&mut engine);
    assert_eq!(about(&told, "10.1.0.2").len(), 1, "{:?}", at_least(Severity::Low, &told));
    let baseline = engine.baseline();
    let suspected = &baseline.assets["10.1.0.2"].destinations["evil.example"];
    assert_eq!((suspected.hours, suspected.days, suspected.alert_days()), (0, 0, 14));
    assert!(!suspected.is_trusted());
    let harmless = &baseline.assets["10.1.0.3"].destinations["new.example"];
    assert!(harmless.is_trusted() && harmless.alert_days() == 0);
}

/// Gives the events of a guest another address; its MAC address stays.
fn moved(scene: &mut Scene, from: &str, to: &str) {
    let (from, to): (IpAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
    for event in &mut scene.events {
        for end in [&mut event.flow.client, &mut event.flow.server] {
            if end.address == from {
                end.address = to;
            }
        }
    }
}

/// Fails when what was learned goes by the address: who moves would be new, and who comes after it
/// would have its habits.
#[test]
fn a_guest_that_moves_while_nothing_runs_keeps_its_baseline_and_its_successor_has_none() {
    let mut scene = Scene::new();
    scene.routine(3, 2);
    let mut engine = Engine::new(scene.config(), Some(Duration::from_secs(DAY)), None);
    scene.run_with(&mut engine);
    let kept = serde_json::to_string(&engine.baseline()).unwrap();
    let kept: Baseline = serde_json::from_str(&kept).unwrap();
    let before = &kept.assets["10.1.0.2"];
    assert_eq!(before.macs, [Mac([0x00, 0x50, 0x56, 0x81, 0, 2]).to_string()]);

    let mut gone = Scene::new();
    gone.visit(3 * DAY, "10.1.0.2", "www.usual-1.example", "198.51.1.7", 20, 40_000);
    moved(&mut gone, "10.1.0.2", "10.1.0.77");
    let mut successor = Scene::new();
    successor.visit(3 * DAY + HOUR, "10.1.0.9", "www.usual-1.example", "198.51.1.7", 20, 40_000);
    moved(&mut successor, "10.1.0.9", "10.1.0.2");
    for gone_first in [true, false] {
        let mut engine = Engine::new(scene.config(), None, Some(kept.clone()));
        let order = if gone_first { [&gone, &successor] } else { [&successor, &gone] };
        order.into_iter().for_each(|scene| drop(scene.run_with(&mut engine)));
        let taken_over = &engine.baseline.assets["10.1.0.2"];
        assert!(taken_over.destinations.is_empty(), "what is taken over is not kept twice");
        let now = engine.baseline();
        let sessions = |name: &str| now.assets[name].destinations["usual-1.example"].sessions;
        let known = before.destinations["usual-1.example"].sessions;
        assert_eq!(sessions("10.1.0.2"), known + 1, "it has moved to 10.1.0.77");
        assert_eq!(now.assets["10.1.0.2"].first_seen, before.first_seen);
        let name = "10.1.0.2@00:50:56:81:00:09";
        assert_eq!(sessions(name), 1, "its successor is somebody new");
        assert_eq!(now.assets.keys().filter(|name| name.starts_with("10.1.")).count(), 4);
    }
}

/// Two uploads that bytes alone speak against, and an ESXi host that goes outside.
fn uploads() -> Scene {
    let mut scene = Scene::new();
    scene.routine(3, 2);
    let at = 2 * DAY + 9 * HOUR;
    for guest in 1..=2u64 {
        let (client, name) = (format!("10.1.0.{guest}"), format!("www.shipper-{guest}.example"));
        let server = format!("203.0.{guest}.9");
        scene.visit(at + guest * HOUR, &client, &name, &server, 600, 400_000_000);
    }
    scene.visit(at + 3 * HOUR, "10.0.0.11", "c2.evil.example", "203.0.113.10", 10, 900);
    scene
}

/// Fails when a budget that is spent changes nothing, holds back what policy forbids, or forgets what it
/// held back when the sensor is started again.
#[test]
fn a_spent_budget_holds_the_next_weak_alert_back() {
    let mut scene = uploads();
    scene.configure(|config| config.site_budget.alerts = 1e6);
    let all = scene.run();
    assert_eq!(all.len(), 3, "{:?}", at_least(Severity::Low, &all));
    assert!(all.iter().all(|told| told.alert.status == Status::Open));

    scene.configure(|config| config.site_budget.alerts = 0.01);
    let mut engine = Engine::new(scene.config(), scene.learn, None);
    let told = scene.run_with(&mut engine);
    let held: Vec<_> = told.iter().filter(|told| told.alert.status == Status::Suppressed).collect();
    assert!(!held.is_empty() && held.iter().all(|held| held.asset.starts_with("10.1.0.")));
    let management = about(&told, "esxi-01");
    assert_eq!(management[0].alert.status, Status::Open);
    assert_eq!(management[0].severity, about(&all, "esxi-01")[0].severity);
    let spending = engine.spending();
    assert_eq!(spending.held, held.len());
    assert_eq!(spending.told[0], told.len() - held.len());
    let later = Engine::new(scene.config(), None, Some(engine.baseline()));
    assert_eq!(later.baseline().told, engine.baseline().told);
}
