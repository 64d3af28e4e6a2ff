//! A delivery that runs, and what its metrics say.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::memory::{Memory, clock};
use crate::alert::{Alert, Severity};
use crate::config::{self, Webhook, WebhookFormat};
use crate::deliver::format::tests::sample;
use crate::deliver::{Deliver, Outbox, Packets, Target, delivery, targets};
use crate::metrics::Metrics;
use crate::store::keeper::Due;

/// How long a stop waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Scene {
    pub(super) outbox: Memory,
    pub(super) deliver: Deliver,
    metrics: Metrics,
    name: String,
    run: JoinHandle<()>,
}

impl Scene {
    pub(super) fn start(webhooks: &[Webhook]) -> Self {
        Self::over(Memory::new(), webhooks)
    }

    /// With an outbox that was there before.
    pub(super) fn over(outbox: Memory, webhooks: &[Webhook]) -> Self {
        Self::with(outbox, of(webhooks))
    }

    pub(super) fn with(outbox: Memory, targets: Vec<Target>) -> Self {
        outbox.subscribe(names(&targets));
        let metrics = Metrics::new().unwrap();
        let name = targets[0].name.clone();
        let (deliver, delivery) =
            delivery(targets, (outbox.clone(), Packets::default()), metrics.clone(), clock, 7);
        let run = tokio::spawn(delivery.run());
        Self { outbox, deliver, metrics, name, run }
    }

    pub(super) fn reconfigure(&self, webhooks: &[Webhook]) {
        let targets = of(webhooks);
        self.outbox.subscribe(names(&targets));
        self.deliver.reconfigure(targets);
    }

    pub(super) async fn stop(self) {
        self.deliver.stop(PATIENCE);
        self.run.await.unwrap();
    }

    /// Lets time pass until something is so, at most an hour of it.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..360_000 {
            if is_so(self) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}: not within an hour; the last failure: {}", self.outbox.reason());
    }

    pub(super) async fn due(&self) -> Due {
        self.outbox.due(&self.name, clock()).await.unwrap()
    }

    pub(super) fn failures(&self) -> u64 {
        self.metrics.delivery_failures.with_label_values(&[&self.name]).get()
    }

    pub(super) fn delivered_metric(&self) -> u64 {
        self.delivered_to(&self.name)
    }

    pub(super) fn delivered_to(&self, name: &str) -> u64 {
        self.metrics.alerts_delivered.with_label_values(&[name]).get()
    }

    pub(super) fn pending(&self) -> usize {
        self.outbox.pending(&self.name)
    }

    /// What the keeper does, for the log's line at the end of an outage.
    pub(super) fn count_pending(&self) {
        let pending = i64::try_from(self.pending()).unwrap();
        self.metrics.delivery_pending.with_label_values(&[&self.name]).set(pending);
    }

    pub(super) fn is_open(&self) -> bool {
        self.metrics.delivery_circuit_open.with_label_values(&[&self.name]).get() == 1
    }

    pub(super) fn metrics_text(&self) -> String {
        self.metrics.text().unwrap()
    }
}

fn of(webhooks: &[Webhook]) -> Vec<Target> {
    targets(&config::Deliver { webhooks: webhooks.to_vec(), syslog: Vec::new() }, None)
}

fn names(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|target| target.name.clone()).collect()
}

pub(super) fn webhook(url: &str) -> Webhook {
    Webhook {
        url: url.parse().unwrap(),
        format: WebhookFormat::Egret,
        secret_file: None,
        token_file: None,
        ca_file: None,
        min_severity: Severity::Medium,
    }
}

/// An alert with an id of its own.
pub(super) fn alert(number: u128) -> Alert {
    Alert { id: uuid::Uuid::from_u128(number), ..sample() }
}
