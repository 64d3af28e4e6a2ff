use super::*;
use crate::alert::sample::numbered;
use crate::store::keeper::Due;

#[test]
fn the_oldest_that_nobody_waits_for_go_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let soc = [Subscription { target: "soc".to_owned(), min_severity: Severity::High, held: None }];
    for number in 0..10 {
        let severity = if number < 3 { Severity::High } else { Severity::Low };
        let time = Timestamp::from_parts(1_000 + number, 0);
        let alert = Alert { severity, time, ..numbered(number) };
        store.commit(&[alert], &soc, 1).unwrap();
    }
    let left = |store: &Store| -> Vec<Uuid> {
        store.alerts(&Wanted::default()).unwrap().iter().map(|alert| alert.id).collect()
    };
    let numbers = |numbers: &[u64]| -> Vec<Uuid> {
        numbers.iter().map(|number| numbered(*number).id).collect()
    };
    let trimmed = |settled: &[u64], owed: &[u64]| {
        let sorted = |mut ids: Vec<Uuid>| {
            ids.sort_unstable();
            ids
        };
        Trimmed { settled: sorted(numbers(settled)), owed: sorted(numbers(owed)) }
    };
    let trim = |store: &mut Store, surplus| {
        let mut trimmed = store.trim(surplus).unwrap();
        trimmed.settled.sort_unstable();
        trimmed
    };
    assert_eq!(trim(&mut store, 5), trimmed(&[3, 4, 5, 6, 7], &[]));
    assert_eq!(left(&store), numbers(&[9, 8, 2, 1, 0]));
    assert_eq!(trim(&mut store, 3), trimmed(&[8, 9], &[0]));
    assert_eq!(left(&store), numbers(&[2, 1]));
    assert_eq!(store.pending().unwrap()["soc"], 2, "nothing is owed of what is gone");
}

#[test]
fn a_row_that_cannot_be_read_holds_up_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let soc = [Subscription { target: "soc".to_owned(), min_severity: Severity::Low, held: None }];
    store.commit(&[numbered(1), numbered(2)], &soc, 1).unwrap();
    let sql = "UPDATE alert SET body = '{}' WHERE id = ?1";
    store.connection.execute(sql, [numbered(1).id.to_string()]).unwrap();
    assert_eq!(store.alerts(&Wanted::default()).unwrap().len(), 1);
    let now = Timestamp::from_parts(2_000_000_000, 0);
    assert!(matches!(store.due("soc", now), Err(StoreError::Row { .. })));
    let due = store.due("soc", now).unwrap();
    assert!(matches!(due, Due::Now(next) if next.alert.id == numbered(2).id));
    assert_eq!(store.pending().unwrap()["soc"], 2, "it still shows as pending");
}
