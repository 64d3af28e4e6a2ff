use proptest::prelude::*;

use super::*;
use crate::baseline::Volumes;
use crate::decode::Mac;

const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

/// An asset of four weeks with so many destinations, all of them in use.
pub(crate) fn typical(destinations: usize) -> AssetBaseline {
    let hour = (NOW.as_secs() / 3600) as u32;
    let number = |at: usize| (at * 7919) % 97;
    let volumes = |series: usize| {
        // A third of the hours idle, sums of an hour, ten minutes and one that are all different.
        let of =
            |at: usize| if at.is_multiple_of(3) { 1 } else { 60 + (number(at + series) as u8) };
        let hours: Vec<[u8; 3]> = (0..672)
            .map(|at| [of(at) / 2, of(at).saturating_sub(9), of(at)].map(|n| n.max(1)))
            .collect();
        let jobs: Vec<_> = (0..28u32)
            .map(|day| (hour - 24 * day - 2, 3_000_000_000 + day, [90, 99, 120]))
            .rev()
            .collect();
        let days = vec![150; 28];
        let kept = serde_json::json!({ "next": hour, "hours": hours, "days": days, "jobs": jobs });
        serde_json::from_value::<Volumes>(kept).unwrap()
    };
    let habit = |at: usize| {
        let seen = NOW.as_secs() - 3600 * number(at) as u64;
        let out: Vec<usize> = (0..30).map(|day| 40 + 13 * number(at + day)).collect();
        serde_json::from_value(serde_json::json!({
            "first_seen": seen - 86_400 * 28, "last_seen": seen, "hours": 90, "days": 20,
            "learned": true, "alert_days": 0, "sessions": 4000 + number(at),
            "hours_of_day": { "earlier": 0xff_ff00, "today": 0xff00, "day": seen / 86_400 },
            "day": seen / 86_400, "today": 1_234_567, "hour": seen / 3600 - 500, "met": true,
            "level": 31_415, "earlier": { "out": out, "tainted": 0 },
        }))
        .unwrap()
    };
    let series = ["in-external", "in-internal", "out-external", "out-internal", "unexplained-out"];
    let first_seen = NOW.as_secs() - 86_400 * 40;
    let use_of = [0, hour];
    AssetBaseline {
        first_seen,
        macs: vec!["00:50:56:80:00:01".to_owned()],
        destinations: (0..destinations)
            .map(|at| (format!("usual-{at}.example.com"), habit(at)))
            .collect(),
        volumes: series
            .iter()
            .enumerate()
            .map(|(at, name)| ((*name).to_owned(), volumes(at)))
            .collect(),
        clients: (0..4)
            .map(|at| (format!("t13d1516h2_8daaf6152771_e5627efa2ab{at}"), use_of))
            .collect(),
        ports: [(8443, use_of)].into(),
        channels: (0..8).map(|at| format!("ssh out 198.51.{at}.0/24")).collect(),
        served: [7, 0, 1, 0],
        ..AssetBaseline::default()
    }
}

fn message(learned: AssetBaseline) -> Learned {
    let mac = Mac([0x00, 0x50, 0x56, 0x80, 0, 1]);
    Learned::new("rack-1", (Identity::Mac(mac), "10.1.0.5"), NOW, learned)
}

/// Fails when a message grows beyond what `docs/fleet/merging.md` says of it.
#[test]
fn a_message_is_as_large_as_the_docs_say_and_is_read_as_it_was_written() {
    let sizes = [0, 50, DESTINATIONS].map(|destinations| {
        let told = message(typical(destinations));
        let bytes = told.to_json();
        assert_eq!(Learned::read(&bytes, "rack-1", NOW).unwrap(), told);
        bytes.len()
    });
    let [empty, fifty, most] = sizes;
    assert!((10_000..16_000).contains(&empty), "{empty}");
    assert!((28_000..40_000).contains(&fifty), "{fifty}");
    assert!(most < LARGEST, "{most}");
}

/// Fails when an asset with more destinations than are told cannot be told at all, or the wrong ones are.
#[test]
fn of_too_many_destinations_the_best_known_are_told() {
    let mut learned = typical(DESTINATIONS + 100);
    for (_, habit) in learned.destinations.iter_mut().take(100) {
        habit.hours = 1;
    }
    let told = message(learned.clone());
    assert_eq!(told.learned.destinations.len(), DESTINATIONS);
    assert!(told.learned.destinations.values().all(|habit| habit.hours == 90));
    assert!(Learned::read(&told.to_json(), "rack-1", NOW).is_ok());
}

/// Fails when a hostile or broken sensor's message is taken over.
#[test]
fn what_a_sensor_may_not_say_is_refused_and_says_why() {
    let good = serde_json::to_value(message(typical(3))).unwrap();
    let with = |pointer: &str, value: serde_json::Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let read = Learned::read(changed.to_string().as_bytes(), "rack-1", NOW);
        read.map_or_else(|refused| refused.reason(), |_| "taken")
    };
    assert_eq!(with("/name", "other".into()), "taken");
    assert_eq!(with("/schema", "egret.learned/2".into()), "schema");
    assert_eq!(with("/sensor", "rack-2".into()), "sender");
    assert_eq!(with("/identity/mac", "no".into()), "form");
    assert_eq!(with("/name", "x".repeat(300).into()), "form");
    assert_eq!(with("/learned/first_seen", (NOW.as_secs() + 86_400).into()), "time");
    let habit = "/learned/destinations/usual-0.example.com";
    assert_eq!(with(&format!("{habit}/day"), 4_000_000_000u32.into()), "time");
    assert_eq!(with(&format!("{habit}/last_seen"), u64::MAX.into()), "time");
    assert_eq!(with("/learned/volumes/in-internal/next", u32::MAX.into()), "time");
    assert_eq!(with("/learned/ports", serde_json::json!({ "1": [0, u32::MAX] })), "time");
    let many: Vec<String> = (0..600).map(|at| at.to_string()).collect();
    assert_eq!(with("/learned/channels", many.into()), "form");
    let large = vec![b' '; LARGEST + 1];
    assert_eq!(Learned::read(&large, "rack-1", NOW).unwrap_err().reason(), "size");
}

proptest! {
    /// Fails when bytes of whatever kind stop the sensor.
    #[test]
    fn no_message_stops_anything(at in 0..16_000usize, byte: u8, length in 0..16_000usize) {
        let mut bytes = message(typical(3)).to_json();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len().min(length.max(1)));
        let mut known = typical(2);
        if let Ok(told) = Learned::read(&bytes, "rack-1", NOW) {
            known.join(&told.learned);
        }
    }
}
