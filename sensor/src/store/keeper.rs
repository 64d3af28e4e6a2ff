//! The thread that owns the database of the live sensor: alerts are committed here, together with
//! what each target is owed, before anyone is told of them.
//!
//! While the database cannot be written, alerts wait in memory, and it is tried again each second.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::alert::{Alert, Analytic, Severity, Status, Verdict};
use crate::baseline::Baseline;
use crate::metrics::Metrics;
use crate::time::{Elapsed, Timestamp};
pub use hold::Subscription;
use inbox::Inbox;
use scribe::{Request, Scribe};

mod hold;
mod inbox;
mod scribe;

/// The thread goes round each second; after so long the disk hangs.
const STUCK: Duration = Duration::from_secs(10);

/// Requests that may wait for the thread.
const REQUESTS: usize = 64;

/// A handle to the keeper; clones speak to the same one. Without any, the keeper ends.
#[derive(Debug, Clone)]
pub struct Keeper {
    shared: Arc<Shared>,
    requests: mpsc::Sender<Request>,
    owed: watch::Receiver<u64>,
    changed: watch::Receiver<u64>,
    metrics: Metrics,
}

/// What the wiring gives the keeper.
pub struct Wiring {
    /// What time it is, for the latency of detection.
    pub clock: fn() -> Timestamp,
    /// Told of alerts as they are stored, new ones and new states, once they are on disk.
    pub on_committed: OnCommitted,
    /// Told of alerts that are kept no more.
    pub on_removed: OnRemoved,
}

/// Told of alerts that were removed.
pub type OnRemoved = Box<dyn FnMut(Vec<Uuid>) + Send>;

/// Told of alerts that were stored.
pub type OnCommitted = Box<dyn FnMut(&[Alert]) + Send>;

/// What handles and thread share.
#[derive(Debug, Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    /// Something is in the inbox, or the channel.
    wake: Condvar,
    /// The thread has ended.
    ended: Condvar,
    /// Why the database cannot be written.
    error: Mutex<Option<String>>,
    /// When the thread last went round: it stands still while the disk does not answer.
    round: Mutex<Option<Instant>>,
    /// How long others have to deliver what is raised, in seconds.
    hold: AtomicU64,
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self) -> MutexGuard<'_, Option<String>> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn round(&self) -> MutexGuard<'_, Option<Instant>> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One state of an alert that one target is owed.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// To whom.
    pub target: String,
    /// What.
    pub alert: Alert,
    /// How many attempts have failed, over restarts.
    pub attempts: u32,
    /// Which state of the alert it is: what changes while it is on its way stays owed.
    pub state: i64,
}

/// What a target has to do next.
#[derive(Debug, Clone)]
pub enum Due {
    /// Deliver this now.
    Now(Box<Delivery>),
    /// Wait until then: an earlier attempt failed.
    At(Timestamp),
    /// Nothing is owed.
    Nothing,
}

/// Which stored alerts are asked for; none given: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// At or above.
    pub min_severity: Option<Severity>,
    /// Of this status.
    pub status: Option<Status>,
    /// About this asset.
    pub asset: Option<String>,
    /// Raised by this analytic.
    pub analytic: Option<Analytic>,
    /// Changed at or after.
    pub since: Option<Timestamp>,
    /// At most so many, the latest first; 0: all.
    pub limit: usize,
}

impl Keeper {
    /// Starts the thread over an open database.
    ///
    /// # Errors
    /// When the database cannot be read, or there is no thread to be had.
    pub fn start(
        store: Store,
        owed: Vec<Subscription>,
        metrics: Metrics,
        wiring: Wiring,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        shared.inbox().subscriptions = Some(owed);
        let (requests, asked) = mpsc::channel(REQUESTS);
        let (owed_sender, owed) = watch::channel(0);
        let (changed_sender, changed) = watch::channel(0);
        let scribe = Scribe::new(
            store,
            Arc::clone(&shared),
            asked,
            (owed_sender, changed_sender),
            metrics.clone(),
            wiring,
        )?;
        thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || scribe.run())
            .map_err(StoreError::Thread)?;
        Ok(Self { shared, requests, owed, changed, metrics })
    }

    /// Takes alerts that were raised or changed. Never waits for the disk.
    pub fn raise(&self, alerts: Vec<Alert>) {
        let mut inbox = self.shared.inbox();
        let before = inbox.lost();
        alerts.into_iter().for_each(|alert| inbox.put(alert));
        let after = inbox.lost();
        self.wake(inbox);
        if after > before {
            self.metrics.events_dropped.with_label_values(&["store"]).inc_by(after - before);
            if after.ilog2() != before.checked_ilog2().unwrap_or(u32::MAX) {
                tracing::error!(
                    "{after} alerts had to give way since the start: more wait to be stored than \
                     memory has room for"
                );
            }
        }
    }

    /// Keeps what was learned; the latest wins. Never waits for the disk. Must hold nothing of what
    /// [`Self::take_forgotten`] has given so far.
    pub fn keep_baseline(&self, baseline: Baseline) {
        let mut inbox = self.shared.inbox();
        inbox.baseline = Some((baseline, inbox.taken));
        self.wake(inbox);
    }

    /// What people want forgotten since the last call: (asset, destination); without a destination
    /// all that was learned of the asset.
    pub fn take_forgotten(&self) -> Vec<(String, Option<String>)> {
        self.shared.inbox().take_notes()
    }

    /// Changes who is owed what is raised from now on; what is owed to targets that are gone is dropped.
    pub fn subscribe(&self, owed: Vec<Subscription>) {
        let mut inbox = self.shared.inbox();
        inbox.subscriptions = Some(owed);
        self.wake(inbox);
    }

    /// Changes each time something new is owed to anyone.
    pub fn owed(&self) -> watch::Receiver<u64> {
        self.owed.clone()
    }

    /// Changes each time another process (`egret alerts`, `baseline`, `inventory`) has written, or
    /// [`Self::change`] has.
    pub fn changed_elsewhere(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    /// Why the database cannot be written, while it cannot.
    pub fn error(&self) -> Option<String> {
        let silent = self.shared.round().map(|round| round.elapsed());
        silent.and_then(stuck).or_else(|| self.shared.error().clone())
    }

    /// What `target` has to do next, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due(&self, target: &str, now: Timestamp) -> Result<Due, StoreError> {
        let target = target.to_owned();
        self.ask(move |store| store.due(&target, now)).await
    }

    /// A delivery was taken.
    ///
    /// # Errors
    /// When that cannot be written; it will be due again.
    pub async fn delivered(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let (target, id, state) = (delivery.target.clone(), delivery.alert.id, delivery.state);
        self.ask(move |store| store.delivered(&target, id, state)).await
    }

    /// An attempt failed; the next is not before `next`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn failed(
        &self,
        delivery: &Delivery,
        reason: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let (target, id) = (delivery.target.clone(), delivery.alert.id);
        let reason = reason.to_owned();
        self.ask(move |store| store.failed(&target, id, &reason, next)).await
    }

    /// Something has changed: what waits for `target` after failures is due at `now`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn retry(&self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        let target = target.to_owned();
        self.ask(move |store| store.retry(&target, now)).await
    }

    /// Stored alerts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&self, wanted: Wanted) -> Result<Vec<Alert>, StoreError> {
        self.ask(move |store| store.alerts(&wanted)).await
    }

    /// One stored alert.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert(&self, id: Uuid) -> Result<Option<Alert>, StoreError> {
        self.ask(move |store| Ok(store.alert(id)?.map(|stored| stored.alert))).await
    }

    /// Marks an alert as seen by a person, and as what they found it to be; whether there is such an
    /// alert.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn acknowledge(
        &self,
        id: Uuid,
        note: Option<String>,
        verdict: Option<Verdict>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change(move |store| {
            let is_there = store.acknowledge(id, "api", note.as_deref(), at)?;
            match verdict.filter(|_| is_there) {
                Some(verdict) => store.judge(id, verdict).map(|()| is_there),
                None => Ok(is_there),
            }
        })
        .await
    }

    /// [`Self::ask`] for what people say: the sensor follows it within seconds, as if another process had
    /// written it.
    ///
    /// # Errors
    /// Those of `what`, and when the keeper has ended.
    pub async fn change<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (request, answer) = request(what);
        let request: Request = Box::new(move |scribe| {
            request(scribe);
            scribe.changed();
        });
        self.requests.send(request).await.map_err(|_| StoreError::Closed)?;
        self.wake(self.shared.inbox());
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Does something with the database on its thread, between commits.
    ///
    /// # Errors
    /// Those of `what`, and when the keeper has ended.
    pub async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (request, answer) = request(what);
        self.requests.send(request).await.map_err(|_| StoreError::Closed)?;
        self.wake(self.shared.inbox());
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// [`Self::ask`] for threads that may wait.
    ///
    /// # Errors
    /// Those of `what`, and when the keeper has ended.
    ///
    /// # Panics
    /// In asynchronous code.
    pub fn ask_blocking<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (request, answer) = request(what);
        self.requests.blocking_send(request).map_err(|_| StoreError::Closed)?;
        self.wake(self.shared.inbox());
        answer.blocking_recv().map_err(|_| StoreError::Closed)?
    }

    /// Writes what is left, for at most `patience`, and ends; how many alerts could not be written.
    pub fn stop(&self, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        let mut inbox = self.shared.inbox();
        inbox.stop = Some(deadline);
        inbox.woken = true;
        self.shared.wake.notify_one();
        while !inbox.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.ended.wait_timeout(inbox, left);
            (inbox, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        inbox.unwritten()
    }

    fn wake(&self, mut inbox: MutexGuard<'_, Inbox>) {
        inbox.woken = true;
        drop(inbox);
        self.shared.wake.notify_one();
    }
}

/// What to say of a thread that has not gone round for so long.
fn stuck(silent: Duration) -> Option<String> {
    let is_stuck = silent >= STUCK;
    is_stuck.then(|| format!("the disk has not answered for {}", Elapsed(silent)))
}

/// A request, and where its answer will be.
fn request<T: Send + 'static>(
    what: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
) -> (Request, oneshot::Receiver<Result<T, StoreError>>) {
    let (answer, answered) = oneshot::channel();
    let request: Request = Box::new(move |scribe| {
        let result = what(scribe.store());
        scribe.note(result.as_ref().err());
        // Whoever asked may have gone.
        let _ = answer.send(result);
    });
    (request, answered)
}

#[cfg(test)]
mod tests;
