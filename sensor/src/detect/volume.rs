//! How much each asset moves, and when that is more than usual.
//!
//! Per asset, direction and scope: sums over 1 min, 10 min, 1 h and 24 h, and the largest of each in
//! every hour of the last four weeks. A spike is a sum above what those hours make likely, above
//! what the same peer moved at the same time of day before (a nightly backup), and above a floor in
//! bytes. What is likely follows from the median and its deviation in the logarithm: of all hours
//! that moved anything, drawn towards those of the same hour of the week as far as they are known.
//!
//! Hours in which the sensor was down or the mirror silent are not known, and neither is what moved
//! while an alert was open: nothing is learned of them.
//!
//! Bounds an asset and series: 0.5 KiB, and once it moved 1 MB in an hour 1.4 KiB, 12 bytes for each
//! of at most 64 hours that moved much, and 0.4 KiB for what is usual now and the last spikes: 3 KiB.
//! A test measures them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::baseline::{self, AssetBaseline};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use habit::Habit;
pub(crate) use habit::Usual;
use ring::Ring;

mod habit;
mod ring;

/// The windows looked at, in seconds.
pub(crate) const WINDOWS: [u64; 4] = [60, 600, 3600, 86_400];
/// What moves is told in buckets of so many seconds.
const BUCKET: u64 = 10;
/// The sum over 24 h is never so many bytes too small.
const ROUNDED: u64 = 4096;
/// Gaps that are known.
const GAPS: usize = 256;

/// Which way, seen from the asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    In,
    Out,
}

/// The other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Internal,
    External,
}

/// One of an asset's four sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Series(pub(crate) Scope, pub(crate) Direction);

impl Series {
    const ALL: [Self; 4] = [
        Self(Scope::Internal, Direction::In),
        Self(Scope::Internal, Direction::Out),
        Self(Scope::External, Direction::In),
        Self(Scope::External, Direction::Out),
    ];

    const fn index(self) -> usize {
        match self {
            Self(Scope::Internal, Direction::In) => 0,
            Self(Scope::Internal, Direction::Out) => 1,
            Self(Scope::External, Direction::In) => 2,
            Self(Scope::External, Direction::Out) => 3,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self(Scope::Internal, Direction::In) => "in-internal",
            Self(Scope::Internal, Direction::Out) => "out-internal",
            Self(Scope::External, Direction::In) => "in-external",
            Self(Scope::External, Direction::Out) => "out-external",
        }
    }
}

/// More moved than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spike {
    /// When the first of it moved.
    pub(crate) onset: Timestamp,
    /// When the last of it moved.
    pub(crate) last: Timestamp,
    /// Length of the window that stood out first, in seconds.
    pub(crate) window: u64,
    /// Bytes from onset to last.
    pub(crate) bytes: u64,
    /// Bytes usual for the window.
    pub(crate) expected: u64,
    /// Hours of the last four weeks that say so; few while little is known.
    pub(crate) known_hours: u64,
    /// Robust standard deviations of the logarithm above what is usual.
    pub(crate) score: f64,
    /// 1 when nothing like it went on at this time of day with the same peer, 0.5 when it did once.
    pub(crate) novelty: f64,
}

/// Spikes of these go on side by side: one of a day must not hide that of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Over an hour at most.
    Short,
    /// Over 24 hours.
    Day,
}

impl Class {
    const fn of(window: usize) -> Self {
        if window < 3 { Self::Short } else { Self::Day }
    }
}

/// What is usual for an hour of a series whose past is `volumes`.
pub(crate) fn usual_hour(volumes: Option<&baseline::Volumes>, hour: u32) -> Usual {
    Usual::of(volumes, hour, 2, 0)
}

/// The volumes of all assets.
#[derive(Debug)]
pub(crate) struct Volumes {
    assets: Vec<[Option<Box<Track>>; 4]>,
    floor: u64,
    gaps: Gaps,
}

/// Hours of which it is not known what moved, the first and last of each gap.
#[derive(Debug, Default)]
struct Gaps(VecDeque<[u32; 2]>);

/// One series of one asset. In this order, what every note reads and writes (the habit's end to
/// `room`) lies together.
///
/// Conversations are told of every 10 s, all at once: what comes after the first of them is only added
/// up, while that cannot stand out yet, and the ring is told with the next 10 s.
#[derive(Debug, Default)]
#[repr(C)]
struct Track {
    habit: Habit,
    /// Bytes in all.
    total: u64,
    /// Which 10 s the last note was of, counted from the epoch.
    bucket: u64,
    /// Bytes of it that the ring was not told of.
    held: u64,
    /// So many more stay below the floor.
    room: u64,
    /// One of each class.
    spikes: [Option<Box<Going>>; 2],
    ring: Ring,
}

/// A spike that goes on, or the last that did.
#[derive(Debug)]
struct Going {
    spike: Spike,
    /// While it goes on: its window.
    running: Option<u8>,
}

impl Gaps {
    fn note(&mut self, from: Timestamp, to: Timestamp) {
        let hours = [from, to].map(|time| u32::try_from(time.as_secs() / 3600).unwrap_or(u32::MAX));
        match self.0.back_mut() {
            Some([_, last]) if *last >= hours[0] => *last = hours[1].max(*last),
            _ => {
                if self.0.len() >= GAPS {
                    self.0.pop_front();
                }
                self.0.push_back(hours);
            }
        }
    }

    fn has(&self, hour: u32) -> bool {
        // What is asked for is nearly always new.
        self.0.iter().rev().any(|[first, last]| (*first..=*last).contains(&hour))
    }
}

impl Volumes {
    /// `floor`: a spike is never smaller.
    pub(crate) fn new(floor: u64) -> Self {
        Self { assets: Vec::new(), floor, gaps: Gaps::default() }
    }

    /// `asset` received and sent so many bytes, with `peer` (a hash of its address) in the bucket of
    /// `time`.
    pub(crate) fn note(
        &mut self,
        asset: AssetId,
        scope: Scope,
        peer: u32,
        time: Timestamp,
        moved: [u64; 2],
    ) {
        self.grow(asset);
        let Self { assets, floor, gaps } = self;
        let Some(tracks) = assets.get_mut(asset.index()) else { return };
        let bucket = time.as_secs() / BUCKET;
        let mut note = |direction, bytes| {
            let track = tracks.get_mut(Series(scope, direction).index()).filter(|_| bytes > 0);
            let Some(track) = track else { return };
            let track = track.get_or_insert_with(Box::default);
            if !track.hold(bucket, peer, bytes) {
                track.note(*floor, gaps, peer, time, bytes);
            }
        };
        let [into, out] = moved;
        note(Direction::In, into);
        note(Direction::Out, out);
    }

    /// The latest spike of a series over an hour at most, when it was going on within `window` before
    /// `now`; else that over a day, while that goes on.
    pub(crate) fn recent_spike(
        &self,
        asset: AssetId,
        series: Series,
        now: Timestamp,
        window: Duration,
    ) -> Option<&Spike> {
        let track = self.assets.get(asset.index())?.get(series.index())?.as_ref()?;
        let spikes = track.spikes.iter().flatten().map(|going| &going.spike);
        spikes.into_iter().find(|spike| now.since(spike.last) <= window)
    }

    /// Nothing is known of what moved between two times.
    pub(crate) fn note_gap(&mut self, from: Timestamp, to: Timestamp) {
        self.gaps.note(from, to);
    }

    /// An alert about `asset` is open: what it moved since `since` teaches nothing.
    pub(crate) fn unlearn(&mut self, asset: AssetId, since: Timestamp) {
        let tracks = self.assets.get_mut(asset.index()).into_iter().flatten().flatten();
        tracks.for_each(|track| track.habit.unlearn(since.as_secs()));
    }

    /// Bytes an asset moved this way since the start, or since it was forgotten.
    pub(crate) fn total(&self, asset: AssetId, direction: Direction) -> u64 {
        let tracks = self.assets.get(asset.index());
        let of = |scope| tracks?.get(Series(scope, direction).index())?.as_ref();
        let tracks = [Scope::Internal, Scope::External].into_iter().filter_map(of);
        tracks.fold(0, |sum, track| sum.saturating_add(track.total))
    }

    /// From now on a spike is never smaller than `floor`.
    pub(crate) fn reconfigure(&mut self, floor: u64) {
        self.floor = floor;
        self.assets.iter_mut().flatten().flatten().for_each(|track| track.room = 0);
    }

    /// Forgets one asset's volumes; whether there were any.
    pub(crate) fn forget(&mut self, asset: AssetId) -> bool {
        let Some(tracks) = self.assets.get_mut(asset.index()) else { return false };
        std::mem::take(tracks).iter().any(Option::is_some)
    }

    /// Fills in what lasts of one asset's volumes.
    pub(crate) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        baseline.volumes.clear();
        let Some(tracks) = self.assets.get(asset.index()) else { return };
        for (series, track) in Series::ALL.iter().zip(tracks) {
            if let Some(volumes) = track.as_ref().and_then(|track| track.habit.saved()) {
                baseline.volumes.insert(series.name().to_owned(), volumes);
            }
        }
    }

    /// Takes over what lasted of one asset's volumes.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.grow(asset);
        let Some(tracks) = self.assets.get_mut(asset.index()) else { return };
        for (series, track) in Series::ALL.iter().zip(tracks) {
            if let Some(volumes) = baseline.volumes.get(series.name()) {
                let track = track.get_or_insert_default();
                track.habit = Habit::restored(volumes);
                track.room = 0;
            }
        }
    }

    fn grow(&mut self, asset: AssetId) {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Default::default);
        }
    }
}

impl Track {
    /// Holds back what moved in the bucket of the last note, where that cannot stand out yet.
    fn hold(&mut self, bucket: u64, peer: u32, bytes: u64) -> bool {
        let is_held = bucket == self.bucket && bytes <= self.room;
        if is_held {
            self.total = self.total.saturating_add(bytes);
            self.habit.vote(peer, bytes);
            self.held += bytes;
            self.room -= bytes;
        }
        is_held
    }

    /// Tells the ring, and looks for what stands out.
    fn note(&mut self, floor: u64, gaps: &Gaps, peer: u32, time: Timestamp, bytes: u64) {
        self.total = self.total.saturating_add(bytes);
        self.settle();
        self.bucket = time.as_secs() / BUCKET;
        self.habit.turn(time.as_secs() / 3600, |hour| !gaps.has(hour));
        self.habit.vote(peer, bytes);
        self.ring.add(time.as_secs(), bytes);
        let sums = self.ring.sums();
        self.habit.note(sums);
        // The sums only grow with their window: nothing stands out below the floor.
        self.room = floor.saturating_sub(sums[3]).saturating_sub(ROUNDED);
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

    /// Tells the ring what it was not told of.
    fn settle(&mut self) {
        if self.held > 0 {
            self.ring.add(self.bucket * BUCKET, std::mem::take(&mut self.held));
            self.habit.note(self.ring.sums());
        }
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

#[cfg(test)]
mod tests;
