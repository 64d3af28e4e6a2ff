//! The thread that owns the database of the live sensor: alerts are committed here, together with
//! what each target is owed, before anyone is told of them.

use std::time::Duration;

use tokio::sync::watch;

use super::{Store, StoreError};
use crate::alert::{Alert, Severity};
use crate::baseline::Baseline;
use crate::metrics::Metrics;
use crate::time::Timestamp;

/// A handle to the keeper; clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Keeper {}

/// Who is owed which alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The target's name: in metrics, in the log and in the outbox.
    pub target: String,
    /// Alerts below it are not for this target.
    pub min_severity: Severity,
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
    pub status: Option<crate::alert::Status>,
    /// About this asset.
    pub asset: Option<String>,
    /// Changed at or after.
    pub since: Option<Timestamp>,
    /// At most so many, the latest first.
    pub limit: usize,
}

impl Keeper {
    /// Starts the thread over an open database.
    pub fn start(_store: Store, _owed: Vec<Subscription>, _metrics: Metrics) -> Self {
        Self {}
    }

    /// Takes alerts that were raised or changed. Never waits for the disk.
    pub fn raise(&self, _alerts: Vec<Alert>) {}

    /// Keeps what was learned. Never waits for the disk.
    pub fn keep_baseline(&self, _baseline: Baseline) {}

    /// Changes who is owed what is raised from now on; what is owed to targets that are gone is dropped.
    pub fn subscribe(&self, _owed: Vec<Subscription>) {}

    /// Changes each time something new is owed to anyone.
    pub fn owed(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// Changes each time another process (`egret alerts`, `baseline`, `inventory`) has written.
    pub fn changed_elsewhere(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    /// What `target` has to do next, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due(&self, _target: &str, _now: Timestamp) -> Result<Due, StoreError> {
        Ok(Due::Nothing)
    }

    /// How many alerts `target` is owed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pending(&self, _target: &str) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// A delivery was taken.
    ///
    /// # Errors
    /// When that cannot be written; it will be due again.
    pub async fn delivered(&self, _delivery: &Delivery) -> Result<(), StoreError> {
        Ok(())
    }

    /// An attempt failed; the next is not before `next`.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn failed(
        &self,
        _delivery: &Delivery,
        _reason: &str,
        _next: Timestamp,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// Stored alerts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alerts(&self, _wanted: Wanted) -> Result<Vec<Alert>, StoreError> {
        Ok(Vec::new())
    }

    /// One stored alert.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert(&self, _id: uuid::Uuid) -> Result<Option<Alert>, StoreError> {
        Ok(None)
    }

    /// Marks an alert as seen by a person; whether there is such an alert.
    ///
    /// # Errors
    /// When that cannot be written.
    pub async fn acknowledge(
        &self,
        _id: uuid::Uuid,
        _note: Option<String>,
        _at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Writes what is left, for at most `patience`; how many alerts could not be written.
    pub fn stop(&self, _patience: Duration) -> usize {
        0
    }
}
