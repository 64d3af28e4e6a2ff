//! Beacons that hide among other connections.

use super::*;

#[test]
fn decoys_delay_but_do_not_hide() {
    let mut scene = scene();
    for beacon in 0..12 {
        let (at, answer) = (START + beacon * HOUR, c2(beacon));
        scene.resolve(at, GUEST, "cdn7.evil.example", &text(answer));
        for decoy in 0..7 {
            let port = 20_000 + (beacon * 7 + decoy) * 211 % 30_000;
            scene.connect(at + 3 + decoy, GUEST, &text(answer), port as u16);
        }
        scene.connect(at + 20, GUEST, &text(answer), apt12(answer) as u16);
    }
    assert_eq!(calculated(&scene.run(), GUEST).len(), 1);
}

#[test]
fn decoys_with_answers_of_their_own_delay_but_do_not_hide() {
    let mut scene = scene();
    for beacon in 0..8 {
        let at = START + beacon * HOUR;
        for decoy in 0..7 {
            let (at, answer) = (at + decoy * 150, c2(1000 + beacon * 7 + decoy));
            scene.resolve(at, GUEST, "cdn7.evil.example", &text(answer));
            let port = 20_000 + (beacon * 7 + decoy) * 211 % 30_000;
            scene.connect(at + 3, GUEST, &text(answer), port as u16);
        }
        let answer = c2(beacon);
        scene.resolve(at + 1500, GUEST, "cdn7.evil.example", &text(answer));
        scene.connect(at + 1503, GUEST, &text(answer), apt12(answer) as u16);
    }
    let told = scene.run();
    assert!(delay(calculated(&told, GUEST)[0]) <= 4, "{told:#?}");
}

/// Fails when an unknown formula is only looked for in the first ports.
#[test]
fn decoys_before_each_call_do_not_hide_an_unknown_formula() {
    let mut scene = scene();
    for beacon in 0..12 {
        let (at, answer) = (START + beacon * HOUR, c2(beacon));
        scene.resolve(at, GUEST, "cdn7.evil.example", &text(answer));
        let decoy = 20_000 + beacon * 1733 % 30_000;
        scene.connect(at + 3, GUEST, &text(answer), decoy as u16);
        let [a, b, c, _] = answer;
        scene.connect(at + 20, GUEST, &text(answer), (a * b + c + 5000) as u16);
    }
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1);
    assert!(delay(found[0]) <= 8, "{}", delay(found[0]));
    assert!(found[0].alert.summary.contains("(a*b+c+5000) mod 65536"), "{:#?}", found[0]);
}

#[test]
fn a_formula_is_held_against_what_comes_next() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 10, None, |[a, b, c, _]| a * b + c + 5000);
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert!(found[0].severity >= Severity::Medium);
    let all = 10 - delay(found[0]);
    let statement = format!("of {all} answers since this alert, {all} were followed by the port");
    assert!(says(found[0], &statement), "{:#?}", found[0].alert.evidence);
}

#[test]
fn a_formula_that_gives_nothing_that_comes_next_is_taken_back() {
    let mut scene = scene();
    beacons(&mut scene, GUEST, 16, None, |answer| {
        let [a, b, c, _] = answer;
        let known = (0..5).any(|beacon| c2(beacon) == answer);
        if known {
            a * b + c + 5000
        } else {
            20_000 + (a * 7919 + b * b * 31 + c * c * 17) % 30_011
        }
    });
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Low));
    assert!(found[0].worst >= Severity::Medium);
    assert!(says(found[0], "others than the formula gives"));
}
