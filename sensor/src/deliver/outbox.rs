//! Where targets find what they are owed: the keeper's side of a delivery.

use tokio::sync::watch;

use crate::store::StoreError;
use crate::store::keeper::{Delivery, Due, Keeper};
use crate::time::Timestamp;

/// What each target is owed, kept on disk by whoever implements it.
pub trait Outbox: Clone + Send + Sync + 'static {
    /// Changes each time something new is owed to anyone.
    fn owed(&self) -> watch::Receiver<u64>;

    /// What `target` has to do next. What became due first comes first, so that an alert that
    /// is refused again and again is behind those that were never tried.
    fn due(
        &self,
        target: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<Due, StoreError>> + Send;

    /// A delivery was taken.
    fn delivered(&self, delivery: &Delivery)
    -> impl Future<Output = Result<(), StoreError>> + Send;

    /// An attempt failed; the next is not before `next`.
    fn failed(
        &self,
        delivery: &Delivery,
        reason: &str,
        next: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What waits for `target` after failures is due at `now`.
    fn retry(
        &self,
        target: &str,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl Outbox for Keeper {
    fn owed(&self) -> watch::Receiver<u64> {
        Self::owed(self)
    }

    async fn due(&self, target: &str, now: Timestamp) -> Result<Due, StoreError> {
        Self::due(self, target, now).await
    }

    async fn delivered(&self, delivery: &Delivery) -> Result<(), StoreError> {
        Self::delivered(self, delivery).await
    }

    async fn failed(
        &self,
        delivery: &Delivery,
        reason: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        Self::failed(self, delivery, reason, next).await
    }

    async fn retry(&self, target: &str, now: Timestamp) -> Result<(), StoreError> {
        Self::retry(self, target, now).await
    }
}
