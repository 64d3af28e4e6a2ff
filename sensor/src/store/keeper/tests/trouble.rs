//! Disks that are full, files that are gone, pages that are wrong.

use std::fs;
use std::process::Command;

use super::*;
use crate::store::FILE;

fn is_failing(kept: &Kept) -> bool {
    kept.metrics.store_failing.get() == 1 && kept.keeper.error().is_some()
}

fn pragma(kept: &Kept, sql: &'static str) {
    kept.keeper
        .ask_blocking(move |store| {
            store.read(|connection| connection.query_row(sql, [], |_| Ok(())).or(Ok(())))
        })
        .unwrap();
}

/// All of `numbers` are stored and owed, each once.
fn assert_stored(kept: &Kept, numbers: std::ops::Range<u64>) {
    let stored = block_on(kept.keeper.alerts(Wanted::default())).unwrap();
    let mut ids: Vec<_> = stored.iter().map(|alert| alert.id).collect();
    ids.sort_unstable();
    let mut expected: Vec<_> = numbers.clone().map(|number| numbered(number).id).collect();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    for number in numbers {
        let owed = kept.keeper.ask_blocking(move |store| store.owed(numbered(number).id));
        assert_eq!(owed.unwrap().len(), 1);
    }
}

#[test]
fn what_has_no_room_on_disk_waits_in_memory_until_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(0));
    pragma(&kept, "PRAGMA max_page_count = 1");
    kept.keeper.raise((1..700).map(numbered).collect());
    wait_until(|| is_failing(&kept));
    let error = kept.keeper.error().unwrap();
    assert!(error.contains("full") && error.contains("free space"), "{error}");
    kept.keeper.raise((700..900).map(numbered).collect());
    assert!(matches!(kept.due(), Due::Now(_)), "what is on disk can be delivered");
    let mut owed = kept.keeper.owed();
    owed.mark_unchanged();
    pragma(&kept, "PRAGMA max_page_count = 1000000");
    wait_until(|| !is_failing(&kept));
    assert!(owed.has_changed().unwrap());
    assert_stored(&kept, 0..900);
    assert_eq!(kept.metrics.alerts.with_label_values(&["AN1416", "high"]).get(), 900);
}

/// A file system that is full soon; unmounted at the end.
struct Small(tempfile::TempDir);

impl Small {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "egret-test"]).arg(directory.path());
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        if !is_mounted {
            egret_tests::skip("no right to mount a small file system here (not root?)");
        }
        is_mounted.then(|| Self(directory))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_file_system_is_survived() {
    let Some(small) = Small::mount() else { return };
    let kept = start(small.0.path());
    kept.commit(numbered(0));
    let ballast = small.0.path().join("ballast");
    let _ = fs::write(&ballast, vec![1; 2 << 20]);
    kept.keeper.raise((1..100).map(numbered).collect());
    wait_until(|| is_failing(&kept));
    let due = kept.due_now();
    let failed = block_on(kept.keeper.delivered(&due));
    println!("while full: {failed:?}, {:?}", kept.keeper.error());
    assert_eq!(kept.keeper.stop(Duration::from_millis(300)), 99, "what is not stored is said");
    drop(kept);

    let kept = start(small.0.path());
    kept.keeper.raise((1..100).map(numbered).collect());
    wait_until(|| is_failing(&kept));
    fs::remove_file(&ballast).unwrap();
    wait_until(|| !is_failing(&kept));
    let stored = block_on(kept.keeper.alerts(Wanted::default())).unwrap();
    assert_eq!(stored.len(), 100);
}

#[test]
fn a_database_that_another_process_holds_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    let other = rusqlite::Connection::open(directory.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    kept.keeper.raise(vec![numbered(1)]);
    wait_until(|| is_failing(&kept));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(kept.next().id, numbered(1).id);
    wait_until(|| !is_failing(&kept));
}

#[test]
fn a_deleted_database_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(1));
    let path = directory.path().join(FILE);
    fs::remove_file(&path).unwrap();
    wait_until(|| path.exists());
    kept.commit(numbered(2));
    wait_until(|| !is_failing(&kept));
    let other = Store::open_existing(directory.path()).unwrap();
    assert_eq!(other.alerts(&Wanted::default()).unwrap().len(), 1);
    assert_eq!(kept.keeper.stop(Duration::from_secs(5)), 0);
}

#[test]
fn a_database_put_in_its_place_is_used_as_it_is() {
    let (directory, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = start(backup.path());
    (0..50).for_each(|number| drop(kept.commit(numbered(number))));
    kept.keeper.stop(Duration::from_secs(5));

    let kept = start(directory.path());
    let mut changed = kept.keeper.changed_elsewhere();
    wait_until(|| changed.has_changed().unwrap());
    changed.mark_unchanged();
    (100..300).for_each(|number| drop(kept.commit(numbered(number))));
    fs::rename(backup.path().join(FILE), directory.path().join(FILE)).unwrap();
    block_on(changed.changed()).unwrap();
    assert_stored(&kept, 0..50);
    kept.commit(numbered(50));
    assert_stored(&kept, 0..51);
    kept.keeper.stop(Duration::from_secs(5));
    assert_eq!(Store::open(directory.path()).unwrap().quarantined(), None);
}

#[test]
fn damage_found_while_running_is_moved_away_and_no_alert_lost() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    (0..20).for_each(|number| drop(kept.commit(numbered(number))));
    pragma(&kept, "PRAGMA wal_checkpoint(TRUNCATE)");
    let path = directory.path().join(FILE);
    let length = fs::metadata(&path).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let garbage = vec![0x5a; usize::try_from(length).unwrap()];
    std::os::unix::fs::FileExt::write_all_at(&file, &garbage, 0).unwrap();
    pragma(&kept, "PRAGMA shrink_memory");
    kept.keeper.raise((20..40).map(numbered).collect());
    let told: Vec<_> = (0..20).map(|_| kept.next().id).collect();
    assert!(told.contains(&numbered(39).id));
    assert_stored(&kept, 20..40);
    assert!(directory.path().join("egret.db.damaged-1").exists());
    wait_until(|| !is_failing(&kept));
}

#[test]
fn what_was_learned_waits_too() {
    let directory = tempfile::tempdir().unwrap();
    let kept = start(directory.path());
    kept.commit(numbered(0));
    pragma(&kept, "PRAGMA max_page_count = 1");
    let large = |first_seen: u64| {
        let learned = AssetBaseline { first_seen, ..AssetBaseline::default() };
        let assets = (0..500).map(|number| (format!("guest-{number}"), learned.clone()));
        Baseline { assets: assets.collect(), ..Baseline::default() }
    };
    kept.keeper.keep_baseline(large(1));
    wait_until(|| is_failing(&kept));
    kept.keeper.keep_baseline(large(2));
    pragma(&kept, "PRAGMA max_page_count = 1000000");
    wait_until(|| !is_failing(&kept));
    assert_eq!(kept.keeper.ask_blocking(|store| store.baseline()).unwrap(), Some(large(2)));
}
