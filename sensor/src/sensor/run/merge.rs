//! Events of several workers put into the order of their time, behind a watermark.
//!
//! A DNS answer and the connection it explains can come from different workers, and detectors want
//! the answer first. So an event waits until every worker has passed its time, but never longer than
//! [`PATIENCE`] behind the newest event: a worker that hangs holds nobody up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::Event;
use crate::time::Timestamp;

/// The longest wait for a worker that has fallen behind.
const PATIENCE: Duration = Duration::from_millis(250);

/// Events that wait for their turn.
#[derive(Debug, Default)]
pub(super) struct Merge {
    workers: Vec<Waiting>,
    newest: Timestamp,
    released: Timestamp,
    late: u64,
}

/// One worker's events, in the order of time, and how far the worker is.
#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    reached: Timestamp,
}

impl Merge {
    /// For so many workers.
    pub(super) fn new(workers: usize) -> Self {
        Self { workers: (0..workers).map(|_| Waiting::default()).collect(), ..Self::default() }
    }

    /// Takes a worker's events. It has `reached` a time: later ones will rarely be before that.
    pub(super) fn push(&mut self, worker: usize, reached: Timestamp, events: Vec<Event>) {
        let Some(waiting) = self.workers.get_mut(worker) else { return };
        for event in events {
            self.late += u64::from(event.time < self.released);
            self.newest = self.newest.max(event.time);
            // A worker's events come nearly in order: the right place is at the end, or close to it.
            let behind = waiting.events.iter().rev().take_while(|e| e.time > event.time).count();
            waiting.events.insert(waiting.events.len() - behind, event);
        }
        waiting.reached = waiting.reached.max(reached);
        self.newest = self.newest.max(reached);
    }

    /// The next event whose turn has come.
    pub(super) fn pop(&mut self) -> Option<Event> {
        let all_passed = self.workers.iter().map(|w| w.reached).min().unwrap_or_default();
        let until = all_passed.max(self.newest.minus(PATIENCE));
        self.pop_until(until)
    }

    /// The next event when nothing more will come.
    pub(super) fn pop_last(&mut self) -> Option<Event> {
        self.pop_until(Timestamp::MAX)
    }

    /// Events that came after later ones had been released, since the last call.
    pub(super) fn take_late(&mut self) -> u64 {
        std::mem::take(&mut self.late)
    }

    fn pop_until(&mut self, until: Timestamp) -> Option<Event> {
        let first = |waiting: &Waiting| waiting.events.front().map(|event| event.time);
        // Of equal times the lower worker's comes first.
        let next =
            self.workers.iter_mut().filter(|w| first(w).is_some()).min_by_key(|w| first(w))?;
        let event = next.events.pop_front_if(|event| event.time <= until)?;
        self.released = self.released.max(event.time);
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Endpoint, Flow};

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_parts(1000, millis * 1_000_000)
    }

    fn event(millis: u64) -> Event {
        let end = Endpoint { address: [10, 0, 0, 1].into(), port: 443, mac: None };
        let flow = Flow {
            id: 1,
            slot: 1,
            client: end,
            server: end,
            protocol: 6,
            vlans: crate::decode::Vlans::new(),
            interface: None,
            tunnel: None,
            opened: at(0),
        };
        Event { time: at(millis), flow, body: Body::Opened }
    }

    fn events(times: &[u64]) -> Vec<Event> {
        times.iter().copied().map(event).collect()
    }

    fn popped(merge: &mut Merge) -> Vec<u64> {
        let millis = |event: Event| (event.time.as_nanos() - at(0).as_nanos()) / 1_000_000;
        std::iter::from_fn(|| merge.pop()).map(millis).collect()
    }

    #[test]
    fn events_of_two_workers_come_out_in_the_order_of_time() {
        let mut merge = Merge::new(2);
        merge.push(0, at(30), events(&[10, 30, 20]));
        assert_eq!(popped(&mut merge), [] as [u64; 0], "worker 1 may have an earlier one");
        merge.push(1, at(25), events(&[5, 15, 25]));
        assert_eq!(popped(&mut merge), [5, 10, 15, 20, 25]);
        merge.push(1, at(40), Vec::new());
        assert_eq!(popped(&mut merge), [30]);
        assert_eq!(merge.take_late(), 0);
    }

    #[test]
    fn a_worker_that_hangs_holds_nobody_up_for_long() {
        let mut merge = Merge::new(2);
        merge.push(0, at(100), events(&[100]));
        assert_eq!(popped(&mut merge), [] as [u64; 0]);
        merge.push(0, at(400), events(&[400]));
        assert_eq!(popped(&mut merge), [100]);
        merge.push(1, at(50), events(&[50]));
        assert_eq!(popped(&mut merge), [50]);
        assert_eq!(merge.take_late(), 1);
        assert!(merge.pop_last().is_some() && merge.pop_last().is_none());
    }
}
