//! One interface's source at one worker: its frames, and what it has counted without them, on their way
//! into the packet path.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::pulse::Pulse;
use super::tally::{Tally, Told};
use crate::capture::live::Live;
use crate::capture::{Burst, Counts, Progress, Scan, Source};
use crate::observe::Sink;
use crate::sensor::path::Path;
use crate::time::Timestamp;

/// Bursts taken from one source before the next has its turn.
const TURN: usize = 8;
/// Pieces of what was counted without packets that are told between two bursts at most: frames wait
/// meanwhile, and there may be a count for each direction of a million flows.
const COUNTS: usize = 64;
/// The same at the end of a second, for some milliseconds: what is told later than a frame of the next
/// 10 s counts to these.
const SCANNED: usize = 1024;

/// One interface's source.
#[derive(Debug)]
pub(super) struct Input {
    /// The interface's place in the config.
    pub(super) interface: u16,
    source: Live,
    /// What was published of it.
    told: Told,
    /// Everything before it has been read.
    reached: Timestamp,
    losses: Losses,
}

/// How much was lost lately.
#[derive(Debug, Default)]
struct Losses {
    frames: u64,
    lost: u64,
    /// Of all frames, what there was of them when it was last looked at.
    told: u64,
}

impl Losses {
    /// So many frames were read in all, and so many more lost: the share of late ones that was lost.
    fn share(&mut self, frames: u64, lost: u64) -> f64 {
        const LATE: u64 = 1 << 16;
        self.frames += frames.saturating_sub(self.told);
        self.told = frames;
        self.lost += lost;
        if self.frames + self.lost > LATE {
            (self.frames, self.lost) = (self.frames / 2, self.lost / 2);
        }
        if self.lost == 0 { 0.0 } else { self.lost as f64 / (self.frames + self.lost) as f64 }
    }
}

impl Input {
    pub(super) fn new(interface: u16, source: Live) -> Self {
        Self {
            interface,
            source,
            told: Told::default(),
            reached: Timestamp::ZERO,
            losses: Losses::default(),
        }
    }

    /// Takes some of its frames and counts through `path`; whether there may be more of them.
    pub(super) fn turn(&mut self, path: &mut Path, pulse: &Pulse, sink: &mut impl Sink) -> bool {
        path.table.set_interface(self.interface);
        let mut packets = 0;
        let mut busy = false;
        for _ in 0..TURN {
            let mut burst = Burst::new();
            // A source that fails for good is replaced by whoever watches the interfaces.
            let more = matches!(self.source.burst(&mut burst), Ok(Progress::More));
            packets += burst.len() as u64;
            if let Some(last) = burst.last() {
                self.reached = self.reached.max(last.time);
            }
            let copies = path.copies();
            path.burst(&burst, sink);
            let copied = path.copies() - copies;
            drop(burst);
            if copied > 0 {
                self.source.expect_copies();
            }
            // Behind the frames that came before what gave way, and before those that come next.
            path.table.set_read(self.reached);
            let all_told = self.tell_counts(COUNTS, path, sink);
            busy |= more || !all_told;
            if !more {
                break;
            }
        }
        if packets > 0 {
            pulse.received(self.interface, packets, self.reached);
        }
        busy
    }

    /// Begins to take what was counted without packets by now, and takes as much of it as frames may
    /// wait for.
    pub(super) fn scan(
        &mut self,
        scan: Scan,
        now: Timestamp,
        path: &mut Path,
        sink: &mut impl Sink,
    ) {
        path.table.set_interface(self.interface);
        path.table.set_read(self.source.quiet_since(now));
        self.source.scan(scan);
        self.tell_counts(SCANNED, path, sink);
    }

    /// Ends capture: what has come so far can still be taken.
    pub(super) fn halt(&mut self) {
        self.source.halt();
    }

    /// Takes all that was counted without packets, once capture has ended and its frames were taken.
    pub(super) fn settle(&mut self, now: Timestamp, path: &mut Path, sink: &mut impl Sink) {
        path.table.set_interface(self.interface);
        path.table.set_read(now);
        // What is under way began before capture ended: all is told by the one behind it.
        self.tell_counts(usize::MAX, path, sink);
        self.source.scan(Scan::All);
        self.tell_counts(usize::MAX, path, sink);
    }

    /// Lets packets go on to this host from now on.
    pub(super) fn pass(&self) {
        self.source.pass();
    }

    /// The time up to which everything was read.
    pub(super) fn reached(&self, now: Timestamp) -> Timestamp {
        self.source.quiet_since(now).max(self.reached)
    }

    /// How long it may be left alone.
    pub(super) fn patience(&self) -> Duration {
        self.source.patience()
    }

    /// What to wait for; nothing, where its interface is gone.
    pub(super) fn poll_fd(&self) -> Option<PollFd<'_>> {
        (!self.source.is_gone()).then(|| PollFd::new(&self.source, PollFlags::IN))
    }

    /// Publishes what it has done, and tells the path what of it was lost here.
    pub(super) fn publish(&mut self, tally: &Tally, pulse: &Pulse, path: &mut Path) {
        let stats = self.source.stats();
        let news = tally.source(&stats, &mut self.told);
        path.table.set_dropped(self.interface, self.losses.share(stats.frames, news.lost));
        pulse.dropped(self.interface, news.lost);
        pulse.received(self.interface, news.counted, news.last.unwrap_or(Timestamp::ZERO));
    }

    /// Takes it off the gauges: it is looked at no more.
    pub(super) fn retire(self, tally: &Tally) {
        tally.retired(&self.told);
    }

    /// Tells the path what was counted without packets, so many pieces of it; whether that was all.
    fn tell_counts(&mut self, pieces: usize, path: &mut Path, sink: &mut impl Sink) -> bool {
        let mut counts = Counts::new();
        for _ in 0..pieces {
            self.source.counted(&mut counts);
            if counts.is_empty() {
                return true;
            }
            path.counted(&counts, sink);
        }
        false
    }
}
