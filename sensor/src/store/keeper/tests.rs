use std::path::Path;
use std::sync::mpsc as channel;

use super::*;
use crate::alert::sample::numbered;
use crate::baseline::AssetBaseline;

mod crash;
mod trouble;

pub(super) const NOW: Timestamp = Timestamp::from_parts(1_795_184_000, 0);

pub(super) fn soc() -> Vec<Subscription> {
    vec![Subscription { target: "soc".to_owned(), min_severity: Severity::Medium, held: None }]
}

/// A keeper over the database in a directory, and what it commits.
pub(super) struct Kept {
    pub(super) keeper: Keeper,
    pub(super) committed: channel::Receiver<Alert>,
    pub(super) metrics: Metrics,
}

pub(super) fn start(directory: &Path) -> Kept {
    start_over(Store::open(directory).unwrap(), soc())
}

pub(super) fn start_over(store: Store, owed: Vec<Subscription>) -> Kept {
    let metrics = Metrics::new().unwrap();
    let (told, committed) = channel::channel();
    let wiring = Wiring {
        clock: || NOW,
        on_committed: Box::new(move |alerts| {
            for alert in alerts {
                let _ = told.send(alert.clone());
            }
        }),
        on_removed: Box::new(|_| {}),
    };
    let keeper = Keeper::start(store, owed, metrics.clone(), wiring).unwrap();
    Kept { keeper, committed, metrics }
}

impl Kept {
    pub(super) fn next(&self) -> Alert {
        self.committed.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Raises an alert and waits until it is on disk, as it is there.
    pub(super) fn commit(&self, alert: Alert) -> Alert {
        self.keeper.raise(vec![alert]);
        self.next()
    }

    pub(super) fn due(&self) -> Due {
        block_on(self.keeper.due("soc", NOW)).unwrap()
    }

    pub(super) fn due_now(&self) -> Delivery {
        match self.due() {
            Due::Now(delivery) => *delivery,
            other => panic!("nothing is due: {other:?}"),
        }
    }
}

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Until `is_so`, for at most 20 seconds.
pub(super) fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_alert_is_on_disk_and_owed_before_anyone_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    let mut owed = kept.keeper.owed();
    kept.commit(numbered(1));
    let other = Store::open_existing(directory.path()).unwrap();
    assert_eq!(other.alerts(&Wanted::default()).unwrap().len(), 1);
    block_on(owed.changed()).unwrap();
    assert_eq!(kept.due_now().alert.id, numbered(1).id);
    assert_eq!(kept.metrics.alerts.with_label_values(&["AN1416", "high"]).get(), 1);
    assert_eq!(kept.metrics.detection_latency.get_sample_count(), 1);
}

#[test]
fn targets_are_owed_what_is_severe_enough_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let owed = [("all", Severity::Informational), ("worst", Severity::Critical)].map(
        |(target, min_severity)| Subscription {
            target: target.to_owned(),
            min_severity,
            held: None,
        },
    );
    let kept = start_over(Store::open(directory.path()).unwrap(), owed.to_vec());
    kept.commit(numbered(1));
    let due = |target: &str| block_on(kept.keeper.due(target, NOW)).unwrap();
    assert!(matches!(due("all"), Due::Now(_)));
    assert!(matches!(due("worst"), Due::Nothing));
    kept.commit(Alert { severity: Severity::Critical, count: 4, ..numbered(1) });
    assert!(matches!(due("worst"), Due::Now(_)));
}

#[test]
fn a_newer_state_replaces_the_one_that_waits_and_outlives_its_delivery() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(1));
    let first = kept.due_now();
    kept.commit(Alert { count: 4, ..numbered(1) });
    block_on(kept.keeper.delivered(&first)).unwrap();
    let second = kept.due_now();
    assert_eq!((second.alert.count, second.attempts), (4, 0));
    block_on(kept.keeper.delivered(&second)).unwrap();
    assert!(matches!(kept.due(), Due::Nothing));
    assert_eq!(kept.metrics.alerts.with_label_values(&["AN1416", "high"]).get(), 1);
}

#[test]
fn what_failed_waits_without_holding_up_others() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(1));
    kept.commit(numbered(2));
    let first = kept.due_now();
    let later = NOW.plus(Duration::from_secs(60));
    block_on(kept.keeper.failed(&first, "500\x1b[2J", later)).unwrap();
    let second = kept.due_now();
    assert_eq!(second.alert.id, numbered(2).id);
    block_on(kept.keeper.delivered(&second)).unwrap();
    assert!(matches!(kept.due(), Due::At(at) if at == later));
    assert_eq!(kept.keeper.stop(Duration::from_secs(5)), 0);
    drop(kept);

    let store = Store::open(directory.path()).unwrap();
    let owed = store.owed(numbered(1).id).unwrap();
    assert_eq!(owed[0].last_error.as_deref(), Some(r"500\x1b[2J"));
    let kept = start_over(store, soc());
    let due = block_on(kept.keeper.due("soc", later)).unwrap();
    assert!(matches!(due, Due::Now(delivery) if delivery.attempts == 1), "over restarts");
}

#[test]
fn a_count_goes_on_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let earlier = numbered(1).first_seen.minus(Duration::from_secs(60));
    let kept = start(directory.path());
    kept.commit(Alert { count: 5, first_seen: earlier, ..numbered(1) });
    assert_eq!(kept.commit(Alert { count: 6, ..numbered(1) }).count, 6);
    kept.keeper.stop(Duration::from_secs(5));
    // The next run has another clock, which is how it is told from this one.
    let mut store = Store::open(directory.path()).unwrap();
    for (count, shown) in [(1, 7), (2, 8), (2, 8), (1, 8), (9, 15)] {
        let alert = Alert { count, ..numbered(1) };
        let stored = store.commit(&[alert], &[], 77).unwrap().alerts.remove(0);
        assert_eq!((stored.count, stored.first_seen), (shown, earlier), "{count}");
    }
}

#[test]
fn what_a_person_has_seen_is_told_again_only_when_it_becomes_worse() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(1));
    block_on(kept.keeper.delivered(&kept.due_now())).unwrap();
    let note = Some("known".to_owned());
    assert!(block_on(kept.keeper.acknowledge(numbered(1).id, note, None, NOW)).unwrap());
    assert!(!block_on(kept.keeper.acknowledge(numbered(2).id, None, None, NOW)).unwrap());
    for severity in [Severity::Medium, Severity::High] {
        let stored = kept.commit(Alert { severity, ..numbered(1) });
        assert_eq!(stored.status, Status::Acknowledged);
        assert!(matches!(kept.due(), Due::Nothing));
    }
    let stored = kept.commit(Alert { severity: Severity::Critical, ..numbered(1) });
    assert_eq!(stored.status, Status::Open);
    assert_eq!(kept.due_now().alert.severity, Severity::Critical);
    let listed = |status| Wanted { status: Some(status), ..Wanted::default() };
    assert_eq!(block_on(kept.keeper.alerts(listed(Status::Open))).unwrap().len(), 1);
    assert!(block_on(kept.keeper.alerts(listed(Status::Acknowledged))).unwrap().is_empty());
}

#[test]
fn what_is_owed_to_a_target_that_is_gone_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(1));
    wait_until(|| kept.metrics.delivery_pending.with_label_values(&["soc"]).get() == 1);
    kept.keeper.subscribe(vec![]);
    wait_until(|| matches!(kept.due(), Due::Nothing));
    assert!(!kept.metrics.text().unwrap().contains("egret_delivery_pending{"));
}

#[test]
fn the_inbox_keeps_the_newest_state_and_the_severest_alerts() {
    let mut inbox = Inbox::default();
    for number in 0..inbox::ROOM as u64 {
        inbox.put(Alert { severity: Severity::Low, ..numbered(number) });
    }
    inbox.put(Alert { severity: Severity::Critical, ..numbered(0) });
    inbox.put(Alert { severity: Severity::High, ..numbered(90_000) });
    inbox.put(Alert { severity: Severity::Informational, ..numbered(90_001) });
    assert_eq!((inbox.unwritten(), inbox.lost()), (inbox::ROOM, 2));
    let taken = inbox.take(inbox::ROOM);
    inbox.put(Alert { count: 99, ..numbered(3) });
    inbox.put_back(taken);
    let all = inbox.take(inbox::ROOM + 1);
    assert_eq!(all.len(), inbox::ROOM);
    let find = |number| all.iter().find(|(_, alert)| alert.id == numbered(number).id);
    assert_eq!(find(0).unwrap().1.severity, Severity::Critical);
    assert!(find(1).is_none(), "the oldest of the least severe gave way");
    assert!(find(90_001).is_none());
    assert_eq!(find(3).unwrap().1.count, 99, "a newer state is not undone");
}

#[test]
fn a_keeper_that_has_ended_answers_and_writes_what_was_left() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.keeper.raise((0..1000).map(numbered).collect());
    assert_eq!(kept.keeper.stop(Duration::from_secs(20)), 0);
    assert_eq!(kept.committed.try_iter().count(), 1000);
    assert!(matches!(block_on(kept.keeper.due("soc", NOW)), Err(StoreError::Closed)));
    assert!(matches!(kept.keeper.ask_blocking(|_| Ok(())), Err(StoreError::Closed)));
    kept.keeper.raise(vec![numbered(1)]);
    assert_eq!(kept.metrics.events_dropped.with_label_values(&["store"]).get(), 1);
}

#[test]
fn what_is_forgotten_elsewhere_stays_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let asset = |destinations: &[&str]| {
        let mut asset = AssetBaseline { first_seen: 7, ..AssetBaseline::default() };
        for destination in destinations {
            asset.destinations.insert((*destination).to_owned(), crate::baseline::Habit::default());
        }
        asset
    };
    let learned = |assets: &[(&str, &[&str])]| Baseline {
        assets: assets.iter().map(|(name, at)| ((*name).to_owned(), asset(at))).collect(),
        ..Baseline::default()
    };
    let all = learned(&[("app", &["a.example", "b.example"]), ("web", &[])]);
    let mut store = Store::open(directory.path()).unwrap();
    store.save_baseline(&all).unwrap();
    assert!(store.forget("old", None).is_ok_and(|was_there| !was_there));
    assert_eq!(store.baseline().unwrap(), Some(all.clone()));
    let kept = start_over(store, soc());
    let mut changed = kept.keeper.changed_elsewhere();
    wait_until(|| changed.has_changed().unwrap());
    changed.mark_unchanged();
    assert!(kept.keeper.take_forgotten().is_empty(), "what was loaded is without it");

    let mut other = Store::open_existing(directory.path()).unwrap();
    assert!(other.forget("web", None).unwrap());
    assert!(other.forget("app", Some("a.example")).unwrap());
    // What the sensor holds in memory is older.
    kept.keeper.keep_baseline(all.clone());
    block_on(kept.keeper.ask(|_| Ok(()))).unwrap();
    let left = learned(&[("app", &["b.example"])]);
    wait_until(|| other.baseline().unwrap() == Some(left.clone()));
    block_on(changed.changed()).unwrap();
    let notes = [("web", None), ("app", Some("a.example"))]
        .map(|(asset, at)| (asset.to_owned(), at.map(str::to_owned)));
    let mut taken = Vec::new();
    wait_until_some(|| kept.keeper.take_forgotten(), &mut taken);
    assert_eq!(taken, notes);
    // It has followed, and may learn the same again.
    kept.keeper.keep_baseline(all.clone());
    wait_until(|| other.baseline().unwrap() == Some(all.clone()));
}

fn wait_until_some<T>(mut more: impl FnMut() -> Vec<T>, all: &mut Vec<T>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while all.len() < 2 && Instant::now() < deadline {
        all.extend(more());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_disk_that_does_not_answer_is_said() {
    assert_eq!(stuck(Duration::from_secs(9)), None);
    assert_eq!(stuck(Duration::from_secs(34)).unwrap(), "the disk has not answered for 34s");
}
