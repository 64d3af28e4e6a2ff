//! What several messages say together: who was logged in when something was done, and that a host and
//! its vCenter told of the same thing.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::{Report, Said};
use crate::time::Timestamp;

/// How long a guest operation waits for others to tell more of it.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Reports that wait, and what is known of sessions.
#[derive(Debug, Default)]
pub struct Join {
    waiting: VecDeque<Report>,
    now: Timestamp,
}

impl Join {
    /// Takes a report; gives it back at once if nobody else tells of such things.
    pub fn take(&mut self, report: Report) -> Option<Report> {
        self.now = self.now.max(report.time);
        if matches!(report.said, Said::GuestOperation(_)) {
            self.waiting.push_back(report);
            return None;
        }
        Some(report)
    }

    /// It is `now` by the time of records.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The next report that has waited long enough.
    pub fn pop(&mut self) -> Option<Report> {
        let until = self.now.minus(PATIENCE);
        self.waiting.pop_front_if(|report| report.time <= until)
    }

    /// The next report when nothing more will come.
    pub fn pop_last(&mut self) -> Option<Report> {
        self.waiting.pop_front()
    }
}
