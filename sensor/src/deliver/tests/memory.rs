//! An outbox in memory, and a clock that goes with the runtime's time.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::alert::Alert;
use crate::deliver::Outbox;
use crate::store::StoreError;
use crate::store::keeper::{Delivery, Due};
use crate::time::Timestamp;

thread_local! {
    static START: Cell<Option<(Instant, Timestamp)>> = const { Cell::new(None) };
}

/// The true time when the test began, and what the runtime has let pass since.
pub(super) fn clock() -> Timestamp {
    let begin = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        (Instant::now(), Timestamp::ZERO.plus(now))
    };
    let (instant, time) = START.get().unwrap_or_else(begin);
    START.set(Some((instant, time)));
    time.plus(instant.elapsed())
}

#[derive(Debug, Clone)]
pub(super) struct Memory {
    inner: Arc<Mutex<Inner>>,
    owed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    targets: Vec<String>,
    entries: Vec<Entry>,
    delivered: usize,
    reason: String,
    is_broken: bool,
}

#[derive(Debug)]
struct Entry {
    delivery: Delivery,
    next: Timestamp,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { inner: Arc::default(), owed: watch::Sender::new(0) }
    }

    pub(super) fn subscribe(&self, targets: Vec<String>) {
        let mut inner = self.inner();
        inner.entries.retain(|entry| targets.contains(&entry.delivery.target));
        inner.targets = targets;
    }

    /// Owes an alert to every target.
    pub(super) fn raise(&self, alert: &Alert) {
        let mut inner = self.inner();
        for target in inner.targets.clone() {
            let delivery = Delivery { target, alert: alert.clone(), attempts: 0, state: 1 };
            inner.entries.push(Entry { delivery, next: clock() });
        }
        drop(inner);
        self.owed.send_modify(|changes| *changes += 1);
    }

    pub(super) fn forget(&self, alert: Uuid) {
        self.inner().entries.retain(|entry| entry.delivery.alert.id != alert);
    }

    pub(super) fn break_writes(&self, is_broken: bool) {
        self.inner().is_broken = is_broken;
    }

    pub(super) fn delivered(&self) -> usize {
        self.inner().delivered
    }

    /// How many alerts wait for a target.
    pub(super) fn pending(&self, target: &str) -> usize {
        let inner = self.inner();
        inner.entries.iter().filter(|entry| entry.delivery.target == target).count()
    }

    pub(super) fn reason(&self) -> String {
        self.inner().reason.clone()
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<std::sync::MutexGuard<'_, Inner>, StoreError> {
        let inner = self.inner();
        if inner.is_broken {
            let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
            let source = rusqlite::Error::SqliteFailure(full, None);
            return Err(StoreError::Database { path: "egret.db".into(), source });
        }
        Ok(inner)
    }
}

fn is_same(entry: &Entry, delivery: &Delivery) -> bool {
    let mine = &entry.delivery;
    mine.target == delivery.target && mine.alert.id == delivery.alert.id
}

impl Outbox for Memory {
    fn owed(&self) -> watch::Receiver<u64> {
        self.owed.subscribe()
    }

    async fn due(&self, target: &str, now: Timestamp) -> Result<Due, StoreError> {
        let inner = self.inner();
        let own = inner.entries.iter().filter(|entry| entry.delivery.target == target);
        Ok(match own.min_by_key(|entry| entry.next) {
            None => Due::Nothing,
            Some(entry) if entry.next <= now => Due::Now(Box::new(entry.delivery.clone())),
            Some(entry) => Due::At(entry.next),
        })
    }

    async fn delivered(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let mut inner = self.write()?;
        inner.entries.retain(|entry| !is_same(entry, delivery));
        inner.delivered += 1;
        Ok(())
    }

    async fn failed(
        &self,
        delivery: &Delivery,
        reason: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let mut inner = self.write()?;
        assert!(next.since(clock()) >= Duration::from_millis(900), "a pause of {next}");
        reason.clone_into(&mut inner.reason);
        for entry in inner.entries.iter_mut().filter(|entry| is_same(entry, delivery)) {
            entry.next = next;
            entry.delivery.attempts += 1;
        }
        Ok(())
    }

    async fn retry(&self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut inner = self.write()?;
        let own = inner.entries.iter_mut().filter(|entry| entry.delivery.target == target);
        own.for_each(|entry| entry.next = entry.next.min(now));
        Ok(())
    }
}
