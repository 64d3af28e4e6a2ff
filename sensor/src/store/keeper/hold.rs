//! Who is owed what is raised, and how long that waits for others to deliver it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Keeper, Shared};
use crate::alert::Severity;
use crate::time::Timestamp;

/// Who is owed which alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The target's name: in metrics, in the log and in the outbox.
    pub target: String,
    /// Alerts below it are not for this target.
    pub min_severity: Severity,
    /// For a target that waits for others to deliver: until when that is now.
    pub held: Option<Timestamp>,
}

impl Keeper {
    /// From now on what is raised is owed to targets that wait only after `time`.
    pub fn hold(&self, time: Duration) {
        self.shared.hold.store(time.as_secs(), Ordering::Relaxed);
    }
}

impl Shared {
    /// Sets for targets that wait until when that is.
    pub(super) fn hold(&self, owed: &mut [Subscription], now: Timestamp) {
        let time = Duration::from_secs(self.hold.load(Ordering::Relaxed));
        let until = if time.is_zero() { Timestamp::default() } else { now.plus(time) };
        owed.iter_mut().filter_map(|owed| owed.held.as_mut()).for_each(|held| *held = until);
    }
}
