//! Events of a worker on their way to detection, in small batches, while there is no room in the channel.

use std::collections::VecDeque;

use super::BATCH;
use crate::event::{Event, Mirrored, Neighbour, Record, Report};
use crate::mirror::SourceFacts;
use crate::observe::Sink;
use crate::time::Timestamp;

/// Events on their way to detection.
pub(super) struct Waiting {
    /// Batches that are full.
    full: VecDeque<Vec<Record>>,
    records: Vec<Record>,
    room: usize,
    first_slot: u32,
    pub(super) dropped: u64,
    /// The latest news of the sources of packets.
    pub(super) sources: Option<Vec<SourceFacts>>,
}

impl Waiting {
    pub(super) const fn new(room: usize, first_slot: u32) -> Self {
        Self {
            full: VecDeque::new(),
            records: Vec::new(),
            room,
            first_slot,
            dropped: 0,
            sources: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.full.len() * BATCH + self.records.len()
    }

    /// The events that wait longest, and whether they are the last ones.
    pub(super) fn take(&mut self) -> (Vec<Record>, bool) {
        match self.full.pop_front() {
            Some(full) => (full, false),
            None => (std::mem::take(&mut self.records), true),
        }
    }

    pub(super) fn put_back(&mut self, records: Vec<Record>, is_last: bool) {
        if is_last {
            self.records = records;
        } else {
            self.full.push_front(records);
        }
    }

    #[inline]
    fn push(&mut self, record: Record) {
        if self.len() >= self.room {
            self.dropped += 1;
            return;
        }
        self.records.push(record);
        if self.records.len() >= BATCH {
            self.full.push_back(std::mem::take(&mut self.records));
        }
    }
}

impl Sink for Waiting {
    #[inline]
    fn event(&mut self, mut event: Event) {
        event.flow.slot += self.first_slot;
        self.push(Record::Seen(event));
    }

    fn report(&mut self, report: Report) {
        self.push(Record::Logged(Box::new(report)));
    }

    fn mirrored(&mut self, mirrored: Mirrored) {
        self.push(Record::Mirrored(Box::new(mirrored)));
    }

    fn neighbour(&mut self, neighbour: Neighbour) {
        self.push(Record::Neighbour(Box::new(neighbour)));
    }

    fn mirror(&mut self, _at: Timestamp, sources: &[SourceFacts]) {
        self.sources = Some(sources.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::sample;

    #[test]
    fn events_wait_in_small_batches_and_in_order_and_what_has_no_room_is_counted() {
        let room = 3 * BATCH + 7;
        let mut waiting = Waiting::new(room, 10);
        for number in 0..room as u64 + 5 {
            waiting.event(sample::opened(number, Timestamp::ZERO));
        }
        assert_eq!((waiting.len(), waiting.dropped), (room, 5));
        let (first, is_last) = waiting.take();
        waiting.put_back(first, is_last);
        let mut taken = Vec::new();
        loop {
            let (records, is_last) = waiting.take();
            assert!(records.len() <= BATCH);
            taken.extend(records.into_iter().map(|record| match record {
                Record::Seen(event) => (event.flow.id, event.flow.slot),
                other => panic!("{other:?}"),
            }));
            if is_last {
                break;
            }
        }
        assert!(taken.into_iter().eq((0..room as u64).map(|id| (id, 11))));
    }
}
