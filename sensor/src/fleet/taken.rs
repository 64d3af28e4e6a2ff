//! Alerts that were taken from the stream to be delivered: an outbox in memory, because they are safe on the
//! servers until they are acknowledged. What is held when this sensor dies is given to another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::alert::Alert;
use crate::deliver::Outbox;
use crate::store::StoreError;
use crate::store::keeper::{Delivery, Due};
use crate::time::Timestamp;

/// Alerts that are held at a time.
pub(super) const MOST: usize = 32;

/// A handle to what was taken.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    held: Arc<Mutex<Held>>,
    owed: watch::Sender<u64>,
    done: mpsc::Sender<u64>,
}

#[derive(Debug, Default)]
struct Held {
    alerts: BTreeMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    alert: Alert,
    /// Whose turn is still to come.
    wanted: BTreeMap<String, Wait>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Wait {
    attempts: u32,
    not_before: Timestamp,
}

impl Taken {
    /// Nothing yet; the receiver is told the number of each that all have taken.
    pub(super) fn new() -> (Self, mpsc::Receiver<u64>) {
        // One for each that is held: there is always room.
        let (done, finished) = mpsc::channel(MOST);
        let (owed, _) = watch::channel(0);
        (Self { held: Arc::default(), owed, done }, finished)
    }

    /// Takes an alert that is to go to all of `targets`; its number.
    pub(super) fn take(&self, alert: Alert, targets: Vec<String>) -> u64 {
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        let wanted = targets.into_iter().map(|target| (target, Wait::default())).collect();
        held.alerts.insert(number, Entry { alert, wanted });
        drop(held);
        self.owed.send_modify(|times| *times += 1);
        number
    }

    /// Holds it no more, whatever becomes of an attempt that is under way.
    pub(super) fn give_up(&self, number: u64) {
        self.held().alerts.remove(&number);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, target: &str, now: Timestamp) -> Due {
        let held = self.held();
        let waiting = held.alerts.iter().filter_map(|(number, entry)| {
            let wait = entry.wanted.get(target)?;
            Some((wait.not_before, *number, wait.attempts, &entry.alert))
        });
        match waiting.min_by_key(|(not_before, number, ..)| (*not_before, *number)) {
            None => Due::Nothing,
            Some((not_before, ..)) if not_before > now => Due::At(not_before),
            Some((_, number, attempts, alert)) => Due::Now(Box::new(Delivery {
                target: target.to_owned(),
                alert: alert.clone(),
                attempts,
                state: i64::try_from(number).unwrap_or(i64::MAX),
            })),
        }
    }

    fn change(&self, delivery: &Delivery, change: impl FnOnce(&mut BTreeMap<String, Wait>)) {
        let number = u64::try_from(delivery.state).unwrap_or_default();
        let mut held = self.held();
        // Given up meanwhile: another delivers it.
        let Some(entry) = held.alerts.get_mut(&number) else { return };
        change(&mut entry.wanted);
        if entry.wanted.is_empty() {
            held.alerts.remove(&number);
            drop(held);
            let _ = self.done.try_send(number);
        }
    }
}

impl Outbox for Taken {
    fn owed(&self) -> watch::Receiver<u64> {
        self.owed.subscribe()
    }

    async fn due(&self, target: &str, now: Timestamp) -> Result<Due, StoreError> {
        Ok(self.next(target, now))
    }

    async fn delivered(&self, delivery: &Delivery) -> Result<(), StoreError> {
        self.change(delivery, |wanted| {
            wanted.remove(&delivery.target);
        });
        Ok(())
    }

    async fn failed(
        &self,
        delivery: &Delivery,
        _reason: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(delivery, |wanted| {
            if let Some(wait) = wanted.get_mut(&delivery.target) {
                wait.attempts = wait.attempts.saturating_add(1);
                wait.not_before = next;
            }
        });
        Ok(())
    }

    async fn retry(&self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        for entry in self.held().alerts.values_mut() {
            if let Some(wait) = entry.wanted.get_mut(target) {
                wait.not_before = wait.not_before.min(now);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::sample::numbered;

    const NOW: Timestamp = Timestamp::from_parts(1_795_184_000, 0);

    fn now(taken: &Taken, target: &str) -> Delivery {
        match taken.next(target, NOW) {
            Due::Now(delivery) => *delivery,
            other => panic!("nothing is due: {other:?}"),
        }
    }

    #[tokio::test]
    async fn one_is_done_when_all_targets_have_it() {
        let (taken, mut done) = Taken::new();
        let number = taken.take(numbered(1), vec!["a".to_owned(), "b".to_owned()]);
        taken.take(numbered(2), vec!["b".to_owned()]);
        let a = now(&taken, "a");
        taken.delivered(&a).await.unwrap();
        taken.delivered(&a).await.unwrap();
        assert!(matches!(taken.next("a", NOW), Due::Nothing));
        assert!(done.try_recv().is_err());
        let b = now(&taken, "b");
        assert_eq!(b.alert.id, numbered(1).id);
        taken.delivered(&b).await.unwrap();
        assert_eq!(done.try_recv(), Ok(number));
        assert_eq!(now(&taken, "b").alert.id, numbered(2).id);
    }

    #[tokio::test]
    async fn one_that_failed_waits_behind_others_and_may_be_given_up() {
        let (taken, mut done) = Taken::new();
        let first = taken.take(numbered(1), vec!["a".to_owned()]);
        taken.take(numbered(2), vec!["a".to_owned()]);
        let failed = now(&taken, "a");
        let later = NOW.plus(std::time::Duration::from_secs(5));
        taken.failed(&failed, "down", later).await.unwrap();
        let second = now(&taken, "a");
        assert_eq!((second.alert.id, second.attempts), (numbered(2).id, 0));
        taken.delivered(&second).await.unwrap();
        assert!(matches!(taken.next("a", NOW), Due::At(at) if at == later));
        taken.retry("a", NOW).await.unwrap();
        assert_eq!(now(&taken, "a").attempts, 1);
        assert!(done.try_recv().is_ok());
        taken.give_up(first);
        // Its last attempt may succeed all the same; nobody waits for it.
        taken.delivered(&failed).await.unwrap();
        assert!(done.try_recv().is_err());
        assert!(matches!(taken.next("a", NOW), Due::Nothing));
    }
}
