//! Where audit records are read as they come, from followed files and posted bodies, and where reports
//! wait for detection.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::follow::{Follow, Patterns};
use super::post::{Post, Posted};
use super::{Body, Counts, Reader};
use crate::event::Report;
use crate::intake::waiting::Waiting;
use crate::time::Timestamp;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes of a body read at once: parsed within some milliseconds.
const PIECE: usize = 64 << 10;

/// Reads records; one thread's own.
#[derive(Debug)]
pub struct Inbox {
    clock: fn() -> Timestamp,
    reader: RefCell<Reader>,
    waiting: Waiting,
    /// Files that are followed.
    files: Cell<usize>,
    /// When a record was last read.
    last: Cell<Option<Timestamp>>,
}

/// Where records come from.
#[derive(Debug)]
pub struct Sources {
    /// Files, as the config has them now.
    pub patterns: watch::Receiver<Patterns>,
    /// Bodies.
    pub posted: Posted,
}

impl Inbox {
    /// With room for so many reports, and what one read brings on top.
    pub fn new(clock: fn() -> Timestamp, room: usize) -> Self {
        Self {
            clock,
            reader: RefCell::default(),
            waiting: Waiting::new(room),
            files: Cell::default(),
            last: Cell::default(),
        }
    }

    /// The reports that wait, in the order in which they came.
    pub fn take(&self) -> Vec<Report> {
        self.waiting.take()
    }

    /// What became of the records so far.
    pub fn counts(&self) -> Counts {
        self.reader.borrow().counts()
    }

    /// How many files are followed, and when a record was last read.
    pub const fn followed(&self) -> (usize, Option<Timestamp>) {
        (self.files.get(), self.last.get())
    }

    /// Reads until `stop` says so, then what was posted by then, for no longer than `patience`. While
    /// reports find no room, nothing is read.
    pub async fn serve(
        &self,
        sources: Sources,
        mut stop: watch::Receiver<bool>,
        patience: Duration,
    ) {
        let Sources { mut patterns, mut posted } = sources;
        let mut follow = Follow::new(patterns.borrow_and_update().clone());
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_more = false;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                Some(post) = posted.recv() => self.read(post).await,
                Ok(()) = patterns.changed() => follow.apply(patterns.borrow_and_update().clone()),
                () = turn(&mut tick, is_more) => {
                    self.waiting.room().await;
                    is_more = self.look(&mut follow);
                }
            }
        }
        posted.close();
        let last = async {
            while let Some(post) = posted.recv().await {
                self.read(post).await;
            }
        };
        // What takes longer is told that nobody reads it.
        let _ = timeout(patience, last).await;
    }

    /// Reads some of what is new in files; whether there is more.
    fn look(&self, follow: &mut Follow) -> bool {
        let mut tell = |report| self.waiting.push(report);
        let (now, before) = ((self.clock)(), self.counts());
        let is_more = follow.poll(now, &mut self.reader.borrow_mut(), &mut tell);
        self.files.set(follow.files());
        self.note(before, now);
        is_more
    }

    async fn read(&self, post: Post) {
        let before = self.counts();
        let mut body = Body::default();
        for piece in post.body.chunks(PIECE) {
            self.waiting.room().await;
            self.piece(|reader, now, tell| reader.take(&mut body, piece, Some(now), tell));
            yield_now().await;
        }
        self.piece(|reader, now, tell| reader.end(&mut body, Some(now), tell));
        // Whoever asked may have gone.
        let _ = post.read.send(self.counts().since(&before));
    }

    fn piece(&self, read: impl FnOnce(&mut Reader, Timestamp, &mut dyn FnMut(Report))) {
        let mut tell = |report| self.waiting.push(report);
        let (now, before) = ((self.clock)(), self.counts());
        read(&mut self.reader.borrow_mut(), now, &mut tell);
        self.note(before, now);
    }

    /// Notes whether records were read.
    fn note(&self, before: Counts, now: Timestamp) {
        if self.counts() != before {
            self.last.set(Some(now));
        }
    }
}

/// When to look at files again: at once, where there is more to read.
async fn turn(tick: &mut Interval, is_more: bool) {
    if is_more {
        yield_now().await;
    } else {
        tick.tick().await;
    }
}

#[cfg(test)]
mod tests;
