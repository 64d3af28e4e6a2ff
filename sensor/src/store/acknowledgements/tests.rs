use proptest::prelude::*;

use super::*;
use crate::alert::Verdict;
use crate::alert::sample::numbered;
use crate::store::keeper::Subscription;

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_parts(1_795_000_000 + seconds, 0)
}

fn alert(severity: Severity) -> Alert {
    Alert { severity, ..numbered(1) }
}

/// All that is said, without what each sensor numbers for itself, and what alerts have of it.
fn tables(store: &Store, own: &str) -> Vec<String> {
    let sql = "SELECT alert || ' ' || at || IIF(sensor = '', ?1, sensor) || person || note || verdict
                      || severity FROM acknowledgement
               UNION ALL SELECT id || status || COALESCE(note, '-') || COALESCE(verdict, '-')
                      || COALESCE(seen_at, '-') || COALESCE(seen_severity, '-') FROM alert ORDER BY 1";
    let mut query = store.connection.prepare(sql).unwrap();
    let rows = query.query_map([own], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

/// What is heard: somebody says something of one of two alerts, or one of them comes.
#[derive(Debug, Clone)]
enum Heard {
    Said(Acknowledgement),
    Raised(u64),
}

fn heard() -> impl Strategy<Value = Heard> {
    let verdict =
        prop::sample::select(vec![None, Some(Verdict::Harmless), Some(Verdict::Incident)]);
    let note = prop::sample::select(vec![None, Some("seen".to_owned())]);
    let said = (1..3u64, 0..3usize, 0..3u64, note, verdict, 0..Severity::ALL.len()).prop_map(
        |(number, sensor, seconds, note, verdict, severity)| {
            let told = (numbered(number).id, Severity::ALL[severity]);
            let sensor = ["own", "rack-1", "rack-2"][sensor];
            let who = (at(seconds), "ann".to_owned());
            Heard::Said(Acknowledgement::new(sensor, told, who, (note, verdict)))
        },
    );
    prop_oneof![4 => said, 1 => (1..3u64).prop_map(Heard::Raised)]
}

fn hear(store: &mut Store, heard: &Heard) {
    match heard {
        Heard::Said(told) => _ = store.merge_acknowledgement("own", told).unwrap(),
        // Its state came once: what repeats it is no new one.
        Heard::Raised(number) if store.alert(numbered(*number).id).unwrap().is_none() => {
            store.commit(&[numbered(*number)], &[], 1).unwrap();
        }
        Heard::Raised(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Fails when it matters which of two words is heard first, how often, or whether the alert comes
    /// before them.
    #[test]
    fn any_order_and_any_repetition_gives_the_same(
        all in prop::collection::vec(heard(), 1..12),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        seed in prop::collection::vec(any::<u32>(), 12)
    ) {
        let ((_one, mut first), (_other, mut second)) = (store(), store());
        all.iter().for_each(|heard| hear(&mut first, heard));
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|at| seed[*at]);
        order.extend(again.iter().map(|index| index.index(all.len())));
        order.iter().for_each(|at| hear(&mut second, &all[*at]));
        prop_assert_eq!(tables(&first, "own"), tables(&second, "own"));
    }
}

fn tell((from, sender): (&Store, &str), (to, own): (&mut Store, &str)) -> usize {
    let (all, _) = from.acknowledgements_owed(sender, 0, 100).unwrap();
    let read = |told: &Acknowledgement| {
        Acknowledgement::read(&told.to_json(), sender, at(10_000)).unwrap()
    };
    all.iter().filter(|told| to.merge_acknowledgement(own, &read(told)).unwrap()).count()
}

/// Fails when who acknowledges at one sensor is told of the alert at another, when its becoming worse is not
/// told, or when the last word is not the latest.
#[test]
fn what_is_acknowledged_anywhere_is_known_everywhere() {
    let ((_a, mut a), (_b, mut b)) = (store(), store());
    let id = alert(Severity::Medium).id;
    let soc = [Subscription { target: "soc".to_owned(), min_severity: Severity::Low, held: None }];
    a.commit(&[alert(Severity::Medium)], &soc, 1).unwrap();
    a.acknowledge(id, "ann", Some("ticket 7"), at(1)).unwrap();
    a.judge(id, Verdict::Harmless).unwrap();
    assert_eq!(tell((&a, "a"), (&mut b, "b")), 1, "before its alert");
    assert_eq!(tell((&a, "a"), (&mut b, "b")), 0);

    let committed = b.commit(&[alert(Severity::Medium)], &soc, 1).unwrap();
    assert!(!committed.owed && committed.alerts[0].status == Status::Acknowledged);
    let there = b.alert(id).unwrap().unwrap();
    assert_eq!(there.seen, Some((at(1), "ann at a".to_owned())));
    assert_eq!((there.note.as_deref(), there.verdict), (Some("ticket 7"), Some(Verdict::Harmless)));
    assert_eq!(b.verdicts().unwrap(), [(id, Verdict::Harmless)]);
    assert!(b.commit(&[alert(Severity::High)], &soc, 1).unwrap().owed, "it became worse");
    a.commit(&[alert(Severity::High)], &soc, 1).unwrap();

    // At b the clock is behind, and it is said later all the same.
    b.acknowledge(id, "bob", None, at(0)).unwrap();
    b.judge(id, Verdict::Incident).unwrap();
    assert_eq!(tell((&b, "b"), (&mut a, "a")), 1);
    assert_eq!(tell((&a, "a"), (&mut b, "b")), 0, "a has nothing of its own to say any more");
    let here = a.alert(id).unwrap().unwrap();
    assert_eq!((here.alert.status, here.verdict), (Status::Acknowledged, Some(Verdict::Incident)));
    assert_eq!(here.note.as_deref(), Some("ticket 7"), "who says nothing to it leaves it");
    assert_eq!(here.seen.unwrap().1, "bob at b");
    assert_eq!(b.alert(id).unwrap().unwrap().seen.unwrap().1, "bob");
}

/// Fails when a sensor that lost its database has lost what was said at it.
#[test]
fn what_a_sensor_said_itself_comes_back_to_it() {
    let ((_a, mut a), (_b, mut b)) = (store(), store());
    a.commit(&[alert(Severity::Low)], &[], 1).unwrap();
    a.acknowledge(alert(Severity::Low).id, "ann", None, at(1)).unwrap();
    b.commit(&[alert(Severity::Low)], &[], 1).unwrap();
    assert_eq!(tell((&a, "a"), (&mut b, "a")), 1);
    assert_eq!(tables(&a, "a"), tables(&b, "a"));
    assert_eq!(b.acknowledgements_owed("a", 0, 9).unwrap().0.len(), 1);
}
