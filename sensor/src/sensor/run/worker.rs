//! A capture worker: one thread that takes frames of all interfaces through its own packet path, to
//! completion, and hands events on. It waits for nobody: not for a lock, not for room in a channel.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::clock;
use super::pulse::Pulse;
use super::tally::Tally;
use crate::capture::live::Live;
use crate::capture::{Burst, Progress, Source};
use crate::event::Event;
use crate::observe::Sink;
use crate::sensor::path::Path;
use crate::time::Timestamp;

/// Bursts taken from one source before the next has its turn.
const TURN: usize = 8;
/// How long it sleeps when there is nothing: timeouts are kept to this, and signs of life given.
/// Frames end it sooner, as poll(2) returns when the kernel gives out a block.
const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// How often it says how far it is when it has nothing else to say, because events of other workers
/// wait for that; and how long events wait while there is no end of frames.
const TELL: Duration = Duration::from_millis(50);
/// How often what was counted is published.
const PUBLISH: Duration = Duration::from_millis(100);
/// Events are handed on when so many are there, or when a turn ends that found nothing to read: each
/// time wakes detection.
const BATCH: usize = 512;
/// The most events that wait for room in the channel; what comes on top is dropped and counted.
const MAX_WAITING: usize = 1 << 16;

/// What a worker hands on: events in nearly the order of their time.
#[derive(Debug)]
pub(super) struct Batch {
    /// Who.
    pub(super) worker: usize,
    /// The worker has read everything up to this time.
    pub(super) reached: Timestamp,
    /// What it saw.
    pub(super) events: Vec<Event>,
}

/// What a worker is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Take frames of an interface from this source from now on.
    Attach(u16, Live),
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
    pub(super) orders: Receiver<Order>,
    pub(super) batches: SyncSender<Batch>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) tally: Tally,
}

/// One interface's source.
#[derive(Debug)]
pub(super) struct Input {
    /// The interface's place in the config.
    pub(super) interface: u16,
    pub(super) source: Live,
    /// Frames that its ring had lost, and those that were cut, when that was last published.
    lost: u64,
    cut: u64,
    /// Everything before it has been read.
    reached: Timestamp,
}

impl Input {
    pub(super) const fn new(interface: u16, source: Live) -> Self {
        Self { interface, source, lost: 0, cut: 0, reached: Timestamp::ZERO }
    }
}

/// Events on their way to detection.
struct Waiting {
    events: Vec<Event>,
    first_slot: u32,
    dropped: u64,
}

impl Sink for Waiting {
    #[inline]
    fn event(&mut self, mut event: Event) {
        if self.events.len() >= MAX_WAITING {
            self.dropped += 1;
            return;
        }
        event.flow.slot += self.first_slot;
        self.events.push(event);
    }
}

impl Worker {
    /// Works until told to stop. Returns whether all that had arrived by then was read.
    pub(super) fn work(mut self) -> bool {
        let mut waiting = Waiting { events: Vec::new(), first_slot: self.first_slot, dropped: 0 };
        let mut published = clock::now();
        let mut told = published;
        let mut end: Option<Timestamp> = None;
        loop {
            let busy = self.round(&mut waiting);
            let now = clock::now();
            self.pulse.beat(now);
            if !busy {
                self.path.idle(self.reached(now), &mut waiting);
            }
            let enough = if busy { BATCH } else { 1 };
            if waiting.events.len() >= enough || now.since(told) >= TELL {
                told = now;
                self.hand_on(now, &mut waiting);
            }
            if now.since(published) >= PUBLISH {
                published = now;
                self.publish(&mut waiting);
            }
            match end {
                Some(deadline) if !busy || now >= deadline => {
                    self.finish(waiting);
                    return !busy;
                }
                Some(_) => {}
                None => {
                    end = self.obey(now, &mut waiting);
                    if !busy && end.is_none() {
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
            let mut packets = 0;
            self.path.table.set_interface(input.interface);
            for _ in 0..TURN {
                let mut burst = Burst::new();
                // A source that fails for good is replaced by whoever watches the interfaces.
                let Ok(Progress::More) = input.source.burst(&mut burst) else { break };
                packets += burst.len() as u64;
                if let Some(last) = burst.last() {
                    input.reached = input.reached.max(last.time);
                }
                self.path.burst(&burst, waiting);
            }
            if packets > 0 {
                busy = true;
                self.pulse.received(input.interface, packets, input.reached);
            }
        }
        busy
    }

    /// The time up to which everything was read.
    fn reached(&self, now: Timestamp) -> Timestamp {
        let of = |input: &Input| input.source.quiet_since(now).max(input.reached);
        self.inputs.iter().map(of).min().unwrap_or(now)
    }

    fn hand_on(&self, now: Timestamp, waiting: &mut Waiting) {
        let batch = Batch {
            worker: self.number,
            reached: self.reached(now),
            events: std::mem::take(&mut waiting.events),
        };
        match self.batches.try_send(batch) {
            Ok(()) => {}
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                waiting.events = batch.events;
            }
        }
    }

    fn publish(&mut self, waiting: &mut Waiting) {
        for input in &mut self.inputs {
            let stats = input.source.stats();
            let lost = stats.dropped.saturating_sub(input.lost);
            let cut = stats.truncated.saturating_sub(input.cut);
            (input.lost, input.cut) = (stats.dropped, stats.truncated);
            self.pulse.dropped(input.interface, lost);
            self.tally.source(lost, cut);
        }
        self.tally.publish(&self.path, std::mem::take(&mut waiting.dropped));
    }

    /// Does what it is told; the deadline, when that is to stop.
    fn obey(&mut self, now: Timestamp, waiting: &mut Waiting) -> Option<Timestamp> {
        let order = self.orders.try_recv().ok()?;
        match order {
            Order::Stop(patience) => return Some(now.plus(patience)),
            Order::Attach(interface, source) => {
                self.publish(waiting);
                self.inputs.retain(|input| input.interface != interface);
                self.inputs.push(Input::new(interface, source));
                self.inputs.sort_by_key(|input| input.interface);
            }
        }
        None
    }

    fn nap(&self) {
        let mut fds: Vec<_> = self
            .inputs
            .iter()
            .filter(|input| !input.source.is_gone())
            .map(|input| PollFd::new(&input.source, PollFlags::IN))
            .collect();
        // Woken early or late, the next round looks at every source all the same.
        let _ = poll(&mut fds, Some(&NAP));
    }

    /// Ends all flows and hands on the last events, now waiting for room.
    fn finish(mut self, mut waiting: Waiting) {
        self.path.finish(&mut waiting);
        self.publish(&mut waiting);
        let batch = Batch { worker: self.number, reached: Timestamp::MAX, events: waiting.events };
        // Detection may have ended first; then nobody wants them.
        let _ = self.batches.send(batch);
    }
}
