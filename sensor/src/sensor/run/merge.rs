//! Records of several workers put into the order of their time, behind a watermark.
//!
//! A DNS answer and the connection it explains can come from different workers, and detectors want
//! the answer first. So a record waits until every worker has passed its time, but never longer than
//! [`PATIENCE`] behind the newest one: a worker that hangs holds nobody up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::Record;
use crate::time::Timestamp;

/// The longest wait for a worker that has fallen behind.
const PATIENCE: Duration = Duration::from_millis(250);

/// Records that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Merge {
    workers: Vec<Waiting>,
    newest: Timestamp,
    released: Timestamp,
    late: u64,
}

/// One worker's records, in the order of time, and how far the worker is.
#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Record>,
    reached: Timestamp,
}

impl Merge {
    /// For so many workers.
    pub(super) fn new(workers: usize) -> Self {
        Self { workers: (0..workers).map(|_| Waiting::default()).collect(), ..Self::default() }
    }

    /// Takes a worker's records. It has `reached` a time: later ones will rarely be before that.
    pub(super) fn push(&mut self, worker: usize, reached: Timestamp, records: Vec<Record>) {
        let Some(waiting) = self.workers.get_mut(worker) else { return };
        for record in records {
            let time = record.time();
            // Of logs that is usual.
            self.late += u64::from(time < self.released && matches!(record, Record::Seen(_)));
            self.newest = self.newest.max(time);
            // A worker's records come nearly in order: the right place is at the end, or close to it.
            let behind = waiting.records.iter().rev().take_while(|r| r.time() > time).count();
            waiting.records.insert(waiting.records.len() - behind, record);
        }
        waiting.reached = waiting.reached.max(reached);
        // Who has ended is past all times, and the others are not.
        if reached < Timestamp::MAX {
            self.newest = self.newest.max(reached);
        }
    }

    /// The next record whose turn has come.
    pub(super) fn pop(&mut self) -> Option<Record> {
        self.pop_until(self.reached())
    }

    /// The time up to which records had their turn, also while there are none.
    pub(super) fn reached(&self) -> Timestamp {
        let all_passed = self.workers.iter().map(|w| w.reached).min().unwrap_or_default();
        all_passed.max(self.newest.minus(PATIENCE))
    }

    /// The next record when nothing more will come.
    pub(super) fn pop_last(&mut self) -> Option<Record> {
        self.pop_until(Timestamp::MAX)
    }

    /// Events that came after later ones had been released, since the last call.
    pub(super) fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    fn pop_until(&mut self, until: Timestamp) -> Option<Record> {
        let first = |waiting: &Waiting| waiting.records.front().map(Record::time);
        // Of equal times the lower worker's comes first.
        let next =
            self.workers.iter_mut().filter(|w| first(w).is_some()).min_by_key(|w| first(w))?;
        let record = next.records.pop_front_if(|record| record.time() <= until)?;
        self.released = self.released.max(record.time());
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::sample;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_parts(1000, millis * 1_000_000)
    }

    fn records(times: &[u64]) -> Vec<Record> {
        times.iter().map(|millis| Record::Seen(sample::opened(1, at(*millis)))).collect()
    }

    fn popped(merge: &mut Merge) -> Vec<u64> {
        let millis = |record: Record| (record.time().as_nanos() - at(0).as_nanos()) / 1_000_000;
        std::iter::from_fn(|| merge.pop()).map(millis).collect()
    }

    #[test]
    fn events_of_two_workers_come_out_in_the_order_of_time() {
        let mut merge = Merge::new(2);
        merge.push(0, at(30), records(&[10, 30, 20]));
        assert_eq!(popped(&mut merge), [] as [u64; 0], "worker 1 may have an earlier one");
        merge.push(1, at(25), records(&[5, 15, 25]));
        assert_eq!(popped(&mut merge), [5, 10, 15, 20, 25]);
        merge.push(1, at(40), Vec::new());
        assert_eq!(popped(&mut merge), [30]);
        assert_eq!(merge.reached(), at(30), "worker 0 is no farther");
        merge.push(0, at(50), Vec::new());
        assert_eq!(merge.reached(), at(40), "without any record");
        assert_eq!(merge.take_late(), 0);
    }

    /// Fails when the end of one worker is taken for the end of time: all that was learned would be over.
    #[test]
    fn one_that_has_ended_puts_nobody_forward() {
        let mut merge = Merge::new(2);
        merge.push(0, at(30), records(&[20]));
        merge.push(1, Timestamp::MAX, records(&[10]));
        assert_eq!(popped(&mut merge), [10, 20]);
        assert_eq!(merge.reached(), at(30));
        merge.push(0, Timestamp::MAX, Vec::new());
        assert_eq!(merge.reached(), Timestamp::MAX);
    }

    #[test]
    fn a_worker_that_hangs_holds_nobody_up_for_long() {
        let mut merge = Merge::new(2);
        merge.push(0, at(100), records(&[100]));
        assert_eq!(popped(&mut merge), [] as [u64; 0]);
        merge.push(0, at(400), records(&[400]));
        assert_eq!(popped(&mut merge), [100]);
        merge.push(1, at(50), records(&[50]));
        assert_eq!(popped(&mut merge), [50]);
        assert_eq!(merge.take_late(), 1);
        assert!(merge.pop_last().is_some() && merge.pop_last().is_none());
    }
}
