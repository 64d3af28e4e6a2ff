//! Reports that were read and wait for detection.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::sleep;

use crate::event::Report;

/// How often it is looked for room while there is none.
const AGAIN: Duration = Duration::from_millis(5);

/// Reports in the order in which they came, of one thread.
#[derive(Debug)]
pub(super) struct Waiting {
    /// How many may wait.
    room: usize,
    reports: RefCell<Vec<Report>>,
}

impl Waiting {
    /// With room for so many, and what one read brings on top.
    pub(super) fn new(room: usize) -> Self {
        Self { room, reports: RefCell::default() }
    }

    pub(super) fn push(&self, report: Report) {
        self.reports.borrow_mut().push(report);
    }

    /// All that wait.
    pub(super) fn take(&self) -> Vec<Report> {
        self.reports.take()
    }

    pub(super) fn has_room(&self) -> bool {
        self.reports.borrow().len() < self.room
    }

    /// Waits until there is room.
    pub(super) async fn room(&self) {
        while !self.has_room() {
            sleep(AGAIN).await;
        }
    }
}
