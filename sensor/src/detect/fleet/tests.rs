use std::net::IpAddr;

use super::*;
use crate::alert::{Alert, Fact, Severity};
use crate::baseline::AssetBaseline;
use crate::config::Config;
use crate::decode::Mac;
use crate::detect::tests::{DAY, HOUR, MINUTE, Scene, time};
use crate::exchange::{Learned, Places, places};
use crate::peers;

const EVERY: Duration = Duration::from_secs(300);
const WAIT: Duration = Duration::from_secs(2);
const MOVER: &str = "10.1.0.2";
const AT: u64 = 3 * DAY + 9 * HOUR;

/// The same estate at two sensors. Everybody is learned for a day.
fn config(sensor: &str) -> Config {
    let mut config = Scene::new().config().clone();
    config.sensor.name = sensor.to_owned();
    config.baseline.learning = Duration::from_secs(DAY);
    config
}

fn sensor(name: &str) -> Engine {
    let mut engine = Engine::new(&config(name), None, None);
    engine.join_fleet(name, WAIT);
    engine
}

/// A sensor that has seen guests of its own for three days.
fn settled(name: &str, guests: &[u8]) -> Engine {
    let mut scene = Scene::new();
    scene.routine(6, 3);
    let is_its = |address: IpAddr| {
        guests.iter().any(|guest| address.to_string() == format!("10.1.0.{guest}"))
    };
    scene.only(|flow| is_its(flow.client.address) || is_its(flow.server.address));
    // Somebody always speaks: else nobody knows whether the mirror does.
    for at in (0..3 * DAY).step_by(600) {
        scene.inside(at, "10.9.0.1", "10.9.0.2", 10, 1000);
    }
    let mut engine = sensor(name);
    scene.feed(&mut engine);
    engine
}

/// What an engine tells in a round of publishing that begins at a time.
fn published(engine: &mut Engine, at: u64) -> Vec<Learned> {
    let mut all = Vec::new();
    for step in 0..=20 {
        all.extend(engine.learned(time(at + step * 15), EVERY));
    }
    // As it is sent.
    let read =
        |told: &Learned| Learned::read(&told.to_json(), &told.sensor, time(at + 300)).unwrap();
    all.iter().map(read).collect()
}

fn of<'a>(told: &'a [Learned], name: &str) -> &'a Learned {
    told.iter().find(|told| told.name == name).unwrap()
}

/// What the guest does at its new place: its usual visits and volumes.
fn usual(scene: &mut Scene) {
    for place in 0..4u64 {
        let name = format!("www.usual-{place}.example");
        let server = format!("198.51.{place}.7");
        scene.visit(AT + 31 + place * MINUTE, MOVER, &name, &server, 20, 40_000);
    }
    scene.inside(AT + 300, "10.0.0.20", MOVER, 60, 3_000_000);
}

/// Data pulled together, and sent to a place that nobody knows.
fn exfiltration(scene: &mut Scene, at: u64) {
    scene.inside(at, "10.0.0.20", MOVER, 300, 300_000_000);
    scene.visit(at + 600, MOVER, "drop.evil.example", "203.0.113.9", 300, 200_000_000);
}

/// Gives the scene to an engine that asks the fleet, which answers at once with `parts`.
fn moved(engine: &mut Engine, scene: &mut Scene, parts: &[Learned]) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for event in scene.in_order() {
        engine.event(&event);
        for unknown in engine.unknown() {
            let asked = |part: &&Learned| unknown.identities.contains(&part.identity);
            parts.iter().filter(asked).for_each(|part| _ = engine.adopt(event.time, part));
            engine.answered(event.time, &unknown.name);
        }
        alerts.extend(engine.drain_alerts());
    }
    alerts
}

fn worst(alerts: &[Alert], place: &str) -> Option<Severity> {
    let about = alerts.iter().filter(|alert| alert.summary.contains(place));
    about.map(|alert| alert.severity).max()
}

/// How many hours say what is usual, in the evidence of a spike.
fn spike_known_by(alerts: &[Alert]) -> u64 {
    let facts = alerts.iter().flat_map(|alert| &alert.evidence).map(|evidence| &evidence.fact);
    let known = facts.filter_map(|fact| match fact {
        Fact::VolumeSpike { known_hours, .. } => *known_hours,
        _ => None,
    });
    known.max().unwrap_or(0)
}

/// Fails when a guest that moves to another sensor begins with nothing there: its usual places would be new
/// and it would be learned for a day, in which an exfiltration is no more than noted.
#[test]
fn a_guest_that_moves_is_known_where_it_comes_and_what_is_new_is_found() {
    let told = published(&mut settled("a", &[1, 2]), 3 * DAY);
    let part = of(&told, MOVER).clone();
    assert_eq!(part.identity, Identity::Mac(Mac([0x00, 0x50, 0x56, 0x81, 0, 2])));

    let mut scene = Scene::new();
    usual(&mut scene);
    exfiltration(&mut scene, AT + HOUR);
    let mut here = settled("b", &[4, 5]);
    let alerts = moved(&mut here, &mut scene.clone(), std::slice::from_ref(&part));
    assert_eq!(worst(&alerts, "usual-"), None);
    assert!(worst(&alerts, "drop.evil.example") >= Some(Severity::High), "{alerts:#?}");
    let now = here.baseline().assets[MOVER].clone();
    let known = &part.learned.destinations["usual-1.example"];
    let usual = &now.destinations["usual-1.example"];
    assert_eq!((now.first_seen, usual.first_seen), (part.learned.first_seen, known.first_seen));
    assert_eq!(
        (usual.is_trusted(), usual.days),
        (true, known.days + 1),
        "and the day there counts"
    );
    let hours = |learned: &AssetBaseline| learned.volumes["in-internal"].known_hours();
    assert!(hours(&part.learned) > 24 && hours(&now) >= hours(&part.learned));
    assert!(!now.destinations["evil.example"].is_trusted(), "no learning time of its own");
    assert!(spike_known_by(&alerts) > 24, "{alerts:#?}");

    let mut alone = settled("b", &[4, 5]);
    let alerts = moved(&mut alone, &mut scene, &[]);
    assert!(worst(&alerts, "drop.evil.example") < Some(Severity::High), "{alerts:#?}");
    assert!(spike_known_by(&alerts) < 2);
    let learned = &alone.baseline().assets[MOVER];
    assert!(learned.first_seen > known.first_seen);
    assert!(learned.destinations["evil.example"].learned, "new as everything");
}

/// Fails when what waits for an answer is told before, or never: everything that a management component
/// reaches is told at its hello where nothing is known.
#[test]
fn what_waits_is_judged_with_the_answer_or_when_none_comes() {
    const HOST: &str = "10.0.0.11";
    let mut taught = Scene::new();
    for hour in 0..20 {
        taught.visit(hour * HOUR, HOST, "feed.vendor.example", "198.51.9.7", 20, 40_000);
    }
    let mut there = Engine::new(&config("a"), Some(Duration::from_secs(DAY)), None);
    there.join_fleet("a", WAIT);
    taught.feed(&mut there);
    let part = of(&published(&mut there, DAY), "esxi-01").clone();

    // Until its hello.
    let visit = |engine: &mut Engine| -> Vec<Alert> {
        let mut scene = Scene::new();
        scene.visit(AT, HOST, "feed.vendor.example", "198.51.9.7", 1, 4_000);
        let events = scene.in_order().into_iter();
        events.filter(|event| event.time <= time(AT + 1)).for_each(|event| engine.event(&event));
        engine.drain_alerts().collect()
    };
    for answer in [Some(&part), None] {
        let mut here = settled("b", &[4]);
        assert!(visit(&mut here).is_empty(), "it waits");
        let unknown = here.unknown();
        let esxi = unknown.iter().find(|unknown| unknown.name == "esxi-01").unwrap();
        assert!(!esxi.is_known && esxi.identities.contains(&part.identity), "{esxi:?}");
        if let Some(part) = answer {
            assert!(here.adopt(time(AT + 1), part) && !here.adopt(time(AT + 1), part));
        }
        // And nothing else happens.
        let (mut peers, _exchange) = peers::pair(EVERY);
        peers.turn(&mut here, time(AT + 3));
        let alerts: Vec<Alert> = here.drain_alerts().collect();
        assert_eq!(alerts.is_empty(), answer.is_some(), "{alerts:#?}");
    }
    let mut late = settled("b", &[4]);
    visit(&mut late);
    late.reach(time(AT + 3));
    let told: Vec<Alert> = late.drain_alerts().collect();
    assert!(worst(&told, "feed.vendor") >= Some(Severity::High));
    late.adopt(time(AT + 60), &part);
    let last: Vec<Alert> = late.drain_alerts().collect();
    assert_eq!(last.len(), 1, "it is taken back: {last:#?}");
    assert_eq!((last[0].id, last[0].severity), (told[0].id, Severity::Low));
}

/// Fails when forgetting at one sensor is undone by another that still knows.
#[test]
fn what_was_forgotten_does_not_come_back_from_elsewhere() {
    let mut here = settled("a", &[1, 2]);
    let before = published(&mut here, 3 * DAY);
    let part = of(&before, MOVER).clone();
    assert!(here.forget(MOVER, Some("usual-1.example")));
    assert!(!here.adopt(time(3 * DAY + HOUR), &part));
    assert!(!here.baseline().assets[MOVER].destinations.contains_key("usual-1.example"));
    let told = here.learned(time(3 * DAY + HOUR), EVERY);
    let since = of(&told, MOVER);
    assert!(since.learned.forgotten_destinations.contains_key("usual-1.example"), "told at once");

    let mut there = settled("b", &[2]);
    assert!(there.adopt(time(3 * DAY + HOUR), since));
    let destinations = there.baseline().assets[MOVER].destinations.clone();
    assert!(!destinations.contains_key("usual-1.example"));
    assert!(destinations.contains_key("usual-2.example"));

    assert!(here.forget(MOVER, None));
    let told = here.learned(time(3 * DAY + 2 * HOUR), EVERY);
    assert!(there.adopt(time(3 * DAY + 2 * HOUR), of(&told, MOVER)));
    assert!(!there.baseline().assets[MOVER].destinations.contains_key("usual-2.example"));
    assert!(!there.adopt(time(3 * DAY + 2 * HOUR), &part), "nor what was before");
}

/// Fails when what is told of an asset that is not here yet is lost, or given to somebody else.
#[test]
fn what_is_told_of_an_asset_waits_for_it_over_a_restart() {
    let told = published(&mut settled("a", &[1, 2]), 3 * DAY);
    let mut here = settled("b", &[4]);
    assert!(here.adopt(time(AT), of(&told, MOVER)) && !here.adopt(time(AT), of(&told, MOVER)));
    let kept = serde_json::to_string(&here.baseline()).unwrap();
    let kept = serde_json::from_str(&kept).unwrap();
    let mut next = Engine::new(&config("b"), None, Some(kept));
    next.join_fleet("b", WAIT);
    // It has another address by now.
    let mut scene = Scene::new();
    usual(&mut scene);
    for mut event in scene.in_order() {
        for end in [&mut event.flow.client, &mut event.flow.server] {
            if end.address == MOVER.parse::<IpAddr>().unwrap() {
                end.address = "10.1.0.77".parse().unwrap();
            }
        }
        next.event(&event);
    }
    let unknown = next.unknown();
    assert!(unknown.iter().any(|unknown| unknown.name == MOVER && unknown.is_known));
    assert!(next.baseline().assets[MOVER].destinations["usual-1.example"].is_trusted());
}

/// Fails when everything is told again in each round, or when what changed is not.
#[test]
fn what_changed_is_told_once_in_a_round() {
    let mut engine = settled("a", &[1, 2, 3]);
    let names = |told: &[Learned]| told.iter().map(|told| told.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&published(&mut engine, 3 * DAY)).len(), 6, "the guests and their servers");
    assert_eq!(names(&published(&mut engine, 3 * DAY + 600)), [""; 0]);
    let mut scene = Scene::new();
    scene.visit(3 * DAY + HOUR, "10.1.0.3", "www.usual-1.example", "198.51.1.7", 20, 40_000);
    scene.feed(&mut engine);
    assert_eq!(names(&published(&mut engine, 3 * DAY + 2 * HOUR)), ["10.1.0.3"]);
}

/// Fails when who was away is taken for one that never left: what others learned since would not be asked.
#[test]
fn who_was_away_is_asked_about_again() {
    let mut engine = settled("a", &[1, 2]);
    let first: Vec<String> = engine.unknown().into_iter().map(|unknown| unknown.name).collect();
    assert!(first.iter().any(|name| name == MOVER));
    let came = |engine: &mut Engine, at| {
        let mut scene = Scene::new();
        scene.visit(at, MOVER, "www.usual-1.example", "198.51.1.7", 20, 40_000);
        scene.feed(engine);
        let back = engine.unknown();
        back.iter().any(|unknown| unknown.name == MOVER && unknown.is_known)
    };
    assert!(came(&mut engine, 5 * DAY));
    assert!(!came(&mut engine, 5 * DAY + HOUR));
}

/// Fails when what goes to a place that is new here and common in the estate is told as if nobody went there,
/// or when places of a sensor that is gone still excuse anything.
#[test]
fn what_is_common_at_other_sensors_weighs_less_here() {
    let upload = |scene: &mut Scene, guest: u64| {
        let client = format!("10.1.0.{guest}");
        scene.visit(AT + guest * HOUR, &client, "in.saas.example", "203.0.113.9", 900, 600_000_000);
    };
    let mut others = Scene::new();
    (1..=6).for_each(|guest| upload(&mut others, guest));
    let mut there = settled("a", &[1, 2, 3, 4, 5, 6]);
    others.feed(&mut there);
    let told: Vec<Places> = (0..places::PARTS).map(|part| there.places(part)).collect();
    let known: usize = told.iter().map(|part| part.places.len()).sum();
    assert_eq!(known, 5, "four usual ones and this");

    let worst_here = |prepare: &dyn Fn(&mut Engine)| {
        let mut here = settled("b", &[8, 9]);
        prepare(&mut here);
        let mut scene = Scene::new();
        upload(&mut scene, 6);
        let mut config = config("b");
        config.baseline.learning = Duration::ZERO;
        here.reconfigure(&config);
        worst(&moved(&mut here, &mut scene, &[]), "in.saas.example")
    };
    let hear = |here: &mut Engine| {
        for part in &told {
            here.elsewhere(&Places::read(&part.to_json(), "a", time(AT)).unwrap());
        }
    };
    assert_eq!(worst_here(&|_| {}), Some(Severity::Medium));
    assert_eq!(worst_here(&hear), None);
    let hear_and_lose = |here: &mut Engine| {
        hear(here);
        here.gone("a");
    };
    assert_eq!(worst_here(&hear_and_lose), Some(Severity::Medium));
}

/// Fails when what is told of an asset that the config names and nobody has seen yet is lost once it is seen,
/// or that of one that was forgotten comes back with it.
#[test]
fn what_is_told_of_a_named_asset_is_known_when_it_is_seen() {
    let told = published(&mut settled("a", &[1, 2]), 3 * DAY);
    let mut part = of(&told, MOVER).clone();
    let mut named = config("b");
    let identity = Mac([0x00, 0x50, 0x56, 0x81, 0, 2]);
    named.assets.push(crate::config::Asset {
        name: "web-02".into(),
        role: crate::config::Role::Guest,
        addresses: vec!["10.1.0.2/32".parse().unwrap()],
        macs: vec![identity],
        host: None,
    });
    let mut here = Engine::new(&named, None, None);
    here.join_fleet("b", WAIT);
    here.reach(time(AT - 60));
    assert!(here.adopt(time(AT - 60), &part));
    let mut scene = Scene::new();
    usual(&mut scene);
    scene.feed(&mut here);
    let sessions = |here: &Engine| {
        here.baseline().assets["web-02"].destinations.get("usual-1.example").map(|at| at.sessions)
    };
    let before = part.learned.destinations["usual-1.example"].sessions;
    assert_eq!(sessions(&here), Some(before + 1));
    here.forget("web-02", None);
    part.learned.forgotten = 0;
    assert!(!here.adopt(time(AT + HOUR), &part));
    let mut again = Scene::new();
    again.visit(AT + 2 * HOUR, MOVER, "www.usual-1.example", "198.51.1.7", 20, 40_000);
    again.feed(&mut here);
    assert_eq!(sessions(&here), Some(1), "it begins anew");
}

/// Fails when one sensor's word is enough to have a management component reach anything without an alert.
#[test]
fn where_assets_of_others_go_excuses_no_management_component() {
    let mut here = settled("b", &[4]);
    let place = "evil.example";
    let lie = Places::new("liar", places::part_of(place), std::iter::once((place, [9; 12])));
    here.elsewhere(&lie);
    let mut scene = Scene::new();
    scene.visit(AT, "10.0.0.11", "c2.evil.example", "203.0.113.10", 10, 900);
    let alerts = moved(&mut here, &mut scene, &[]);
    assert!(worst(&alerts, "c2.evil.example") >= Some(Severity::High), "{alerts:#?}");
}
