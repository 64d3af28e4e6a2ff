use proptest::prelude::*;

use super::*;

const ENTRY: &str = "[[approve]]\nasset = [\"web-01\"]\nsni = [\"a.example\"]\n";

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_parts(1_795_000_000 + seconds, 0)
}

fn entry() -> crate::config::Approve {
    crate::config::file::parse("test", ENTRY, &[], crate::config::Config::default())
        .unwrap()
        .approve
        .remove(0)
}

/// All that is known, without what each sensor numbers for itself.
fn tables(store: &Store, own: &str) -> Vec<String> {
    let sql = "SELECT id || ' ' || IIF(sensor = '', ?1, sensor) || ' given ' || given || person || entry
               FROM approval
               UNION ALL SELECT id || ' ' || IIF(sensor = '', ?1, sensor) || ' withdrawn ' || at || person
               FROM withdrawal ORDER BY 1";
    let mut query = store.connection.prepare(sql).unwrap();
    let rows = query.query_map([own], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// What a sensor may say: of few approvals, so that they meet.
fn told() -> impl Strategy<Value = Approval> {
    let person = prop::sample::select(vec!["ann", "bob"]);
    (0..3u128, 0..3usize, 0..4u64, person, any::<bool>()).prop_map(
        |(id, sensor, seconds, person, is_given)| {
            let sensor = ["own", "rack-1", "rack-2"][sensor];
            let (id, at, person) = (Uuid::from_u128(id), at(seconds), person.to_owned());
            if is_given {
                Approval::given(sensor, id, Given { at, person, entry: ENTRY.to_owned() })
            } else {
                Approval::withdrawn(sensor, id, Withdrawn { at, person })
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Fails when it matters which of two words is heard first, or how often.
    #[test]
    fn any_order_and_any_repetition_gives_the_same(
        all in prop::collection::vec(told(), 1..12),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        seed in prop::collection::vec(any::<u32>(), 12)
    ) {
        let ((_one, mut first), (_other, mut second)) = (store(), store());
        all.iter().for_each(|told| _ = first.merge_approval("own", told).unwrap());
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|at| seed[*at]);
        order.extend(again.iter().map(|index| index.index(all.len())));
        order.iter().for_each(|at| _ = second.merge_approval("own", &all[*at]).unwrap());
        prop_assert_eq!(tables(&first, "own"), tables(&second, "own"));
        let entries = |store: &Store| store.approval_list().unwrap().len();
        prop_assert_eq!(entries(&first), entries(&second));
        for told in &all {
            prop_assert!(!second.merge_approval("own", told).unwrap(), "it is no news");
        }
    }
}

/// Tells one sensor all that another owes, as it is sent.
fn tell((from, sender): (&Store, &str), (to, own): (&mut Store, &str)) -> usize {
    let (all, _) = from.approvals_owed(sender, 0, 100).unwrap();
    let read = |told: &Approval| Approval::read(&told.to_json(), sender, at(10_000)).unwrap();
    all.iter().filter(|told| to.merge_approval(own, &read(told)).unwrap()).count()
}

/// Fails when an approval is not known everywhere, cannot be withdrawn everywhere, or comes back.
#[test]
fn what_is_approved_anywhere_is_known_everywhere_until_it_is_withdrawn_anywhere() {
    let ((_a, mut a), (_b, mut b), (_c, mut c)) = (store(), store(), store());
    let number = a.approve(&entry(), "ann", Timestamp::from_nanos(7_777)).unwrap();
    assert_eq!(
        a.approval_list().unwrap()[0].given,
        Timestamp::from_nanos(7_000),
        "as others are told"
    );
    assert_eq!(tell((&a, "a"), (&mut b, "b")), 1);
    assert_eq!(tell((&a, "a"), (&mut c, "c")), 1);
    assert_eq!(b.approvals().unwrap(), a.approvals().unwrap());
    let there = b.approval_list().unwrap().remove(0);
    assert_eq!(there.person, "ann at a");
    assert_eq!(b.approvals_owed("b", 0, 9).unwrap().0, [], "b did not give it");

    assert!(b.unapprove(there.number, "bob", at(9)).unwrap());
    assert!(!b.unapprove(there.number, "bob", at(9)).unwrap(), "it is gone");
    assert_eq!(tell((&b, "b"), (&mut c, "c")), 1);
    assert_eq!(tell((&b, "b"), (&mut a, "a")), 1);
    assert_eq!(tell((&a, "a"), (&mut c, "c")), 1, "who gave it says so, too");
    tell((&a, "a"), (&mut b, "b"));
    for store in [&a, &b, &c] {
        assert!(store.approvals().unwrap().is_empty());
    }
    assert_eq!(tables(&a, "a"), tables(&b, "b"));
    assert_eq!(tables(&a, "a"), tables(&c, "c"));
    assert!(!a.unapprove(number, "ann", at(10)).unwrap());

    let next = a.approve(&entry(), "ann", at(20)).unwrap();
    assert!(next > number, "numbers are not given twice");
    let gone = a.drop_withdrawn(at(10)).unwrap();
    assert_eq!((gone.len(), tables(&a, "a").len()), (1, 1));
    assert!(a.drop_withdrawn(at(10)).unwrap().is_empty());
}

/// Fails when what is said is told again each time, or left out after something was dropped.
#[test]
fn what_is_owed_goes_on_from_a_mark() {
    let (_directory, mut store) = store();
    let owed = |store: &Store, mark| {
        let (all, next) = store.approvals_owed("a", mark, 2).unwrap();
        (all.iter().map(|told| told.given.is_some()).collect::<Vec<_>>(), next)
    };
    let numbers: Vec<i64> =
        (0..3).map(|second| store.approve(&entry(), "ann", at(second)).unwrap()).collect();
    let (first, mark) = owed(&store, 0);
    let (second, mark) = owed(&store, mark);
    assert_eq!((first, second), (vec![true; 2], vec![true]));
    store.unapprove(numbers[2], "ann", at(5)).unwrap();
    store.drop_withdrawn(at(6)).unwrap();
    store.unapprove(numbers[0], "ann", at(7)).unwrap();
    let (third, mark) = owed(&store, mark);
    assert_eq!(third, [false]);
    assert_eq!(owed(&store, mark), (vec![], mark));
}

/// Fails when one sensor can fill the database of all others, or say something in another's place.
#[test]
fn what_one_sensor_says_is_bounded_and_changes_nothing_of_anothers() {
    let (_directory, mut store) = store();
    store.approve(&entry(), "ann", at(0)).unwrap();
    let mine = store.approvals_owed("a", 0, 9).unwrap().0.remove(0);
    let given = Given { at: at(0), person: "eve".to_owned(), entry: ENTRY.replace("a.ex", "b.ex") };
    store.merge_approval("a", &Approval::given("eve", mine.id, given.clone())).unwrap();
    assert_eq!(store.approvals_owed("a", 0, 9).unwrap().0, [mine]);
    store
        .write(|transaction| {
            let sql =
                "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
                       INSERT INTO approval (given, person, entry, id, sensor)
                       SELECT 0, 'eve', '', n, 'eve' FROM n";
            transaction.execute(sql, [])
        })
        .unwrap();
    let more = Approval::given("eve", Uuid::from_u128(7), given.clone());
    assert!(!store.merge_approval("a", &more).unwrap());
    let another = Approval::given("rack-1", Uuid::from_u128(7), given);
    assert!(store.merge_approval("a", &another).unwrap());
}
