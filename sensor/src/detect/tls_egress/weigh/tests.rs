use super::*;
use crate::detect::statistics::HIGH;

/// A habit with `bytes` out on one day, learned or new.
fn habit(bytes: u64, learned: bool) -> Habit {
    let mut habits = crate::baseline::Habits::default();
    let asset = crate::detect::tests::any_asset();
    let now = crate::detect::tests::time(0);
    let visit = habits.visit(asset, "place.example", now, learned);
    habits.send((asset, visit.place, visit.spot), now, bytes, false);
    habits.habit(asset, visit.place).unwrap().clone()
}

fn found(habit: &Habit) -> Findings<'_> {
    Findings {
        habit,
        others: Others::default(),
        notes: Notes::default(),
        staged: None,
        led: None,
        rare: Rare::default(),
        drained: None,
        management: false,
        doubtful: false,
        learning: false,
    }
}

fn sum(found: &Findings<'_>) -> f64 {
    found.weigh().sum()
}

#[test]
fn bytes_alone_pass_zero_beyond_100_megabytes_and_are_never_high() {
    assert!(sum(&found(&habit(100_000_000, false))) < 0.0);
    assert!(sum(&found(&habit(150_000_000, false))) > 0.0);
    assert!(sum(&found(&habit(1 << 45, false))) < HIGH);
}

#[test]
fn staging_counts_by_how_much_of_it_leaves() {
    let habit = habit(30_000_000, false);
    let weight = |pulled: u64, out: u64, novelty| {
        // Ten times as much of both.
        let (pulled, out) = (pulled * 10, out * 10);
        let staged = Some(Staged { pulled, out, novelty });
        Findings { staged, ..found(&habit) }.weigh().staging
    };
    assert_eq!(weight(8_000_000_000, 700_000, 1.0), 0.0, "a tiny visit after a backup");
    let (tenth, most) = (weight(300_000_000, 30_000_000, 1.0), weight(60_000_000, 30_000_000, 1.0));
    assert!((tenth - STAGING).abs() < 1e-9 && (most - STAGING - CLOSE).abs() < 1e-9);
    assert!(weight(1_000_000, 30_000_000, 1.0) < 1.0, "thirty times what was pulled is other data");
    assert!((weight(60_000_000, 30_000_000, 0.5) - most / 2.0).abs() < 1e-9);
    let little = weight(5_000_000, 4_000_000, 1.0);
    assert!((little - LITTLE * (STAGING + CLOSE)).abs() < 1e-9, "a file that is sent on");
}

#[test]
fn others_excuse_unless_this_asset_sends_far_more_than_they() {
    let habit = habit(300_000_000, false);
    let with = |assets, alike| sum(&Findings { others: Others { assets, alike }, ..found(&habit) });
    assert!(with(2, 2) < 0.0, "a roll-out's third asset weighs little");
    assert!((with(50, 0) - sum(&found(&habit))).abs() < 1e-9);
}

#[test]
fn management_is_high_at_the_hello_and_notes_never_are_enough() {
    let small = habit(0, false);
    let management = Findings { management: true, ..found(&small) };
    assert_eq!(management.weigh().severity(&management), Some(Severity::High));
    let doubtful = Findings { doubtful: true, ..management };
    assert_eq!(doubtful.weigh().severity(&doubtful), Some(Severity::Medium));
    let mut notes = Notes::default();
    Notes::ALL.iter().for_each(|(note, ..)| notes.add(*note));
    let rare = Rare { client: Some(0), port: Some(0) };
    let guest = Findings { notes, rare, ..found(&small) };
    assert_eq!(guest.weigh().severity(&guest), None);
    assert_eq!(notes.names().len(), Notes::ALL.len());
}

#[test]
fn a_guest_in_learning_is_medium_at_most() {
    let habit = habit(1 << 40, false);
    let staged = Some(Staged { pulled: 1 << 40, out: 1 << 40, novelty: 1.0 });
    let guest = Findings { staged, learning: true, ..found(&habit) };
    assert_eq!(guest.weigh().severity(&guest), Some(Severity::Medium));
}

#[test]
fn what_is_rare_weighs_little_and_less_where_others_have_it() {
    let weights = |client, port| Rare { client, port }.weights();
    assert_eq!(weights(None, None), [0.0; 2]);
    let [client, port] = weights(Some(0), Some(0));
    assert!((client + port - RARE).abs() < 1e-9 && client > port);
    assert!(weights(Some(3), None)[0] < weights(Some(0), None)[0] / 3.0);
    assert!(weights(Some(u32::MAX), Some(u32::MAX))[0] < 1e-6);
}

/// A habit that sends `daily` on each of `days` days after one day of learning with `learned`.
fn daily(learned: u64, daily: impl Fn(u64) -> u64, days: u64) -> Habit {
    let mut habits = crate::baseline::Habits::default();
    let asset = crate::detect::tests::any_asset();
    let at = |day: u64| crate::detect::tests::time(day * 86_400);
    let visit = habits.visit(asset, "place.example", at(0), learned > 0);
    let (place, spot) = (visit.place, visit.spot);
    habits.send((asset, place, spot), at(0), learned, false);
    for day in 1..=days {
        habits.visit(asset, "place.example", at(day), false);
        habits.send((asset, place, spot), at(day), daily(day), false);
    }
    habits.habit(asset, place).unwrap().clone()
}

#[test]
fn steps_that_grow_day_by_day_are_held_against_where_they_began() {
    let grown = daily(20_000_000, |day| (2e7 * 1.5f64.powi(day as i32)) as u64, 14);
    assert!(grown.is_trusted() && grown.today() > 5_000_000_000);
    assert!(sum(&found(&grown)) > 0.0, "{:?}", found(&grown).weigh());
    let steady = daily(20_000_000, |day| 20_000_000 + day % 3 * 5_000_000, 14);
    assert!(sum(&found(&steady)) < -6.0, "{:?}", found(&steady).weigh());
}

#[test]
fn a_drip_to_a_place_that_became_known_by_it_adds_up_over_weeks() {
    let drip = daily(0, |_| 35_000_000, 29);
    assert!(drip.is_trusted() && sum(&found(&drip)) > 0.0, "{:?}", found(&drip).weigh());
    let amount = found(&drip).amount();
    assert_eq!((amount.days, amount.bytes / 100_000_000), (30, 10));
    assert!(found(&drip).weigh().novelty.abs() < 1e-9, "no discount for what it taught itself");
}

#[test]
fn a_drain_counts_by_the_part_this_place_has_in_it() {
    let habit = habit(20_000_000, false);
    let drain = |share| Findings { drained: share, ..found(&habit) }.weigh().drain;
    assert_eq!((drain(None), drain(Some(0.05))), (0.0, 0.0));
    assert!((drain(Some(0.9)) - DRAIN).abs() < 1e-9);
}
