use super::*;
use crate::alert::Severity;
use crate::alert::sample::numbered;
use crate::store::keeper::{Due, Subscription, Wanted};
use crate::time::Timestamp;

const STREAM: &str = "EGRET_ALERTS";

fn opened() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn at(sequence: u64) -> Position {
    Position { created: 7, sequence }
}

fn foreign(origin: &str, alert: Alert) -> Foreign {
    Foreign { origin: origin.to_owned(), alert }
}

/// The counts of all that is stored, by number.
fn counts(store: &Store) -> Vec<u64> {
    let mut all = store.alerts(&Wanted::default()).unwrap();
    all.sort_by_key(|alert| alert.id);
    all.iter().map(|alert| alert.count).collect()
}

#[test]
fn the_newest_state_stays_whatever_comes_when() {
    let (_directory, mut store) = opened();
    let state = |count| foreign("dc1.a", Alert { count, ..numbered(1) });
    assert_eq!(store.fleet_position(STREAM).unwrap(), Position::default());
    assert_eq!(store.keep_foreign(&[state(2)], STREAM, at(5)).unwrap(), 1);
    assert_eq!(store.keep_foreign(&[state(1), state(2)], STREAM, at(7)).unwrap(), 0);
    assert_eq!((counts(&store), store.fleet_position(STREAM).unwrap()), (vec![2], at(7)));
    assert_eq!(store.keep_foreign(&[state(3)], STREAM, at(8)).unwrap(), 1);
    assert_eq!(counts(&store), [3]);
    assert!(store.pending().unwrap().is_empty());
    assert_eq!(store.alert_count().unwrap(), 0, "not this sensor's");
}

#[test]
fn nobody_changes_what_is_not_theirs() {
    let (_directory, mut store) = opened();
    store.commit(&[numbered(1)], &[], 1).unwrap();
    let claimed = |origin, number| {
        foreign(origin, Alert { count: 99, title: "nothing".to_owned(), ..numbered(number) })
    };
    store.keep_foreign(&[foreign("dc1.a", numbered(2))], STREAM, at(1)).unwrap();
    let claims = [claimed("dc1.b", 1), claimed("dc1.b", 2)];
    assert_eq!(store.keep_foreign(&claims, STREAM, at(2)).unwrap(), 0);
    assert!(store.alerts(&Wanted::default()).unwrap().iter().all(|one| one.title != "nothing"));
    // One that this sensor raises, too, is its own from then on, and counts from 1.
    let raised = store.commit(&[numbered(2)], &[], 1).unwrap();
    assert_eq!((raised.alerts[0].count, raised.told.len()), (numbered(2).count, 1));
    assert_eq!(store.keep_foreign(&[claimed("dc1.a", 2)], STREAM, at(3)).unwrap(), 0);
    assert_eq!(store.alert_count().unwrap(), 2);
}

#[test]
fn what_a_person_has_seen_stays_seen_until_it_is_worse() {
    let (_directory, mut store) = opened();
    let state = |count, severity| foreign("dc1.a", Alert { count, severity, ..numbered(1) });
    store.keep_foreign(&[state(1, Severity::Medium)], STREAM, at(1)).unwrap();
    store.acknowledge(numbered(1).id, "ada", None, Timestamp::from_parts(9, 0)).unwrap();
    let status = |store: &Store| store.alert(numbered(1).id).unwrap().unwrap().alert.status;
    store.keep_foreign(&[state(2, Severity::Medium)], STREAM, at(2)).unwrap();
    assert_eq!(status(&store), Status::Acknowledged);
    store.keep_foreign(&[state(3, Severity::High)], STREAM, at(3)).unwrap();
    assert_eq!(status(&store), Status::Open);
}

#[test]
fn whoever_raises_many_takes_no_room_of_others() {
    let (_directory, mut store) = opened();
    let time = |second| Timestamp::from_parts(1_000_000 + second, 0);
    store.keep_foreign(&[foreign("dc1.a", numbered(0))], STREAM, at(1)).unwrap();
    let many: Vec<Foreign> = (1..=MOST_OF_ONE + 10)
        .map(|number| foreign("dc1.b", Alert { time: time(number), ..numbered(number) }))
        .collect();
    store.keep_foreign(&many, STREAM, at(2)).unwrap();
    assert_eq!(counts(&store).len() as u64, MOST_OF_ONE + 1);
    assert!(store.alert(numbered(0).id).unwrap().is_some());
    assert!(store.alert(numbered(10).id).unwrap().is_none(), "its oldest");
    assert!(store.alert(numbered(11).id).unwrap().is_some());
}

#[test]
fn what_another_has_delivered_is_owed_to_the_fleet_alone() {
    let (_directory, mut store) = opened();
    let soc = |target: &str, held| Subscription {
        target: target.to_owned(),
        min_severity: Severity::Low,
        held,
    };
    let later = Timestamp::from_parts(2_000_000_000, 0);
    let owed = [soc("soc", Some(later)), soc("fleet", None)];
    store.commit(&[numbered(1), numbered(2)], &owed, 1).unwrap();
    let now = Timestamp::from_parts(1_900_000_000, 0);
    assert!(matches!(store.due("soc", now).unwrap(), Due::At(at) if at == later));
    assert!(matches!(store.due("fleet", now).unwrap(), Due::Now(_)));

    let settled = |store: &mut Store, count| {
        store.delivered_elsewhere(numbered(1).id, count, "fleet").unwrap()
    };
    let count = numbered(1).count;
    assert!(!settled(&mut store, count - 1), "it has changed since");
    assert!(settled(&mut store, count));
    assert!(!settled(&mut store, count));
    let pending = store.pending().unwrap();
    assert_eq!((pending["soc"], pending["fleet"]), (1, 2));
}
