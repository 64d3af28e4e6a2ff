//! The reports of one file, put in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::event::Report;
use crate::time::Timestamp;

/// Reports that wait for those with an earlier time: when there are enough of them, the earliest is the
/// file's next. One whose time is wild waits among them.
pub(super) struct Ahead {
    enough: usize,
    waiting: BinaryHeap<Reverse<Waiting>>,
    taken: u64,
}

/// A report that waits; of equal times the one that came first is the next.
struct Waiting {
    time: Timestamp,
    number: u64,
    report: Report,
}

impl Ahead {
    pub(super) const fn new(enough: usize) -> Self {
        Self { enough, waiting: BinaryHeap::new(), taken: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= self.enough
    }

    pub(super) fn push(&mut self, report: Report) {
        self.taken += 1;
        self.waiting.push(Reverse(Waiting { time: report.time, number: self.taken, report }));
    }

    /// The earliest.
    pub(super) fn pop(&mut self) -> Option<Report> {
        Some(self.waiting.pop()?.0.report)
    }

    /// When the earliest is.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.waiting.peek().map(|next| next.0.time)
    }
}

impl Waiting {
    const fn key(&self) -> (Timestamp, u64) {
        (self.time, self.number)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
