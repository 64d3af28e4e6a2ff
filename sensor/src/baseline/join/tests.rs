use proptest::prelude::*;

use super::*;
use crate::baseline::{Habits, HoursOfDay, Told, Volumes};
use crate::config::Config;
use crate::event::Endpoint;
use crate::inventory::{AssetId, Inventory};
use crate::time::Timestamp;

const DAY: u64 = 86_400;
const START: u64 = 20_000 * DAY;
const PLACES: [&str; 3] = ["a.example", "b.example", "203.0.113.0/24"];
const SERIES: [&str; 2] = ["in-internal", "unexplained-out"];

fn asset() -> AssetId {
    let mac = Some(crate::decode::Mac([0x00, 0x50, 0x56, 0x80, 0, 1]));
    let end = Endpoint { address: "10.0.0.1".parse().unwrap(), port: 1, mac };
    Inventory::new(&Config::default()).resolve(&end, Timestamp::from_parts(START, 0)).unwrap()
}

/// What one sensor sees of an asset.
#[derive(Debug, Clone)]
enum Seen {
    /// A session begins in the learning time or after it, carries so much, and an alert may be open.
    Session {
        place: usize,
        learning: bool,
        kib: u32,
        tainted: bool,
    },
    /// An hour of a series is over.
    Moved {
        series: usize,
        kib: u32,
        peer: u32,
        spoiled: bool,
    },
    /// An alert speaks against so many hours of a series.
    Unlearned {
        series: usize,
        hours: u32,
    },
    /// A client or port is used.
    Used {
        what: u16,
        learning: bool,
    },
    Told {
        subject: u8,
    },
    Drained {
        score: u8,
        bytes: u64,
    },
    ForgotPlace(usize),
    ForgotAll,
}

fn seen() -> impl Strategy<Value = Seen> {
    let kib = prop_oneof![Just(0), 0..200u32, 0..1u32 << 26];
    let place = 0..PLACES.len();
    prop_oneof![
        8 => (place.clone(), any::<bool>(), kib.clone(), prop::bool::weighted(0.2)).prop_map(
            |(place, learning, kib, tainted)| Seen::Session { place, learning, kib, tainted }
        ),
        6 => (0..SERIES.len(), kib, 0..3u32, prop::bool::weighted(0.1)).prop_map(
            |(series, kib, peer, spoiled)| Seen::Moved { series, kib, peer, spoiled }
        ),
        1 => (0..SERIES.len(), 1..50u32)
            .prop_map(|(series, hours)| Seen::Unlearned { series, hours }),
        2 => (0..4u16, any::<bool>()).prop_map(|(what, learning)| Seen::Used { what, learning }),
        1 => (0..4u8).prop_map(|subject| Seen::Told { subject }),
        1 => (0..40u8, any::<u64>()).prop_map(|(score, bytes)| Seen::Drained { score, bytes }),
        1 => place.prop_map(Seen::ForgotPlace),
        1 => prop::bool::weighted(0.1).prop_map(|all| {
            if all { Seen::ForgotAll } else { Seen::ForgotPlace(0) }
        }),
    ]
}

/// A life of an asset at one sensor: what is seen, and how long after the one before, mostly within hours
/// and sometimes months later. Many begin on the same day, so that days are split between sensors.
fn life() -> impl Strategy<Value = Vec<(u64, Seen)>> {
    let pause = prop_oneof![4 => 0..7200u64, 2 => 0..2 * DAY, 1 => 20 * DAY..100 * DAY];
    prop::collection::vec((pause, seen()), 0..40)
}

/// What is learned of it, by the code that learns.
fn learned(life: &[(u64, Seen)]) -> AssetBaseline {
    let (mut habits, mut baseline, mut time) = (Habits::default(), AssetBaseline::default(), START);
    for (pause, seen) in life {
        time += pause;
        if baseline.first_seen == 0 {
            baseline.first_seen = time;
        }
        see(&mut habits, &mut baseline, time, seen);
    }
    habits.save(asset(), &mut baseline);
    baseline
}

fn see(habits: &mut Habits, baseline: &mut AssetBaseline, time: u64, seen: &Seen) {
    let (now, hour) = (Timestamp::from_parts(time, 0), (time / 3600) as u32);
    match *seen {
        Seen::Session { place, learning, kib, tainted } => {
            let visit = habits.visit(asset(), PLACES[place], now, learning);
            habits.send((asset(), visit.place, visit.spot), now, u64::from(kib) << 10, tainted);
            if tainted {
                habits.taint(asset(), visit.place);
            }
        }
        Seen::Moved { series, kib, peer, spoiled } => {
            let volumes = baseline.volumes.entry(SERIES[series].to_owned()).or_default();
            volumes.skip_to(hour, |hour| hour % 5 != 0);
            let largest = [10, 2, 1, 1].map(|part| (u64::from(kib) << 10) / part);
            volumes.tell(hour, Told { largest, peer: (peer > 0).then_some(peer), spoiled });
        }
        Seen::Unlearned { series, hours } => {
            let volumes = baseline.volumes.get_mut(SERIES[series]);
            volumes.into_iter().for_each(|volumes| volumes.unlearn(hour.saturating_sub(hours)));
        }
        Seen::Used { what, learning } => {
            let new = [if learning { 0 } else { hour }, hour];
            baseline.ports.entry(what).or_insert(new)[1] = hour;
            baseline.clients.entry(format!("t13d{what}")).or_insert(new)[1] = hour;
        }
        Seen::Told { subject } => unite(&mut baseline.channels, &[format!("+ssh {subject}")]),
        Seen::Drained { score, bytes } => {
            let score = f64::from(score) / 4.0;
            baseline.drain = DrainKept { score, bytes, at: hour, since: hour, expected: 0 };
        }
        Seen::ForgotPlace(place) => {
            let known = habits.place(PLACES[place]);
            known.into_iter().for_each(|place| _ = habits.forget(asset(), Some(place)));
            baseline.forgotten_destinations.insert(PLACES[place].to_owned(), time);
        }
        Seen::ForgotAll => {
            habits.forget(asset(), None);
            *baseline = AssetBaseline { forgotten: time, ..AssetBaseline::default() };
        }
    }
}

fn joined(parts: &[&AssetBaseline]) -> AssetBaseline {
    let mut all = AssetBaseline::default();
    parts.iter().for_each(|part| all.join(part));
    all
}

/// As it is told: tables that were made and hold nothing are not told apart from those never made.
fn told(baseline: &AssetBaseline) -> String {
    serde_json::to_string(baseline).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Fails when it matters who is heard first, or how often.
    #[test]
    fn what_sensors_know_joins_in_any_order_and_as_often_as_one_likes(
        lives in [life(), life(), life()]
    ) {
        let [a, b, c] = lives.each_ref().map(|life| learned(life));
        let all = told(&joined(&[&a, &b, &c]));
        prop_assert_eq!(&all, &told(&joined(&[&c, &b, &a])));
        prop_assert_eq!(&all, &told(&joined(&[&b, &c, &a])));
        prop_assert_eq!(&all, &told(&joined(&[&a, &joined(&[&b, &c])])));
        prop_assert_eq!(&all, &told(&joined(&[&b, &a, &c, &a, &joined(&[&a, &b]), &c])));
        let mut twice = a.clone();
        twice.join(&a);
        prop_assert_eq!(told(&twice), told(&a));
        twice.join(&AssetBaseline::default());
        prop_assert_eq!(told(&twice), told(&a));
    }

    /// Fails when somebody who is seen at two sensors gets more usual than at either.
    #[test]
    fn nothing_becomes_more_than_one_sensor_had(lives in [life(), life()]) {
        let [a, b] = lives.each_ref().map(|life| learned(life));
        let both = joined(&[&a, &b]);
        for (name, habit) in &both.destinations {
            let of = |part: &AssetBaseline| part.destinations.get(name).cloned().unwrap_or_default();
            let (one, other) = (of(&a), of(&b));
            prop_assert!(habit.hours <= one.hours.max(other.hours));
            prop_assert!(habit.alert_days() <= one.alert_days().max(other.alert_days()));
            prop_assert!(habit.today() <= one.today().max(other.today()));
        }
        for (series, volumes) in &both.volumes {
            let of = |part: &AssetBaseline| part.volumes.get(series).map_or(0, Volumes::largest_hour);
            prop_assert!(volumes.largest_hour() <= of(&a).max(of(&b)));
        }
    }

    /// Fails when what is told is read back as something else.
    #[test]
    fn what_is_joined_is_read_back_the_same(lives in [life(), life()]) {
        let [a, b] = lives.each_ref().map(|life| learned(life));
        let text = told(&joined(&[&a, &b]));
        prop_assert_eq!(&text, &told(&serde_json::from_str(&text).unwrap()));
    }
}

fn visits(days: std::ops::Range<u64>, kib: u32, learning: bool) -> Vec<(u64, Seen)> {
    let session = |tainted| Seen::Session { place: 0, learning, kib, tainted };
    let first = (days.start * DAY + 9 * 3600, session(false));
    let later = days.skip(1).map(|_| (DAY, session(false)));
    std::iter::once(first).chain(later).collect()
}

/// Fails when days at several sensors add up, or levels grow faster by going from one to the other.
#[test]
fn whoever_alternates_between_two_sensors_is_learned_no_faster() {
    let mut both = [learned(&visits(0..5, 1000, true)), AssetBaseline::default()];
    let level = |of: &AssetBaseline| of.destinations[PLACES[0]].usual_day();
    let before = level(&both[0]);
    for day in 5..25 {
        let at = (day % 2) as usize;
        let (mut habits, time) = (Habits::default(), START + day * DAY + 9 * 3600);
        let (mine, other) = (both[at].clone(), both[1 - at].clone());
        let mut now = joined(&[&mine, &other]);
        habits.restore(asset(), &now);
        let seen = Seen::Session { place: 0, learning: false, kib: 1 << 20, tainted: false };
        see(&mut habits, &mut now, time, &seen);
        habits.save(asset(), &mut now);
        both[at] = now;
    }
    let now = joined(&[&both[0], &both[1]]);
    let grown = level(&now) as f64 / before as f64;
    assert!(grown <= 1.15f64.powi(20) * 1.01, "{grown}");
    assert!(grown > 2.0, "{grown}: and it does learn");
    assert!(now.destinations[PLACES[0]].days <= 20);
}

/// Fails when an alert's word is lost where another sensor saw the same day without one.
#[test]
fn a_day_with_an_alert_at_one_sensor_teaches_nothing_at_any() {
    let quiet = learned(&visits(0..9, 1 << 20, false));
    let mut alerted = visits(0..9, 1 << 20, false);
    for (_, seen) in &mut alerted[7..] {
        *seen = Seen::Session { place: 0, learning: false, kib: 1 << 20, tainted: true };
    }
    let mut both = joined(&[&quiet, &learned(&alerted)]);
    let mut habits = Habits::default();
    habits.restore(asset(), &both);
    habits.visit(asset(), PLACES[0], Timestamp::from_parts(START + 9 * DAY + 9 * 3600, 0), false);
    habits.save(asset(), &mut both);
    let habit = &both.destinations[PLACES[0]];
    assert_eq!(habit.alert_days(), 2);
    assert_eq!(
        habit.days, 7,
        "the eight days of the quiet one, but for the last, which was not over"
    );
}

/// Fails when forgotten destinations come back from a sensor that did not know, or when what is learned
/// since does not count.
#[test]
fn forgetting_wins_over_what_others_still_have() {
    let elsewhere = learned(&visits(0..20, 10, true));
    let mut here = elsewhere.clone();
    here.destinations.remove(PLACES[0]);
    here.forgotten_destinations.insert(PLACES[0].to_owned(), START + 10 * DAY);
    assert!(!joined(&[&here, &elsewhere]).destinations.contains_key(PLACES[0]));
    assert!(!joined(&[&elsewhere, &here]).destinations.contains_key(PLACES[0]));
    let since = learned(&visits(30..31, 10, false));
    here.destinations.clone_from(&since.destinations);
    let both = joined(&[&elsewhere, &here]);
    assert_eq!(both.destinations, since.destinations, "it begins anew");

    let all = AssetBaseline { forgotten: START + 25 * DAY, ..AssetBaseline::default() };
    assert_eq!(joined(&[&elsewhere, &all]), all);
    assert_eq!(joined(&[&all, &elsewhere]).hours, HoursOfDay::default());
}

/// Fails when a sensor that is new to an asset is a way to have anything learned at once.
#[test]
fn a_learning_time_that_was_none_teaches_no_more_than_other_days() {
    const WEEK: Duration = Duration::from_secs(7 * DAY);
    let known = learned(&visits(0..5, 10, true));
    let mut elsewhere = learned(&visits(40..42, 1 << 20, true));
    elsewhere.channels = Vec::from(["+ssh a".to_owned(), "ssh b".to_owned()]);
    elsewhere.clients.insert("t13d".to_owned(), [0, 480_990]);
    let mut honest = elsewhere.clone();
    honest.known_since(honest.first_seen, WEEK);
    assert_eq!(honest, elsewhere, "nobody knew it before");

    elsewhere.known_since(known.first_seen, WEEK);
    let habit = &elsewhere.destinations[PLACES[0]];
    assert!(!habit.is_trusted() && !habit.learned);
    assert_eq!((habit.hours, habit.usual_day() <= 256 << 10), (0, true));
    assert_eq!(elsewhere.channels, ["+ssh a"]);
    assert_eq!(elsewhere.clients["t13d"][0], (elsewhere.first_seen / 3600) as u32);
}
