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
pub use chart::{Chart, Hour, Past};
pub(crate) use habit::Usual;
use track::{At, Track};

mod chart;
mod habit;
mod ring;
mod track;

/// The windows looked at, in seconds.
pub(crate) const WINDOWS: [u64; 4] = [60, 600, 3600, 86_400];
/// Gaps that are known.
const GAPS: usize = 256;

/// Which way, seen from the asset; also its place in a scope's tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    In,
    Out,
}

/// The other side; also its place in an asset's tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Internal,
    External,
}

/// One of an asset's four sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Series(pub(crate) Scope, pub(crate) Direction);

impl Series {
    /// In the order of an asset's tracks.
    const ALL: [Self; 4] = [
        Self(Scope::Internal, Direction::In),
        Self(Scope::Internal, Direction::Out),
        Self(Scope::External, Direction::In),
        Self(Scope::External, Direction::Out),
    ];

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
    assets: Vec<Tracks>,
    /// Of whom any series ever had a spike: nearly none had, and those need not be looked at.
    spiked: Vec<bool>,
    floor: u64,
    gaps: Gaps,
}

/// Those of one asset, by scope and direction. What moves one way is answered the other way.
type Tracks = [Option<Box<[Track; 2]>>; 2];

/// Hours of which it is not known what moved, the first and last of each gap.
#[derive(Debug, Default)]
struct Gaps(VecDeque<[u32; 2]>);

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
        Self { assets: Vec::new(), spiked: Vec::new(), floor, gaps: Gaps::default() }
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
        let Self { assets, spiked, floor, gaps } = self;
        let Some(place) = assets.get_mut(asset.index()).and_then(|of| of.get_mut(scope as usize))
        else {
            return;
        };
        let [into, out] = &mut **place.get_or_insert_with(|| Track::pair(*floor));
        let ([received, sent], at) = (moved, At::new(time, *floor, gaps));
        let stands_out = [into.note(at, peer, received), out.note(at, peer, sent)];
        if stands_out.contains(&true)
            && let Some(spiked) = spiked.get_mut(asset.index())
        {
            *spiked = true;
        }
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
        let track = self.spiked.get(asset.index())?.then(|| self.track(asset, series))??;
        track.spikes().find(|spike| now.since(spike.last) <= window)
    }

    /// Nothing is known of what moved between two times.
    pub(crate) fn note_gap(&mut self, from: Timestamp, to: Timestamp) {
        self.gaps.note(from, to);
    }

    /// An alert about `asset` is open: what it moved since `since` teaches nothing.
    pub(crate) fn unlearn(&mut self, asset: AssetId, since: Timestamp) {
        let tracks = self.assets.get_mut(asset.index()).into_iter().flat_map(all_of);
        tracks.for_each(|track| track.unlearn(since.as_secs()));
    }

    /// Bytes an asset moved this way since the start, or since it was forgotten.
    pub(crate) fn total(&self, asset: AssetId, direction: Direction) -> u64 {
        let of = |scope| self.total_of(asset, Series(scope, direction));
        of(Scope::Internal).saturating_add(of(Scope::External))
    }

    /// Likewise, of one series.
    pub(crate) fn total_of(&self, asset: AssetId, series: Series) -> u64 {
        self.track(asset, series).map_or(0, Track::total)
    }

    /// A spike is never smaller.
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }

    /// From now on a spike is never smaller than `floor`.
    pub(crate) fn reconfigure(&mut self, floor: u64) {
        self.floor = floor;
        self.assets.iter_mut().flat_map(all_of).for_each(Track::look_again);
    }

    /// Forgets one asset's volumes; whether there were any.
    pub(crate) fn forget(&mut self, asset: AssetId) -> bool {
        let Some(tracks) = self.assets.get_mut(asset.index()) else { return false };
        std::mem::take(tracks).iter().any(Option::is_some)
    }

    /// Fills in what lasts of one asset's volumes.
    pub(crate) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        baseline.volumes.clear();
        for series in Series::ALL {
            if let Some(volumes) = self.track(asset, series).and_then(Track::saved) {
                baseline.volumes.insert(series.name().to_owned(), volumes);
            }
        }
    }

    /// Takes over what lasted of one asset's volumes.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.grow(asset);
        for series @ Series(scope, direction) in Series::ALL {
            let place =
                self.assets.get_mut(asset.index()).and_then(|of| of.get_mut(scope as usize));
            let (Some(place), Some(kept)) = (place, baseline.volumes.get(series.name())) else {
                continue;
            };
            if let Some(track) = place.get_or_insert_default().get_mut(direction as usize) {
                track.restore(kept);
            }
        }
    }

    /// Goes on from what is known of one asset's volumes by now, here and elsewhere.
    pub(crate) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.grow(asset);
        let Self { assets, floor, .. } = self;
        let Some(scopes) = assets.get_mut(asset.index()) else { return };
        for series @ Series(scope, direction) in Series::ALL {
            let known = baseline.volumes.get(series.name());
            let (Some(place), Some(known)) = (scopes.get_mut(scope as usize), known) else {
                continue;
            };
            let both = place.get_or_insert_with(|| Track::pair(*floor));
            if let Some(track) = both.get_mut(direction as usize) {
                track.adopt(known, *floor);
            }
        }
    }

    fn track(&self, asset: AssetId, Series(scope, direction): Series) -> Option<&Track> {
        self.assets.get(asset.index())?.get(scope as usize)?.as_ref()?.get(direction as usize)
    }

    fn grow(&mut self, asset: AssetId) {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Default::default);
            self.spiked.resize(asset.index() + 1, false);
        }
    }
}

fn all_of(tracks: &mut Tracks) -> impl Iterator<Item = &mut Track> {
    tracks.iter_mut().flatten().flat_map(|both| both.iter_mut())
}

#[cfg(test)]
mod tests;
