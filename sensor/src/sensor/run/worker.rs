//! A capture worker: one thread that takes frames of all interfaces through its own packet path, to
//! completion, and hands events on. It waits for nobody: not for a lock, not for room in a channel.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};

use super::evidence::{self, Found};
use super::input::Input;
use super::pulse::Pulse;
use super::tally::Tally;
use crate::capture::Scan;
use crate::capture::live::Live;
use crate::event::{Event, Mirrored, Neighbour, Record, Report};
use crate::evidence::{Recent, Search};
use crate::flow::TICK;
use crate::mirror::SourceFacts;
use crate::observe::Sink;
use crate::sensor::path::Path;
use crate::system;
use crate::time::Timestamp;
use waiting::Waiting;

mod waiting;

/// How long it sleeps at most when there is nothing: timeouts are kept to this, and signs of life
/// given. Frames end it sooner, where poll(2) returns for them; other sources have less patience.
const NAP: Duration = Duration::from_millis(100);
/// How long before the end of each second sources are asked what they have counted: what ends with the
/// tick then ends with its counts told, and none of these came after it. They have no more patience.
const AHEAD: Duration = Duration::from_millis(20);
/// How often it says how far it is when it has nothing else to say, because events of other workers
/// wait for that; and how long events wait while there is no end of frames.
const TELL: Duration = Duration::from_millis(50);
/// How often what was counted is published.
const PUBLISH: Duration = Duration::from_millis(100);
/// Events are handed on when so many are there, or when a turn ends that found nothing to read: each
/// time wakes detection.
const BATCH: usize = 512;
/// Events that may wait for room in the channel, besides one of each flow: when 10 s end, all flows
/// are told of at once. What comes on top is dropped and counted.
pub(super) const ROOM: usize = 1 << 16;

/// Pages of memory that are looked through between two bursts at most, for packets of alerts: 50 µs.
const PAGES: usize = 4;
/// Searches that may wait; whoever asked waits for an answer no longer than a second.
const SEARCHES: usize = 256;

/// What a worker hands on: events in nearly the order of their time.
#[derive(Debug)]
pub(super) struct Batch {
    /// Who.
    pub(super) worker: usize,
    /// The worker has read everything up to this time.
    pub(super) reached: Timestamp,
    /// What it saw, or read.
    pub(super) records: Vec<Record>,
    /// What each of its sources of packets does to them, when there is news.
    pub(super) sources: Option<Vec<SourceFacts>>,
}

/// What a worker is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Take frames of an interface from this source from now on.
    Attach(u16, Live),
    /// Look for the first packets of a conversation: the number of the search, and whose.
    Find(u64, u64),
    /// Let the packets of an interface pass, which this host is in the path of.
    Pass(u16),
    /// Read what is there, for no longer than this, and end.
    Stop(Duration),
}

/// One worker.
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) path: Path,
    /// Added to the flows' slots, so that they are no other worker's.
    pub(super) first_slot: u32,
    pub(super) inputs: Vec<Input>,
    /// The most events that may wait for room in the channel.
    pub(super) room: usize,
    pub(super) orders: Receiver<Order>,
    pub(super) batches: SyncSender<Batch>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) tally: Tally,
    /// Who is told what was found of conversations, where packets are kept.
    pub(super) evidence: Option<evidence::Teller>,
    /// Searches under way, by their number.
    pub(super) searches: VecDeque<(u64, Search)>,
}

/// The last events, on their way to detection: whoever has them waits for room now.
struct Last<'a> {
    worker: usize,
    first_slot: u32,
    records: Vec<Record>,
    batches: &'a SyncSender<Batch>,
}

impl Last<'_> {
    fn hand_on(&mut self, reached: Timestamp) {
        let records = std::mem::take(&mut self.records);
        // Detection may have ended first; then nobody wants them.
        let batch = Batch { worker: self.worker, reached, records, sources: None };
        let _ = self.batches.send(batch);
    }

    fn push(&mut self, record: Record) {
        self.records.push(record);
        if self.records.len() >= BATCH {
            self.hand_on(Timestamp::ZERO);
        }
    }
}

impl Sink for Last<'_> {
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
}

impl Worker {
    /// Works until told to stop. Returns whether all that had arrived by then was read.
    pub(super) fn work(mut self) -> bool {
        let mut waiting = Waiting::new(self.room, self.first_slot);
        let mut published = Instant::now();
        let mut told = published;
        let (mut second, mut tick) = (0, 0);
        let mut end: Option<Instant> = None;
        loop {
            // Of the packets' clock, which may be set, and of one that only goes forward. Before frames
            // are read: what libpcap has not given by the end of the round is later than that.
            let (now, steady) = (system::now(), Instant::now());
            if now.plus(AHEAD).as_secs() != second {
                second = now.plus(AHEAD).as_secs();
                // Volumes are told by ticks: what was counted in one is told before it ends. That of
                // many flows takes a while, so it begins a second before, and the end has little left.
                let ends_tick = (second + 1) / TICK.as_secs() != tick;
                tick = second / TICK.as_secs();
                let scan = if ends_tick { Scan::All } else { Scan::Much };
                for input in &mut self.inputs {
                    input.scan(scan, now, &mut self.path, &mut waiting);
                }
            }
            let busy = self.round(&mut waiting);
            self.pulse.beat(steady);
            if !busy {
                self.path.idle(self.reached(now), &mut waiting);
            }
            let enough = if busy { BATCH } else { 1 };
            if waiting.len() >= enough || steady.duration_since(told) >= TELL {
                told = steady;
                self.hand_on(now, &mut waiting);
            }
            if steady.duration_since(published) >= PUBLISH {
                published = steady;
                self.publish(&mut waiting);
            }
            match end {
                Some(deadline) if !busy || steady >= deadline => {
                    self.finish(now, waiting);
                    return !busy;
                }
                Some(_) => {}
                None => {
                    end = self.obey((now, steady), &mut waiting);
                    let searched = self.find();
                    if !busy && !searched && end.is_none() {
                        self.nap();
                    }
                }
            }
        }
    }

    /// Gives each source its turn; whether any had frames.
    fn round(&mut self, waiting: &mut Waiting) -> bool {
        let mut busy = false;
        for input in &mut self.inputs {
            busy |= input.turn(&mut self.path, &self.pulse, waiting);
        }
        busy
    }

    /// The time up to which everything was read.
    fn reached(&self, now: Timestamp) -> Timestamp {
        self.inputs.iter().map(|input| input.reached(now)).min().unwrap_or(now)
    }

    fn hand_on(&self, now: Timestamp, waiting: &mut Waiting) {
        loop {
            let (records, is_last) = waiting.take();
            // Behind a batch that is not the last come events that are older than what was read.
            let reached = if is_last { self.reached(now) } else { Timestamp::ZERO };
            let sources = waiting.sources.take();
            match self.batches.try_send(Batch { worker: self.number, reached, records, sources }) {
                Ok(()) if is_last => return,
                Ok(()) => {}
                Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                    waiting.sources = batch.sources;
                    return waiting.put_back(batch.records, is_last);
                }
            }
        }
    }

    fn publish(&mut self, waiting: &mut Waiting) {
        for input in &mut self.inputs {
            input.publish(&self.tally, &self.pulse, &mut self.path);
        }
        self.tally.publish(&self.path, std::mem::take(&mut waiting.dropped));
        self.pulse.remembers(self.path.recent.as_ref().and_then(Recent::since));
    }

    /// Does what it is told; the deadline, when that is to stop.
    fn obey(
        &mut self,
        (now, steady): (Timestamp, Instant),
        waiting: &mut Waiting,
    ) -> Option<Instant> {
        let order = self.orders.try_recv().ok()?;
        match order {
            Order::Stop(patience) => {
                self.inputs.iter_mut().for_each(Input::halt);
                return Some(steady + patience);
            }
            Order::Attach(interface, source) => {
                self.detach(interface, now, waiting);
                self.inputs.push(Input::new(interface, source));
                self.inputs.sort_by_key(|input| input.interface);
            }
            Order::Find(ticket, flow) => {
                if let Some(recent) = &self.path.recent
                    && self.searches.len() < SEARCHES
                {
                    self.searches.push_back((ticket, recent.search(flow)));
                }
            }
            Order::Pass(interface) => {
                self.inputs.iter().filter(|one| one.interface == interface).for_each(Input::pass);
            }
        }
        None
    }

    /// Goes on with the search that waits longest; whether there is any.
    fn find(&mut self) -> bool {
        let (Some(recent), Some((_, search))) = (&self.path.recent, self.searches.front_mut())
        else {
            return false;
        };
        if recent.go_on(search, PAGES)
            && let Some((ticket, search)) = self.searches.pop_front()
            && let Some(evidence) = &self.evidence
        {
            let found = Found { worker: self.number, ticket, packets: search.found() };
            // Who has no room for the answer goes on without.
            evidence.tell(evidence::Message::Found(found));
        }
        true
    }

    /// Takes what an interface's source has left, and lets go of it.
    fn detach(&mut self, interface: u16, now: Timestamp, waiting: &mut Waiting) {
        for old in self.inputs.iter_mut().filter(|input| input.interface == interface) {
            old.halt();
            while old.turn(&mut self.path, &self.pulse, waiting) {}
            old.settle(now, &mut self.path, waiting);
        }
        self.publish(waiting);
        for old in self.inputs.extract_if(.., |input| input.interface == interface) {
            old.retire(&self.tally);
        }
    }

    fn nap(&self) {
        let mut fds: Vec<_> = self.inputs.iter().filter_map(Input::poll_fd).collect();
        let patience = self.inputs.iter().map(Input::patience).fold(NAP, Duration::min);
        let timeout = Timespec { tv_sec: 0, tv_nsec: patience.subsec_nanos().into() };
        // Woken early or late, the next round looks at every source all the same.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// Takes the last counts, ends all flows and hands on the last events, now waiting for room.
    fn finish(mut self, now: Timestamp, mut waiting: Waiting) {
        self.publish(&mut waiting);
        let batches = self.batches.clone();
        let (worker, first_slot) = (self.number, self.first_slot);
        let mut last = Last { worker, first_slot, records: Vec::new(), batches: &batches };
        loop {
            let (records, is_last) = waiting.take();
            last.records = records;
            if is_last {
                break;
            }
            last.hand_on(Timestamp::ZERO);
        }
        for input in &mut self.inputs {
            input.settle(now, &mut self.path, &mut last);
        }
        self.path.finish(&mut last);
        last.hand_on(Timestamp::MAX);
        self.publish(&mut waiting);
        if let (Some(evidence), Some(recent)) = (&self.evidence, self.path.recent.take()) {
            evidence.tell(evidence::Message::Left(self.number, Box::new(recent)));
        }
    }
}
