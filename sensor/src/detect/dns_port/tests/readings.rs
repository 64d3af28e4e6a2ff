//! What answers are read for, and who is believed.

use super::*;
use crate::config::PortFormula;

#[test]
fn numbers_in_txt_records_are_found() {
    let mut scene = scene();
    for beacon in 0..5 {
        let at = START + beacon * HOUR;
        let number = 2000 + beacon * 7919 % 50_000;
        scene.dns(at, GUEST, "p.evil.example", &[DnsData::Text(format!("k={number};").into())]);
        scene.connect(at + 5, GUEST, "203.0.113.50", number as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}

#[test]
fn formulas_over_the_end_of_ipv6_addresses_are_found() {
    let mut scene = scene();
    for beacon in 0..4 {
        let (at, [a, b, c, d]) = (START + beacon * HOUR, c2(beacon));
        let answer = format!("2001:db8:77::{a:x}{b:02x}:{c:x}{d:02x}");
        scene.resolve(at, GUEST, "v6.evil.example", &answer);
        scene.connect(at + 5, GUEST, &answer, (a * b + c) as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}

/// Beacons to a fixed server on a port that stands in the answer, written by `write`.
fn announced(write: impl Fn(u64) -> DnsData) -> u64 {
    let mut scene = scene();
    for beacon in 0..4 {
        let at = START + beacon * HOUR;
        let port = 2000 + (beacon + 3) * 7919 % 50_000;
        scene.dns(at, GUEST, "p.evil.example", &[write(port)]);
        scene.connect(at + 5, GUEST, "203.0.113.50", port as u16);
    }
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1, "{told:#?}");
    delay(found[0])
}

#[test]
fn numbers_in_texts_and_labels_are_found_in_both_bases() {
    assert!(announced(|port| DnsData::Text(format!("k=0x{port:x}").into())) <= 3);
    assert!(announced(|port| DnsData::Text(format!("a4 {port:x} zz").into())) <= 3);
    assert!(announced(|port| DnsData::Name(format!("p{port}.r.evil.example").into())) <= 3);
    assert!(announced(|port| DnsData::Name(format!("x-{port:04x}.r.evil.example").into())) <= 3);
}

#[test]
fn groups_of_ipv6_addresses_are_found() {
    let mut scene = scene();
    for beacon in 0..4 {
        let at = START + beacon * HOUR;
        let port = 2000 + (beacon + 3) * 7919 % 50_000;
        scene.resolve(at, GUEST, "v6.evil.example", &format!("2001:db8:1:{port:x}::7"));
        scene.connect(at + 5, GUEST, "2001:db8:99::1", port as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}

/// Fails when one of the family is not tried, is taken for chance, or is not tried elsewhere.
#[test]
fn every_known_formula_is_found_within_three_connections() {
    let (mut scene, mut guests) = (Scene::new(), Vec::new());
    scene.resolve(0, GUEST, "www.usual-0.example", "198.51.0.7");
    for (place, formula) in Expression::all().iter().take(48).enumerate() {
        for (elsewhere, host) in [None, Some("203.0.113.50")].into_iter().enumerate() {
            let guest = format!("10.1.{}.{}", 1 + elsewhere, 1 + place);
            let port = |answer: &[u64; 4]| {
                formula.port(Value::Address(text(*answer).parse().unwrap())).unwrap()
            };
            let answers =
                (0..).map(|index| c2(index * 200 + elsewhere as u64 * 100 + place as u64));
            let answers = answers.filter(|answer| port(answer) > 1024).take(3);
            for (beacon, answer) in answers.enumerate() {
                let at = START + beacon as u64 * HOUR + place as u64 * 20;
                scene.resolve(at, &guest, &format!("n{place}.e{place}.example"), &text(answer));
                scene.connect(at + 5, &guest, host.unwrap_or(&text(answer)), port(&answer));
            }
            guests.push((guest, formula));
        }
    }
    let told = scene.run();
    for (guest, formula) in guests {
        let found = calculated(&told, &guest);
        assert_eq!(found.len(), 1, "{formula} by {guest}");
        assert!(delay(found[0]) <= 3, "{formula} by {guest}");
    }
}

#[test]
fn a_formula_of_the_config_is_tried_and_named() {
    let of = |[_, _, c, d]: [u64; 4]| (c ^ d) * 7 % 60_000 + 1024;
    let mut scene = scene();
    beacons(&mut scene, GUEST, 6, None, of);
    assert!(calculated(&scene.run(), GUEST).is_empty(), "not one of the family");
    let formula = PortFormula::parse("(c^d)*7 mod 60000 + 1024").unwrap();
    scene.configure(|config| config.dns_port.formulas.push(formula.into()));
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1);
    assert!(found[0].alert.summary.contains("(c^d)*7 mod 60000 + 1024 of what DNS"));
}

/// Fails when answers that nobody asked for take the place of those that were.
#[test]
fn answers_that_nobody_asked_for_neither_hide_a_beacon_nor_make_one() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 4, None, apt12);
    for flood in 0..4000u64 {
        let at = START + flood % 4 * HOUR + 2;
        scene.spoof(at, GUEST, &format!("n{flood}.x{flood}.example"), &text(c2(flood + 50)));
        scene.spoof(at, GUEST, "cdn7.evil.example", &text(c2(flood + 50)));
    }
    for call in 0..4 {
        let (at, answer) = (START + call * HOUR, c2(call + 90));
        scene.spoof(at, "10.1.0.2", "cdn7.evil.example", &text(answer));
        scene.connect(at + 5, "10.1.0.2", &text(answer), apt12(answer) as u16);
    }
    let told = scene.run();
    assert_eq!(delay(calculated(&told, GUEST)[0]), 2);
    assert!(calculated(&told, "10.1.0.2").is_empty());
}

/// On a mirror of one direction no question is ever seen.
#[test]
fn where_no_question_is_ever_seen_answers_have_to_do() {
    let mut scene = Scene::new();
    scene.spoof(0, GUEST, "www.usual-0.example", "198.51.0.7");
    for beacon in 0..4 {
        let (at, answer) = (START + beacon * HOUR, c2(beacon));
        scene.spoof(at, GUEST, "cdn7.evil.example", &text(answer));
        scene.connect(at + 5, GUEST, &text(answer), apt12(answer) as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}
