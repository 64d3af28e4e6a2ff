use super::formula::Expression;
use crate::alert::{Analytic, Fact, Severity};
use crate::detect::answers::Value;
use crate::detect::tests::{DAY, HOUR, MINUTE, Scene, Told, about, at_least};
use crate::event::DnsData;

mod evasions;
mod month;
mod readings;
mod services;

const START: u64 = 2 * DAY + 10 * HOUR;
const GUEST: &str = "10.1.0.3";

fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.routine(4, 3);
    scene
}

/// The address of the `beacon`-th answer, spread over the internet.
fn c2(beacon: u64) -> [u64; 4] {
    let mixed = (beacon + 11).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    [60 + mixed % 140, mixed >> 8 & 0xff, mixed >> 16 & 0xff, mixed >> 24 & 0xff]
}

fn text([a, b, c, d]: [u64; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

/// Beacons an hour apart from `guest` to `host` (or the answer), on the port that the answer gives.
fn beacons(
    scene: &mut Scene,
    guest: &str,
    count: u64,
    host: Option<&str>,
    port: impl Fn([u64; 4]) -> u64,
) {
    for beacon in 0..count {
        let at = START + beacon * HOUR;
        let answer = c2(beacon);
        scene.resolve(at, guest, "cdn7.evil.example", &text(answer));
        scene.connect(at + 5, guest, host.unwrap_or(&text(answer)), port(answer) as u16);
    }
}

fn calculated<'a>(told: &'a [Told], asset: &str) -> Vec<&'a Told> {
    about(told, asset).into_iter().filter(|told| told.analytic == Analytic::AN0731).collect()
}

/// Whether a statement of an alert's evidence holds these words.
fn says(told: &Told, words: &str) -> bool {
    told.alert.evidence.iter().any(|piece| match &piece.fact {
        Fact::Baseline { statement } => statement.contains(words),
        _ => false,
    })
}

/// The beacon, counted from 1, at which it was told.
fn delay(told: &Told) -> u64 {
    (told.at - START) / HOUR + 1
}

fn apt12([a, b, c, _]: [u64; 4]) -> u64 {
    a * b + c
}

#[test]
fn apt12_is_found_at_its_second_connection_and_explained() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 4, None, apt12);
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1, "{told:#?}");
    assert_eq!(delay(found[0]), 2);
    assert_eq!(found[0].severity, Severity::High);
    let formula = found[0].alert.evidence.iter().find_map(|piece| match &piece.fact {
        Fact::Formula { expression, pairs, misses: 0, .. } => Some((expression.as_str(), *pairs)),
        _ => None,
    });
    assert_eq!(formula, Some(("a*b+c", 4)));
    assert_eq!(told.len(), 1, "nothing else");
}

#[test]
fn a_fixed_server_with_a_changing_port_answer_is_found() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 4, Some("203.0.113.50"), apt12);
    let told = scene.run();
    assert!(delay(calculated(&told, GUEST)[0]) <= 3, "{told:#?}");
}

#[test]
fn two_infected_guests_with_the_same_server_are_both_found() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 4, None, apt12);
    beacons(&mut scene, "10.1.0.4", 4, None, apt12);
    let told = scene.run();
    for guest in [GUEST, "10.1.0.4"] {
        assert_eq!(calculated(&told, guest).len(), 1, "{told:#?}");
    }
}

#[test]
fn other_formulas_are_solved_for() {
    type Formula = fn([u64; 4]) -> u64;
    let formulas: [(Formula, u64); 6] = [
        (|[a, b, c, _]| a * b + c + 5000, 5),
        (|[a, b, c, d]| a * b * c * d % 60_000 + 1024, 6),
        (|[a, b, c, d]| (((a ^ c) * 256) + (b ^ d)) ^ 0x1f2e, 5),
        (|[_, _, c, d]| c * 91 + d * 333 + 1500, 7),
        (|[a, b, c, d]| a * 7 + b * 1021 + c * 51 + d * 4001 + 9, 10),
        (|[_, _, c, d]| d * 256 + c, 2),
    ];
    for (index, (formula, most)) in formulas.into_iter().enumerate() {
        for host in [None, Some("203.0.113.50")] {
            let mut scene = scene();
            beacons(&mut scene, GUEST, 12, host, formula);
            let told = scene.run();
            let found = calculated(&told, GUEST);
            assert_eq!(found.len(), 1, "formula {index} {host:?}");
            let slack = u64::from(host.is_some());
            assert!(
                delay(found[0]) <= most + slack,
                "formula {index} {host:?}: {}",
                delay(found[0])
            );
            assert!(found[0].severity >= Severity::Medium);
        }
    }
}

#[test]
fn names_that_rotate_under_one_domain_are_one() {
    let mut scene = scene();
    for beacon in 0..4 {
        let (at, answer) = (START + beacon * HOUR, c2(beacon));
        scene.resolve(at, GUEST, &format!("x{beacon}.evil.example"), &text(answer));
        scene.connect(at + 5, GUEST, &text(answer), apt12(answer) as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}

/// Fails when connections that only a log tells of are not tested, or those in packets too are
/// tested twice.
#[test]
fn connections_of_logs_are_tested_once_and_say_whose_log_it_was() {
    use crate::event::{Conversation, Report, Reporter, Said, Service};
    let reports: Vec<Report> = (0..4)
        .map(|beacon| {
            let server = (text(c2(beacon)).parse().unwrap(), apt12(c2(beacon)) as u16);
            let client = (GUEST.parse().unwrap(), 50_000);
            let said = Conversation { client, server, protocol: 6, bytes: None, is_blocked: false };
            Report {
                time: crate::detect::tests::time(START + beacon * HOUR + 5),
                stated: None,
                reporter: Reporter { service: Service::Nsx, host: None, peer: None },
                said: Said::Conversation(Box::new(said)),
            }
        })
        .collect();
    let sources = |told: &Told| -> Vec<Option<String>> {
        let source = |piece: &crate::alert::Evidence| match &piece.fact {
            Fact::Connection { source, .. } => Some(source.as_deref().map(str::to_owned)),
            _ => None,
        };
        told.alert.evidence.iter().filter_map(source).collect()
    };
    let mut logged = scene();
    for beacon in 0..4 {
        let answer = text(c2(beacon));
        logged.resolve(START + beacon * HOUR, GUEST, "cdn7.evil.example", &answer);
        logged.resolve(START + beacon * HOUR + 60, GUEST, "www.usual-0.example", "198.51.0.7");
    }
    let told = logged.run_logged(&reports);
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1, "{told:#?}");
    assert!(sources(found[0]).iter().all(|source| source.as_deref() == Some("nsx")));
    let mut both = scene();
    beacons(&mut both, GUEST, 4, None, apt12);
    let alone = both.run();
    let told = both.run_logged(&reports);
    let (alone, found) = (calculated(&alone, GUEST), calculated(&told, GUEST));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].alert.confidence, alone[0].alert.confidence);
    assert_eq!(found[0].alert.evidence.len(), alone[0].alert.evidence.len());
    assert!(sources(found[0]).iter().all(Option::is_none), "packets came first");
}
