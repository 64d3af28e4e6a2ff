//! What the detection thread and the fleet's task give each other.
//!
//! Neither waits for the other. While the task takes nothing, because NATS is away, nothing more is asked of
//! the engine: what it has to tell stays what it knows, and the newest is told when there is room again.
//!
//! Bounds: 256 messages either way, and what one turn brings.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::detect::{Engine, Unknown};
use crate::exchange::places::PARTS;
use crate::exchange::{Learned, Places};
use crate::time::Timestamp;

/// Messages that wait.
const QUEUE: usize = 256;
/// So many may be on their way before more is told of assets: a question should not wait behind many, because
/// what an asset does waits for its answer.
const AHEAD: usize = 8;
/// Messages that are taken in one turn: packets wait meanwhile.
const AT_ONCE: usize = 32;
/// One part of the places is looked at so often: all are in an hour.
const PLACES: Duration = Duration::from_secs(56);

/// What the fleet's task hears, for the engine.
#[derive(Debug)]
pub enum Heard {
    /// What another sensor learned of an asset.
    Learned(Box<Learned>),
    /// All was heard that others know of the asset of this name.
    Answered(String),
    /// Where assets of another sensor go.
    Places(Box<Places>),
    /// A sensor is gone for good.
    Gone(String),
    /// What was told is not there any more.
    Lost,
}

/// What the engine has to tell, for the fleet's task.
#[derive(Debug)]
pub enum Told {
    /// Others are to be asked what they know of an asset; [`Heard::Answered`] comes after it.
    Ask(Unknown),
    /// What was learned of an asset here.
    Learned(Box<Learned>),
    /// Where assets here go.
    Places(Box<Places>),
}

/// The task's end.
#[derive(Debug)]
pub struct Exchange {
    /// What the engine tells. What is not taken is told later.
    pub told: mpsc::Receiver<Told>,
    /// What is heard.
    pub heard: mpsc::Sender<Heard>,
}

/// The detection thread's end.
#[derive(Debug)]
pub struct Peers {
    told: mpsc::Sender<Told>,
    heard: mpsc::Receiver<Heard>,
    /// What the task had no room for.
    waiting: VecDeque<Told>,
    /// How often an asset is told of at most.
    every: Duration,
    /// The next part of the places, and when.
    part: u8,
    next: Timestamp,
    /// Hashes of what was told of each part; 0: nothing.
    parts: [u64; PARTS as usize],
    hasher: foldhash::fast::FixedState,
}

/// Both ends. An asset is told of at most once in `every`.
pub fn pair(every: Duration) -> (Peers, Exchange) {
    let (tell, told) = mpsc::channel(QUEUE);
    let (hear, heard) = mpsc::channel(QUEUE);
    let peers = Peers {
        told: tell,
        heard,
        waiting: VecDeque::new(),
        every,
        part: 0,
        next: Timestamp::ZERO,
        parts: [0; PARTS as usize],
        hasher: foldhash::fast::FixedState::default(),
    };
    (peers, Exchange { told, heard: hear })
}

impl Peers {
    /// Gives the engine what was heard, and the task what there is to tell.
    pub fn turn(&mut self, engine: &mut Engine, now: Timestamp) {
        // Who is not answered is judged also where nothing else happens.
        engine.reach(now);
        for _ in 0..AT_ONCE {
            let Ok(heard) = self.heard.try_recv() else { break };
            self.hear(engine, now, heard);
        }
        if !self.has_room() {
            return;
        }
        self.waiting.extend(engine.unknown().into_iter().map(Told::Ask));
        if QUEUE.saturating_sub(self.told.capacity()) < AHEAD {
            let learned = engine.learned(now, self.every).into_iter().map(Box::new);
            self.waiting.extend(learned.map(Told::Learned));
            self.tell_places(engine, now);
        }
        self.has_room();
    }

    fn hear(&mut self, engine: &mut Engine, now: Timestamp, heard: Heard) {
        match heard {
            Heard::Learned(part) => _ = engine.adopt(now, &part),
            Heard::Answered(name) => engine.answered(now, &name),
            Heard::Places(places) => engine.elsewhere(&places),
            Heard::Gone(sensor) => engine.gone(&sensor),
            Heard::Lost => {
                engine.tell_again();
                self.parts = [0; PARTS as usize];
            }
        }
    }

    /// Tells of one part of the places, where it is time and that has changed.
    fn tell_places(&mut self, engine: &Engine, now: Timestamp) {
        // The clock may have been set back.
        if now < self.next && self.next.since(now) <= PLACES {
            return;
        }
        self.next = now.plus(PLACES);
        let places = engine.places(self.part);
        let hash = self.hash(&places.places);
        if let Some(known) = self.parts.get_mut(usize::from(self.part))
            && std::mem::replace(known, hash) != hash
        {
            self.waiting.push_back(Told::Places(Box::new(places)));
        }
        self.part = (self.part + 1) % PARTS;
    }

    /// No part that holds anything is told of as one that was never told; an empty one is.
    fn hash<T: Hash>(&self, places: &std::collections::BTreeMap<String, T>) -> u64 {
        if places.is_empty() { 0 } else { self.hasher.hash_one(places).max(1) }
    }

    /// Tells what waited; whether nothing does any more.
    fn has_room(&mut self) -> bool {
        while let Some(told) = self.waiting.pop_front() {
            match self.told.try_send(told) {
                Ok(()) => {}
                Err(TrySendError::Full(told)) => {
                    self.waiting.push_front(told);
                    return false;
                }
                // The task has ended, and so does the sensor.
                Err(TrySendError::Closed(_)) => self.waiting.clear(),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
