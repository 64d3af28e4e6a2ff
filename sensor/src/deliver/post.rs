//! The task of one target: takes what it is owed from the outbox, the oldest first, until told
//! to stop. It waits for nobody else, and nobody waits for it.

use std::time::Duration;

use prometheus::{IntCounter, IntGauge, IntGaugeVec};
use reqwest::Url;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::failure::{Failure, Outlook};
use super::links::{Links, Packets};
use super::outbox::Outbox;
use super::pace::{Circuit, Dice, pause};
use super::target::{Sender, Target};
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::keeper::{Delivery, Due};
use crate::text::grouped;
use crate::time::{Elapsed, Timestamp};

/// The longest sleep: the clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What a target's task is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Deliver. The number changes with each reload: files are read anew then.
    Serve(u64),
    /// End after the attempt under way.
    Stop,
}

/// What all targets share.
#[derive(Debug, Clone)]
pub(super) struct Common<O> {
    pub(super) outbox: O,
    pub(super) packets: Packets,
    pub(super) metrics: Metrics,
    pub(super) clock: fn() -> Timestamp,
    pub(super) seed: u64,
}

/// One target's task.
#[derive(Debug)]
pub(super) struct Post<O> {
    name: String,
    sender: Sender,
    /// Below which alerts and packets are to be seen.
    base: Option<Url>,
    packets: Packets,
    outbox: O,
    clock: fn() -> Timestamp,
    orders: watch::Receiver<Order>,
    /// The reload whose files are in use.
    reload: u64,
    owed: watch::Receiver<u64>,
    circuit: Circuit,
    dice: Dice,
    /// Failures in a row to read or write the outbox.
    outbox_failures: u32,
    /// Whether the log has said that a person has to do something.
    has_called: bool,
    /// How many alerts wait, by target.
    pending: IntGaugeVec,
    series: Series,
}

/// The target's metrics.
#[derive(Debug)]
struct Series {
    delivered: IntCounter,
    failures: IntCounter,
    circuit_open: IntGauge,
}

impl<O: Outbox> Post<O> {
    pub(super) fn new(target: &Target, common: &Common<O>, orders: watch::Receiver<Order>) -> Self {
        let name = target.name.clone();
        let label = &[name.as_str()];
        let metrics = &common.metrics;
        let series = Series {
            delivered: metrics.alerts_delivered.with_label_values(label),
            failures: metrics.delivery_failures.with_label_values(label),
            circuit_open: metrics.delivery_circuit_open.with_label_values(label),
        };
        let dice = Dice::new(common.seed, &name);
        Self {
            sender: target.sender(),
            base: target.base.clone(),
            packets: common.packets.clone(),
            outbox: common.outbox.clone(),
            clock: common.clock,
            orders,
            reload: 0,
            owed: common.outbox.owed(),
            circuit: Circuit::new(dice.clone()),
            dice,
            outbox_failures: 0,
            has_called: false,
            pending: metrics.delivery_pending.clone(),
            series,
            name,
        }
    }

    /// Delivers until told to stop.
    pub(super) async fn run(mut self) {
        while let Some(reload) = self.order() {
            if reload != self.reload {
                self.reload = reload;
                self.sender.renew();
                self.try_again().await;
            }
            if !self.sender.is_ready() {
                // What is owed stays where it is; nothing has failed.
                tokio::select! {
                    biased;
                    _ = self.orders.changed() => {}
                    () = self.sender.ready() => {}
                }
                continue;
            }
            // Before looking, so that what is owed meanwhile wakes the sleep below.
            self.owed.mark_unchanged();
            let wait = match self.circuit.held(Instant::now()) {
                Some(held) => Some(held),
                None => match self.outbox.due(&self.name, (self.clock)()).await {
                    Ok(Due::Now(delivery)) => {
                        self.outbox_failures = 0;
                        self.attempt(&delivery).await;
                        continue;
                    }
                    Ok(Due::At(time)) => Some(time.since((self.clock)())),
                    Ok(Due::Nothing) => None,
                    Err(error) => Some(self.outbox_failed(&error)),
                },
            };
            self.rest(wait).await;
        }
    }

    /// After a reload a failure may be mended: the next attempt need not wait.
    async fn try_again(&mut self) {
        if self.circuit.try_again()
            && let Err(error) = self.outbox.retry(&self.name, (self.clock)()).await
        {
            self.outbox_failed(&error);
        }
    }

    /// Waits for `wait`, or for something new: an order, or an alert.
    async fn rest(&mut self, wait: Option<Duration>) {
        let wait = wait.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP);
        tokio::select! {
            biased;
            _ = self.orders.changed() => {}
            // Whoever owes has gone: what is owed is still to be delivered.
            Ok(()) = self.owed.changed() => {}
            () = sleep(wait) => {}
        }
    }

    /// The number of the last reload; `None` when the order is to stop, or nobody gives orders.
    fn order(&self) -> Option<u64> {
        let has_commander = self.orders.has_changed().is_ok();
        match *self.orders.borrow() {
            Order::Serve(reload) if has_commander => Some(reload),
            Order::Serve(_) | Order::Stop => None,
        }
    }

    async fn attempt(&mut self, delivery: &Delivery) {
        let links = match &self.base {
            Some(base) => Some(Links::of(base, &self.packets, delivery.alert.id).await),
            None => None,
        };
        let sent = self.sender.send(&delivery.alert, links.as_ref(), (self.clock)()).await;
        match sent {
            Ok(()) => {
                self.series.delivered.inc();
                if let Some(down) = self.circuit.succeeded(Instant::now()) {
                    self.tell_recovery(down);
                }
                self.note_delivered(delivery).await;
            }
            Err(failure) => {
                self.series.failures.inc();
                self.failed(delivery, &failure).await;
            }
        }
        self.series.circuit_open.set(self.circuit.is_open().into());
    }

    /// Writes that a delivery was taken. Until it is written the next has to wait: without it
    /// this one would be sent again and again.
    async fn note_delivered(&mut self, delivery: &Delivery) {
        while let Err(error) = self.outbox.delivered(delivery).await {
            if self.order().is_none() {
                return;
            }
            let wait = self.outbox_failed(&error);
            self.rest(Some(wait)).await;
        }
        self.outbox_failures = 0;
    }

    async fn failed(&mut self, delivery: &Delivery, failure: &Failure) {
        let reason = failure.to_string();
        self.tell_failure(delivery, failure.outlook(), &reason);
        let wait = self.circuit.failed(failure.outlook(), delivery.attempts, Instant::now());
        let next = (self.clock)().plus(wait);
        if let Err(error) = self.outbox.failed(delivery, &reason, next).await {
            let wait = self.outbox_failed(&error).max(wait);
            self.rest(Some(wait)).await;
        }
    }

    /// The first failure of the outbox is told; how long to wait then.
    fn outbox_failed(&mut self, error: &StoreError) -> Duration {
        if self.outbox_failures == 0 {
            tracing::warn!("deliver: {}: the outbox cannot be used: {error}", self.name);
        }
        self.outbox_failures = self.outbox_failures.saturating_add(1);
        pause(self.outbox_failures, &mut self.dice)
    }

    /// One line when a target begins to fail, one when only a person can help, and one for each
    /// alert that is refused: never one for a retry.
    fn tell_failure(&mut self, delivery: &Delivery, outlook: Outlook, reason: &str) {
        let name = &self.name;
        match outlook {
            Outlook::ThisAlert if delivery.attempts == 0 => {
                let id = delivery.alert.id;
                tracing::warn!("deliver: {name} refuses alert {id}, which stays owed: {reason}");
            }
            Outlook::ThisAlert => {}
            Outlook::Standing if !self.has_called => {
                self.has_called = true;
                tracing::warn!("deliver: {name} takes nothing until this is changed: {reason}");
            }
            _ if !self.circuit.is_failing() => {
                tracing::warn!("deliver: {name} fails; alerts wait and are sent again: {reason}");
            }
            _ => {}
        }
    }

    /// At the level of the line that it takes back.
    fn tell_recovery(&mut self, down: Duration) {
        self.has_called = false;
        let name = &self.name;
        // Counted by whoever keeps the outbox.
        let waited = self.pending.with_label_values(&[name]).get();
        let (waited, down) = (grouped(u64::try_from(waited).unwrap_or_default()), Elapsed(down));
        tracing::warn!("deliver: {name} takes alerts again after {down}; {waited} waited");
    }
}
