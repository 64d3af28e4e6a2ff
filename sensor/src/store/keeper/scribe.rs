//! The thread itself: writes what waits, answers who asks, looks once a second whether the file
//! is still there and whether others have written.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, watch};

use super::{Shared, Subscription, Wiring};
use crate::alert::Alert;
use crate::metrics::Metrics;
use crate::store::{Store, StoreError, schema};
use crate::text::{file_name, grouped, printable};

/// What someone wants done on the thread.
pub(super) type Request = Box<dyn FnOnce(&mut Scribe) + Send>;

/// Alerts in one transaction: a few hundred kilobytes, which fit where a thousand would not.
const BATCH: usize = 256;

/// Between two looks, and between two attempts while writing fails.
const LOOK: Duration = Duration::from_secs(1);

/// How long a write waits for another process; the thread has others to serve.
const PATIENCE: Duration = Duration::from_secs(1);

/// Alerts that are kept.
const MOST_ALERTS: usize = 100_000;

/// The thread.
pub(super) struct Scribe {
    store: Store,
    shared: Arc<Shared>,
    requests: mpsc::Receiver<Request>,
    owed: watch::Sender<u64>,
    changed: watch::Sender<u64>,
    metrics: Metrics,
    wiring: Wiring,
    subscriptions: Vec<Subscription>,
    /// Tells this run from earlier ones.
    run: u64,
    /// Alerts stored.
    alerts: usize,
    data_version: i64,
    failing: bool,
    /// Whether what is pending may have changed since it was counted.
    recount: bool,
    next_look: Instant,
    /// All handles are gone.
    abandoned: bool,
}

impl Scribe {
    pub(super) fn new(
        store: Store,
        shared: Arc<Shared>,
        requests: mpsc::Receiver<Request>,
        (owed, changed): (watch::Sender<u64>, watch::Sender<u64>),
        metrics: Metrics,
        wiring: Wiring,
    ) -> Result<Self, StoreError> {
        let run = (wiring.clock)().as_nanos();
        let mut scribe = Self {
            store,
            shared,
            requests,
            owed,
            changed,
            metrics,
            wiring,
            subscriptions: Vec::new(),
            run,
            alerts: 0,
            data_version: 0,
            failing: false,
            recount: true,
            next_look: Instant::now(),
            abandoned: false,
        };
        scribe.acquaint()?;
        Ok(scribe)
    }

    /// The database, for a request.
    pub(super) fn store(&mut self) -> &mut Store {
        self.recount = true;
        &mut self.store
    }

    /// What people say was written: the next look tells of it.
    pub(super) fn changed(&mut self) {
        self.data_version = -1;
    }

    /// Notes how a request went.
    pub(super) fn note(&mut self, error: Option<&StoreError>) {
        if let Some(error) = error.filter(|error| matches!(error, StoreError::Database { .. })) {
            self.trouble(error);
        }
    }

    /// Works until told to stop.
    pub(super) fn run(mut self) {
        let end = End(Arc::clone(&self.shared));
        while !self.is_done() {
            self.went_round();
            self.wait();
            self.answer();
            let is_look = Instant::now() >= self.next_look;
            if !self.failing || is_look || self.deadline().is_some() {
                self.write();
            }
            if is_look {
                self.look();
            }
        }
        // The requests that are left, and the file, before others are told that it is closed.
        drop(self);
        drop(end);
    }

    fn went_round(&self) {
        *self.shared.round() = Some(Instant::now());
    }

    /// Until there is something to do.
    fn wait(&self) {
        let mut inbox = self.shared.inbox();
        let until = inbox.stop.map_or(self.next_look, |stop| stop.min(self.next_look));
        while !inbox.woken {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.wake.wait_timeout(inbox, left);
            (inbox, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        inbox.woken = false;
    }

    fn answer(&mut self) {
        loop {
            match self.requests.try_recv() {
                Ok(request) => request(self),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.abandoned = true;
                    return;
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.shared.inbox().stop
    }

    fn is_done(&self) -> bool {
        let inbox = self.shared.inbox();
        let is_late = inbox.stop.is_some_and(|deadline| Instant::now() >= deadline);
        let may_end = inbox.stop.is_some() || self.abandoned;
        is_late || (self.abandoned && self.failing) || (may_end && inbox.is_empty())
    }

    /// Writes all that waits, and says when that begins or ceases to fail.
    fn write(&mut self) {
        let written = self.write_all();
        let written = match written {
            // Who only asks sees errors too; nothing waits, so it must be tried.
            Ok(()) if self.failing => self.store.probe(),
            written => written,
        };
        match written {
            Err(error) => self.trouble(&error),
            Ok(()) if self.failing => self.recovered(),
            Ok(()) => {}
        }
    }

    fn write_all(&mut self) -> Result<(), StoreError> {
        self.follow_subscriptions()?;
        loop {
            let batch = self.shared.inbox().take(BATCH);
            if batch.is_empty() {
                break;
            }
            self.commit(batch)?;
            self.went_round();
            self.answer();
        }
        let Some((baseline, notes)) = self.shared.inbox().baseline.take() else { return Ok(()) };
        self.store.followed(notes);
        let saved = self.store.save_baseline(&baseline);
        if saved.is_err() {
            self.shared.inbox().put_back_baseline(baseline, notes);
        }
        saved
    }

    fn commit(&mut self, batch: Vec<(u64, Alert)>) -> Result<(), StoreError> {
        let (order, alerts): (Vec<u64>, Vec<Alert>) = batch.into_iter().unzip();
        self.shared.hold(&mut self.subscriptions, (self.wiring.clock)());
        let committed = match self.store.commit(&alerts, &self.subscriptions, self.run) {
            Ok(committed) => committed,
            Err(error) => {
                self.shared.inbox().put_back(order.into_iter().zip(alerts).collect());
                return Err(error);
            }
        };
        self.shared.inbox().written();
        let now = (self.wiring.clock)();
        let of = |indices: &[usize]| -> Vec<&Alert> {
            indices.iter().filter_map(|index| committed.alerts.get(*index)).collect()
        };
        for alert in of(&committed.held) {
            self.metrics.budget.suppressed(alert.analytic);
        }
        for alert in of(&committed.told) {
            let labels = [alert.analytic.name(), alert.severity.name()];
            self.metrics.alerts.with_label_values(&labels).inc();
            self.metrics.detection_latency.observe(now.since(alert.time).as_secs_f64());
        }
        self.alerts += committed.new;
        self.recount = true;
        (self.wiring.on_committed)(&committed.alerts);
        if committed.owed {
            self.owed.send_modify(|times| *times += 1);
        }
        self.make_room()
    }

    /// Removes the oldest alerts when there are too many, a hundredth at a time.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.alerts <= MOST_ALERTS {
            return Ok(());
        }
        let trimmed = self.store.trim(self.alerts - MOST_ALERTS + MOST_ALERTS / 100)?;
        self.alerts = self.alerts.saturating_sub(trimmed.settled.len() + trimmed.owed.len());
        tracing::warn!(
            "{} alerts are kept: the {} oldest that nobody waits for were removed",
            grouped(MOST_ALERTS as u64),
            trimmed.settled.len()
        );
        if !trimmed.owed.is_empty() {
            let owed = trimmed.owed.len() as u64;
            self.metrics.events_dropped.with_label_values(&["store"]).inc_by(owed);
            tracing::error!(
                "{} alerts were removed before they could be delivered: too many wait",
                trimmed.owed.len()
            );
        }
        (self.wiring.on_removed)([trimmed.settled, trimmed.owed].concat());
        Ok(())
    }

    /// Drops what is owed to targets that are gone.
    fn follow_subscriptions(&mut self) -> Result<(), StoreError> {
        let Some(subscriptions) = self.shared.inbox().subscriptions.take() else { return Ok(()) };
        self.subscriptions = subscriptions;
        match self.store.drop_others(&self.subscriptions) {
            Ok(dropped) => {
                for (target, alerts) in dropped {
                    let _ = self.metrics.delivery_pending.remove_label_values(&[&target]);
                    tracing::warn!(
                        "{} alerts for {} are not delivered: it is not in the config any more",
                        grouped(alerts),
                        printable(&target)
                    );
                }
                self.recount = true;
                Ok(())
            }
            Err(error) => {
                let again = self.subscriptions.clone();
                self.shared.inbox().subscriptions.get_or_insert(again);
                Err(error)
            }
        }
    }

    /// Once a second.
    fn look(&mut self) {
        self.next_look = Instant::now() + LOOK;
        if !self.store.is_in_place() {
            self.moved();
        } else if let Err(error) = self.look_inside() {
            self.trouble(&error);
        }
    }

    fn look_inside(&mut self) -> Result<(), StoreError> {
        let version = self.store.data_version()?;
        if version != self.data_version {
            let notes = self.store.forgets()?;
            self.data_version = version;
            let mut inbox = self.shared.inbox();
            let taken = inbox.taken;
            inbox.notes = notes.into_iter().filter(|note| note.number > taken).collect();
            drop(inbox);
            self.changed.send_modify(|times| *times += 1);
        }
        if std::mem::take(&mut self.recount) {
            let pending = self.store.pending()?;
            for owed in &self.subscriptions {
                let count = pending.get(&owed.target).copied().unwrap_or_default();
                let gauge = self.metrics.delivery_pending.with_label_values(&[&owed.target]);
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        Ok(())
    }

    /// Learns what is in a database that was opened.
    fn acquaint(&mut self) -> Result<(), StoreError> {
        self.store.wait_at_most(PATIENCE)?;
        self.alerts = self.store.alert_count()?;
        // Never what the database says: the first look finds what it holds for us.
        self.data_version = -1;
        self.recount = true;
        Ok(())
    }

    fn trouble(&mut self, error: &StoreError) {
        if schema::is_damage(error) {
            self.damaged(error);
        } else if self.store.is_in_place() {
            self.fails(error);
        } else {
            self.moved();
        }
    }

    fn damaged(&mut self, error: &StoreError) {
        match self.store.replace_damaged() {
            Ok(moved) => {
                tracing::error!(
                    "{error}; it is now {}, and a new one was begun: approvals given by `egret \
                     baseline` must be given again",
                    file_name(&moved)
                );
                self.begin_anew();
            }
            Err(error) => self.fails(&error),
        }
    }

    fn moved(&mut self) {
        match self.store.reopen() {
            Ok(()) => {
                tracing::error!(
                    "the database was moved away or deleted while it was in use; what is at its \
                     place is used from now on, and what was still to be delivered is not"
                );
                self.begin_anew();
            }
            Err(error) => self.fails(&error),
        }
    }

    fn begin_anew(&mut self) {
        self.shared.inbox().begin_notes();
        self.shared.inbox().woken = true;
        if let Err(error) = self.acquaint() {
            self.fails(&error);
        }
    }

    fn fails(&mut self, error: &StoreError) {
        if !self.failing {
            self.failing = true;
            self.metrics.store_failing.set(1);
            tracing::error!(
                "nothing can be stored, alerts wait in memory until it can: {error}; tried again \
                 each second"
            );
        }
        *self.shared.error() = Some(error.to_string());
    }

    fn recovered(&mut self) {
        self.failing = false;
        self.metrics.store_failing.set(0);
        *self.shared.error() = None;
        tracing::info!("the database can be written again; all that waited is stored");
        self.owed.send_modify(|times| *times += 1);
    }
}

/// Says that the thread has ended, however it came to that.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.inbox().ended = true;
        self.0.ended.notify_all();
    }
}
