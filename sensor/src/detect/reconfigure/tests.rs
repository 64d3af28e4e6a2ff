use std::time::Duration;

use proptest::prelude::*;

use crate::alert::Severity;
use crate::config::{Asset, Config, Role};
use crate::detect::Engine;
use crate::detect::tests::{DAY, HOUR, Scene, Told, about, at_least, attacked, time};

fn asset(name: &str, address: &str) -> Asset {
    let addresses = vec![address.parse().unwrap()];
    Asset { name: name.into(), role: Role::Guest, addresses, macs: Vec::new(), host: None }
}

fn lines(told: &[Told]) -> Vec<String> {
    told.iter().map(|told| serde_json::to_string(&told.alert).unwrap()).collect()
}

fn engine(scene: &Scene) -> Engine {
    Engine::new(scene.config(), Some(Duration::from_secs(DAY)), None)
}

#[test]
fn a_config_that_says_the_same_changes_nothing() {
    let scene = attacked();
    let (mut plain, mut reloaded) = (engine(&scene), engine(&scene));
    let expected = lines(&scene.run_with(&mut plain));
    let config = scene.config().clone();
    let told = scene.run_between(&mut reloaded, |engine, _| engine.reconfigure(&config));
    assert_eq!(lines(&told), expected);
    assert_eq!(reloaded.baseline(), plain.baseline());
    assert_eq!(reloaded.forgotten(), plain.forgotten());
}

#[test]
fn an_asset_that_gets_a_name_keeps_its_open_alert_and_what_was_learned_of_it() {
    let scene = attacked();
    let mut renaming = scene.config().clone();
    renaming.sensor.name = "dc2".to_owned();
    renaming.assets.push(asset("web-02", "10.1.0.2/32"));
    let renamed_at = time(2 * DAY + 9 * HOUR + 700);
    let mut engine = engine(&scene);
    let told = scene.run_between(&mut engine, |engine, event| {
        if event.time >= renamed_at {
            engine.reconfigure(&renaming);
        }
    });
    let expected = lines(&scene.run());
    assert_eq!(told.len(), expected.len());
    let alert = &about(&told, "10.1.0.2")[0].alert;
    assert_eq!((alert.asset.name.as_str(), alert.sensor.as_str()), ("web-02", "dc2"));
    assert!(alert.count > 1, "told before and after");
    let baseline = engine.baseline();
    assert!(!baseline.assets.contains_key("10.1.0.2"));
    assert!(baseline.assets["web-02"].destinations.contains_key("usual-1.example"));
}

#[test]
fn what_is_approved_now_raises_nothing_and_what_is_no_more_does() {
    let at = 2 * DAY + 9 * HOUR;
    let mut scene = Scene::new();
    scene.routine(2, 2);
    scene.visit(at, "10.0.0.11", "depot.vmware.com", "203.0.113.10", 10, 900);
    let mut strict = scene.config().clone();
    strict.approve.clear();
    assert_eq!(about(&scene.run(), "esxi-01").len(), 0);
    let mut engine = engine(&scene);
    let told = scene.run_between(&mut engine, |engine, _| engine.reconfigure(&strict));
    assert_eq!(about(&told, "esxi-01").len(), 1, "{:?}", at_least(Severity::Low, &told));
}

#[test]
fn a_detector_that_was_off_for_a_while_goes_on_from_what_it_had_learned() {
    let mut scene = Scene::new();
    scene.routine(3, 6);
    let mut off = scene.config().clone();
    (off.tls_egress.enabled, off.dns_port.enabled) = (false, false);
    let (config, mut engine) = (scene.config().clone(), engine(&scene));
    let told = scene.run_between(&mut engine, |engine, event| {
        let is_off = (time(3 * DAY)..time(4 * DAY)).contains(&event.time);
        engine.reconfigure(if is_off { &off } else { &config });
        assert!(!is_off || engine.tls_egress.is_none() && engine.dns_port.is_none());
    });
    assert_eq!(at_least(Severity::Low, &told), [""; 0]);
    let habit = &engine.baseline().assets["10.1.0.1"].destinations["usual-1.example"];
    assert!(habit.learned && habit.is_trusted());
    assert_eq!(habit.sessions, 50, "ten a day, but on the day it was off");
}

#[test]
fn what_is_forgotten_is_not_kept_and_is_learned_anew() {
    let mut scene = Scene::new();
    scene.routine(2, 2);
    let mut engine = engine(&scene);
    scene.run_with(&mut engine);
    let (guest, place) = ("10.1.0.1", "usual-1.example");
    assert!(engine.forget(guest, Some(place)));
    assert!(!engine.forget(guest, Some(place)), "it is known no more");
    assert!(!engine.forget("nobody", None));
    let baseline = engine.baseline();
    assert!(!baseline.assets[guest].destinations.contains_key(place));
    assert!(baseline.assets[guest].destinations.contains_key("usual-2.example"));
    assert!(baseline.assets["10.1.0.2"].destinations.contains_key(place));

    let mut restored = Engine::new(scene.config(), None, Some(baseline));
    for engine in [&mut engine, &mut restored] {
        assert!(engine.forget(guest, None));
        assert!(!engine.baseline().assets.contains_key(guest));
        let mut later = Scene::new();
        later.visit(3 * DAY, guest, "www.usual-2.example", "198.51.2.7", 20, 40_000);
        later.run_with(engine);
        let learned = &engine.baseline().assets[guest];
        assert_eq!(learned.first_seen, time(3 * DAY).as_secs());
        assert_eq!(learned.destinations["usual-2.example"].sessions, 1);
    }
}

#[test]
fn bytes_are_told_by_asset_and_way() {
    let mut scene = Scene::new();
    scene.inside(0, "10.1.0.1", "10.1.0.2", 100, 5_000_000);
    let mut engine = engine(&scene);
    scene.run_with(&mut engine);
    let moved: Vec<_> = engine
        .inventory()
        .assets()
        .filter(|(_, asset)| !asset.configured)
        .map(|(id, _)| (engine.moved(id).sent, engine.moved(id).received))
        .collect();
    assert_eq!(moved, [(5_000_000, 100_000), (100_000, 5_000_000)]);
    let id = engine.inventory().named("10.1.0.1").unwrap();
    assert!(engine.learning(id, time(10)) && !engine.learning(id, time(2 * DAY)));
}

/// Configs over few names and addresses, so that they meet those of the scene in every way.
fn configs() -> impl Strategy<Value = Vec<Config>> {
    let named = (0u8..6, 1u8..6, any::<bool>());
    let one = (proptest::collection::vec(named, 0..5), any::<[bool; 3]>());
    let one = one.prop_map(|(named, [egress, ports, narrow])| {
        let mut config = Config::default();
        for (name, host, prefix) in named {
            let net = if prefix { "10.1.0.0/29".into() } else { format!("10.1.0.{host}/32") };
            let name = if name == 5 { "10.1.0.1".into() } else { format!("vm-{name}") };
            if config.assets.iter().all(|known| *known.name != *name) {
                config.assets.push(asset(&name, &net));
            }
        }
        (config.tls_egress.enabled, config.dns_port.enabled) = (egress, ports);
        if narrow {
            config.network.internal = vec!["10.1.0.0/30".parse().unwrap()];
        }
        config
    });
    proptest::collection::vec(one, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Would find an id that no table knows any more, two assets under one name, and growth.
    #[test]
    fn any_reloads_among_events_stop_nothing_and_do_not_add_up(configs in configs(), forget in 0usize..7) {
        let scene = attacked();
        let mut engine = engine(&scene);
        let mut events = 0;
        scene.run_between(&mut engine, |engine, _| {
            events += 1;
            if events % 11 == 0 {
                engine.reconfigure(&configs[events % configs.len()]);
                let names: Vec<_> = engine.inventory().assets().map(|(_, a)| &a.name).collect();
                let mut distinct = names.clone();
                distinct.sort();
                distinct.dedup();
                assert_eq!(names.len(), distinct.len(), "{names:?}");
            }
            if forget != 0 && events % 97 == 0 {
                engine.forget(&format!("10.1.0.{forget}"), None);
            }
        });
        // Six names, the scene's hosts and their addresses.
        prop_assert!(engine.inventory().len() < 40, "{}", engine.inventory().len());
        prop_assert!(engine.baseline().assets.len() < 40);
    }
}
