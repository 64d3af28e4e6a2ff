//! What one asset moved one way, and what of it stands out.

use super::chart::SeriesPast;
use super::habit::Habit;
use super::ring::Ring;
use super::{Class, Gaps, Spike, WINDOWS};
use crate::baseline::Volumes;
use crate::time::Timestamp;

/// What moves is told in buckets of so many seconds.
const BUCKET: u64 = 10;
/// The sum over 24 h is never so many bytes too small.
const ROUNDED: u64 = 4096;

/// One series of one asset. In this order, what every note reads and writes (the habit's end to
/// `room`) lies together.
///
/// What moves in 10 s is only added up while that cannot stand out yet, and the ring is told of it with
/// the next 10 s.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Track {
    habit: Habit,
    /// Bytes in all.
    total: u64,
    /// The latest 10 s that anything moved in, counted from the epoch.
    bucket: u64,
    /// Bytes of it that the ring was not told of.
    held: u64,
    /// So many more stay below the floor. While any do, nothing stands out.
    room: u64,
    /// One of each class.
    spikes: [Option<Box<Going>>; 2],
    ring: Ring,
}

/// When something moved, and what is the same for all series then.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    time: Timestamp,
    bucket: u64,
    floor: u64,
    gaps: &'a Gaps,
}

impl<'a> At<'a> {
    pub(super) const fn new(time: Timestamp, floor: u64, gaps: &'a Gaps) -> Self {
        Self { time, bucket: time.as_secs() / BUCKET, floor, gaps }
    }
}

/// A spike that goes on, or the last that did.
#[derive(Debug)]
struct Going {
    spike: Spike,
    /// While it goes on: its window.
    running: Option<u8>,
}

impl Going {
    /// Looks at it again.
    fn still_stands_out(&mut self, habit: &mut Habit, floor: u64) -> bool {
        let spike = &mut self.spike;
        let Some(window) = WINDOWS.iter().position(|window| *window == spike.window) else {
            return false;
        };
        let Some(usual) = habit.usual(floor).get(window).copied() else { return false };
        spike.novelty = habit.novelty(window, spike.bytes);
        (spike.expected, spike.score) = (usual.expected, usual.score(spike.bytes));
        spike.known_hours = habit.known_hours();
        spike.bytes >= usual.limit && spike.novelty > 0.0
    }
}

impl Track {
    /// Those of both directions, in which nothing moved.
    pub(super) fn pair(floor: u64) -> Box<[Self; 2]> {
        let mut both: Box<[Self; 2]> = Box::default();
        both.iter_mut().for_each(|track| track.room = room(floor, 0));
        both
    }

    /// Takes what moved in a bucket, and looks for what stands out where that could: whether there is a
    /// spike now, old or new. Where nothing could stand out there is no new one.
    #[inline]
    pub(super) fn note(&mut self, at: At<'_>, peer: u32, bytes: u64) -> bool {
        if bytes == 0 {
            return false;
        }
        if at.bucket > self.bucket {
            self.turn(at);
        }
        self.total = self.total.saturating_add(bytes);
        self.habit.vote(peer, bytes);
        if at.bucket == self.bucket && bytes <= self.room {
            self.held += bytes;
            self.room -= bytes;
            false
        } else {
            self.settle(at.floor);
            self.tell(at.floor, at.time, bytes);
            self.spikes().next().is_some()
        }
    }

    /// Goes on to a bucket.
    #[cold]
    fn turn(&mut self, At { time, bucket, floor, gaps }: At<'_>) {
        self.settle(floor);
        self.bucket = bucket;
        self.habit.turn(time.as_secs() / 3600, |hour| !gaps.has(hour));
    }

    /// Bytes in all.
    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// The last spike of each class, that over an hour at most first.
    pub(super) fn spikes(&self) -> impl Iterator<Item = &Spike> {
        self.spikes.iter().flatten().map(|going| &going.spike)
    }

    /// Another floor counts: what was below the one before is looked at again.
    pub(super) const fn look_again(&mut self) {
        self.room = 0;
    }

    /// What moved since `time`, in seconds since the epoch, teaches nothing.
    pub(super) fn unlearn(&mut self, time: u64) {
        self.habit.unlearn(time);
    }

    /// What lasts of it.
    pub(super) fn saved(&self) -> Option<Volumes> {
        self.habit.saved()
    }

    /// What the last hours can be shown from.
    pub(super) fn past(&self) -> SeriesPast {
        let (newest, hours) = self.ring.hours();
        SeriesPast { newest, hours, volumes: self.habit.saved().map(Box::new) }
    }

    /// Takes over what lasted.
    pub(super) fn restore(&mut self, volumes: &Volumes) {
        self.habit = Habit::restored(volumes);
        self.look_again();
    }

    /// Goes on from what is known by now: what stood out against what was known before, and does not any
    /// more, did not.
    pub(super) fn adopt(&mut self, volumes: &Volumes, floor: u64) {
        self.habit.adopt(volumes);
        self.look_again();
        let Self { habit, spikes, .. } = self;
        for place in spikes {
            place.take_if(|going| !going.still_stands_out(habit, floor));
        }
    }

    /// Tells the ring what it was not told of.
    fn settle(&mut self, floor: u64) {
        if self.held > 0 {
            let held = std::mem::take(&mut self.held);
            let sums = self.add(self.bucket * BUCKET, held);
            self.room = room(floor, sums[3]);
        }
    }

    /// Tells the ring, and looks for what stands out.
    fn tell(&mut self, floor: u64, time: Timestamp, bytes: u64) {
        let sums = self.add(time.as_secs(), bytes);
        self.room = room(floor, sums[3]);
        // The sums only grow with their window: nothing stands out below the floor.
        if sums[3] < floor {
            self.spikes.iter_mut().flatten().for_each(|going| going.running = None);
            return;
        }
        for class in [Class::Short, Class::Day] {
            if !self.goes_on(class, floor, bytes, sums, time) {
                self.look(class, floor, sums, time);
            }
        }
    }

    /// What the sums are with what moved at a time, in seconds since the epoch.
    fn add(&mut self, seconds: u64, bytes: u64) -> [u64; 4] {
        self.ring.add(seconds, bytes);
        let sums = self.ring.sums();
        self.habit.note(sums);
        sums
    }

    /// Whether a spike goes on, and counts what moved to it; it ends below half of what makes one.
    fn goes_on(
        &mut self,
        class: Class,
        floor: u64,
        bytes: u64,
        sums: [u64; 4],
        time: Timestamp,
    ) -> bool {
        let Some(Some(going)) = self.spikes.get_mut(class as usize) else { return false };
        let Some(window) = going.running.map(usize::from) else { return false };
        let Some(usual) = self.habit.usual(floor).get(window) else { return false };
        let sum = sums.get(window).copied().unwrap_or(0);
        if sum < usual.limit / 2 {
            going.running = None;
            return false;
        }
        let spike = &mut going.spike;
        spike.bytes = spike.bytes.saturating_add(bytes);
        spike.last = spike.last.max(time);
        spike.score = spike.score.max(usual.score(sum));
        if spike.novelty < 1.0 {
            spike.novelty = spike.novelty.max(self.habit.novelty(window, sum));
        }
        true
    }

    /// Whether one of the sums is a spike; the longest first, which holds the most of it.
    fn look(&mut self, class: Class, floor: u64, sums: [u64; 4], time: Timestamp) {
        let windows = sums.into_iter().zip(WINDOWS).enumerate().rev();
        for (window, (sum, seconds)) in windows.filter(|(window, _)| Class::of(*window) == class) {
            let Some(usual) = self.habit.usual(floor).get(window).copied() else { return };
            if sum < usual.limit {
                continue;
            }
            let novelty = self.habit.novelty(window, sum);
            let Some(place) = self.spikes.get_mut(class as usize).filter(|_| novelty > 0.0) else {
                continue;
            };
            // What an earlier spike has counted is not counted again.
            let after_last = place.as_ref().map_or(0, |last| last.spike.last.as_secs() + 1);
            let spike = Spike {
                onset: Timestamp::from_parts(self.ring.onset(window).max(after_last), 0).min(time),
                last: time,
                window: seconds,
                bytes: sum,
                expected: usual.expected,
                known_hours: self.habit.known_hours(),
                score: usual.score(sum),
                novelty,
            };
            *place = Some(Box::new(Going { spike, running: Some(window as u8) }));
            return;
        }
    }
}

/// How much more stays below the floor with a sum over 24 h.
const fn room(floor: u64, day: u64) -> u64 {
    floor.saturating_sub(day).saturating_sub(ROUNDED)
}
