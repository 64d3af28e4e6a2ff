//! How much each asset moves, and when that is more than usual.
//!
//! Per asset, direction and scope a ring of 10 s buckets, its sums over 1, 10 and 30 minutes, and
//! the largest of each in every half hour of the last 14 days that moved anything worth a look. A
//! spike is a sum above what those half hours make likely, above what the same peer moved at the
//! same time of day before (a nightly backup), and above a floor in bytes.
//!
//! Bounds an asset and series: a ring of 720 bytes, up to 672 half hours of 16 bytes.

use std::time::Duration;

use crate::baseline::AssetBaseline;
use crate::inventory::AssetId;
use crate::time::Timestamp;
use habit::{Habit, Usual};
use ring::Ring;

mod habit;
mod ring;

/// Length of a bucket in seconds.
const BUCKET: u64 = 10;
/// The windows looked at, in buckets: 1, 10 and 30 minutes.
pub(crate) const WINDOWS: [u64; 3] = [6, 60, 180];

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
    /// Robust standard deviations of the logarithm above what is usual.
    pub(crate) score: f64,
    /// 1 when nothing like it went on at this time of day with the same peer, 0.5 when it did once.
    pub(crate) novelty: f64,
}

/// The volumes of all assets.
#[derive(Debug)]
pub(crate) struct Volumes {
    assets: Vec<[Option<Box<Track>>; 4]>,
    floor: u64,
}

/// One series of one asset. In this order, what every note reads and writes (the habit's end to
/// the ring's begin) lies in 104 bytes.
#[derive(Debug, Default)]
#[repr(C)]
struct Track {
    habit: Habit,
    /// Bytes in all.
    total: u64,
    spike: Option<Box<Spike>>,
    /// While the spike goes on: its window, and what is usual for that.
    running: Option<Box<(usize, Usual)>>,
    ring: Ring,
}

impl Volumes {
    /// `floor`: a spike is never smaller.
    pub(crate) const fn new(floor: u64) -> Self {
        Self { assets: Vec::new(), floor }
    }

    /// `asset` moved `bytes` with `peer` (a hash of its address) in the bucket of `time`.
    pub(crate) fn note(
        &mut self,
        asset: AssetId,
        series: Series,
        peer: u32,
        time: Timestamp,
        bytes: u64,
    ) {
        if bytes == 0 {
            return;
        }
        let floor = self.floor;
        if let Some(track) = self.track(asset, series) {
            track.get_or_insert_default().note(floor, peer, time, bytes);
        }
    }

    /// The latest spike of a series, when it was going on within `window` before `now`.
    pub(crate) fn recent_spike(
        &self,
        asset: AssetId,
        series: Series,
        now: Timestamp,
        window: Duration,
    ) -> Option<&Spike> {
        let track = self.assets.get(asset.index())?.get(series.index())?.as_ref()?;
        track.spike.as_deref().filter(|spike| now.since(spike.last) <= window)
    }

    /// Bytes an asset moved this way since the start, or since it was forgotten.
    pub(crate) fn total(&self, asset: AssetId, direction: Direction) -> u64 {
        let tracks = self.assets.get(asset.index());
        let of = |scope| tracks?.get(Series(scope, direction).index())?.as_ref();
        let tracks = [Scope::Internal, Scope::External].into_iter().filter_map(of);
        tracks.fold(0, |sum, track| sum.saturating_add(track.total))
    }

    /// From now on a spike is never smaller than `floor`.
    pub(crate) const fn reconfigure(&mut self, floor: u64) {
        self.floor = floor;
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
            if let Some(track) = track {
                baseline.volumes.insert(series.name().to_owned(), track.habit.saved());
            }
        }
    }

    /// Takes over what lasted of one asset's volumes.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        for series in Series::ALL {
            let Some(half_hours) = baseline.volumes.get(series.name()) else { continue };
            if let Some(track) = self.track(asset, series) {
                track.get_or_insert_default().habit = Habit::restored(half_hours);
            }
        }
    }

    fn track(&mut self, asset: AssetId, series: Series) -> Option<&mut Option<Box<Track>>> {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Default::default);
        }
        self.assets.get_mut(asset.index())?.get_mut(series.index())
    }
}

impl Track {
    fn note(&mut self, floor: u64, peer: u32, time: Timestamp, bytes: u64) {
        self.total = self.total.saturating_add(bytes);
        let bucket = time.as_secs() / BUCKET;
        if self.habit.turn(bucket / WINDOWS[2])
            && let Some((window, usual)) = self.running.as_deref_mut()
        {
            *usual = self.habit.usual(*window, floor);
        }
        self.ring.add(bucket, bytes);
        let sums = self.ring.sums();
        self.habit.note(peer, bytes, sums);
        let running = self.running.as_deref();
        let running = running.and_then(|(window, usual)| Some((*usual, *sums.get(*window)?)));
        match (running, &mut self.spike) {
            // A spike ends below half of what makes one.
            (Some((usual, sum)), Some(spike)) if sum >= usual.limit / 2 => {
                spike.bytes = spike.bytes.saturating_add(bytes);
                spike.last = spike.last.max(time);
                spike.score = spike.score.max(usual.score(sum));
                spike.novelty = spike.novelty.max(usual.novelty(sum));
            }
            _ => {
                self.running = None;
                // The sums only grow with their window: nothing stands out below the floor.
                if sums[2] >= floor {
                    self.look(floor, sums, time);
                }
            }
        }
    }

    /// Whether one of the sums is a spike; the longest first, which holds the most of it.
    fn look(&mut self, floor: u64, sums: [u64; 3], time: Timestamp) {
        for (window, (sum, buckets)) in sums.into_iter().zip(WINDOWS).enumerate().rev() {
            let usual = self.habit.usual(window, floor);
            let novelty = usual.novelty(sum);
            if sum < usual.limit || novelty == 0.0 {
                continue;
            }
            let onset = self.ring.onset(buckets).max(self.after_last());
            self.spike = Some(Box::new(Spike {
                onset: Timestamp::from_parts(onset * BUCKET, 0),
                last: time,
                window: buckets * BUCKET,
                bytes: sum,
                expected: usual.expected,
                score: usual.score(sum),
                novelty,
            }));
            self.running = Some(Box::new((window, usual)));
            return;
        }
    }

    /// The first bucket that no earlier spike has counted.
    fn after_last(&self) -> u64 {
        self.spike.as_ref().map_or(0, |spike| spike.last.as_secs() / BUCKET + 1)
    }
}

#[cfg(test)]
mod tests;
