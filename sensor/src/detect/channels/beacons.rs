//! Conversations with one place outside that begin at fixed intervals.
//!
//! Bounds an asset: [`PLACES`] places of 28 bytes, by the hash of address and port; one that is no
//! beacon gives way to the next that comes there.

use std::time::Duration;

use super::finding::{Finding, Look, hashed};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::detect::domain::network;
use crate::event::Volume;
use crate::time::{Elapsed, Timestamp};

/// A beacon.
pub(super) const BEACON: Detector = Detector {
    name: "beacon",
    title: "Conversations at fixed intervals",
    detects: "an asset opens conversations with one address and port outside at fixed intervals, most of \
              them of the same size",
    techniques: &["T1071.001", "T1029"],
    most: Severity::Low,
    prior: (-2.5, "agents, updates and monitoring ask at fixed intervals, too"),
    reads: &[Reads::Flows],
    bound: "24 intervals in a row of 10 s to 6 h that differ by an eighth at most (one in eight may), over \
            2 h at least; ports 53, 123 and 853 are left out",
    learns: Learns::Usual,
};

const PLACES: usize = 32;
const RUN: u16 = 24;
const SPAN: Duration = Duration::from_secs(2 * 3600);
const SHORTEST: u32 = 10;
const LONGEST: u32 = 6 * 3600;
/// Most of the conversations have the same size.
const SAME_SIZE: f64 = 0.8;
/// What the same size adds.
const FIXED_SIZE: f64 = 1.0;

/// The places of one asset.
#[derive(Debug, Default)]
pub(super) struct Beacons {
    places: [Rhythm; PLACES],
}

/// When conversations with one place began.
#[derive(Debug, Clone, Copy, Default)]
struct Rhythm {
    tag: u32,
    /// In seconds since the epoch.
    first: u32,
    last: u32,
    /// The interval.
    gap: u32,
    /// Intervals that were like it, and those that were not.
    run: u16,
    misses: u16,
    /// Bytes out of the first, and how many had as many.
    size: u32,
    same: u16,
    /// How many intervals were told of.
    told: u16,
}

/// Ports that are asked at fixed intervals by all, or that other channels are for.
pub(super) const fn is_left_out(port: u16) -> bool {
    matches!(port, 53 | 123 | 853)
}

impl Beacons {
    /// A conversation of the asset with the outside began and moved this so far.
    pub(super) fn begins(&mut self, look: &Look<'_>, volume: &Volume) -> Option<Finding> {
        let (asset, flow) = (look.ends.client?, look.flow);
        let hash = hashed((flow.server.address, flow.server.port));
        let place = self.places.get_mut(hash as usize % PLACES)?;
        let now = u32::try_from(flow.opened.as_secs()).unwrap_or(u32::MAX);
        let size = u32::try_from(volume.to_server.bytes).unwrap_or(u32::MAX);
        let tag = (hash >> 32) as u32;
        if place.tag != tag {
            // One with a rhythm stays while that may go on.
            let is_alive = place.run >= 4 && now.saturating_sub(place.last) < 4 * place.gap;
            if !is_alive {
                *place = Rhythm::begin(tag, now, size);
            }
            return None;
        }
        if !place.add(now, size) {
            return None;
        }
        let (run, gap) = (place.run, place.gap);
        let since = Timestamp::from_parts(u64::from(place.first), 0);
        let same = f64::from(place.same) / f64::from(run + 1);
        let to = &flow.server;
        let every = Elapsed(Duration::from_secs(u64::from(gap)));
        let mut what =
            format!("opened a conversation with {} on port {} every {every}", to.address, to.port);
        let mut found = Finding::new(
            &BEACON,
            asset,
            since,
            ("intervals alike", f64::from(run), f64::from(RUN)),
        );
        found.weight = if same >= SAME_SIZE { FIXED_SIZE } else { 0.0 };
        if same >= SAME_SIZE {
            what += ", nearly all of the same size";
        }
        Some(found.about(format!("{} {}", network(to.address), to.port), what).at(look, None))
    }
}

impl Rhythm {
    fn begin(tag: u32, now: u32, size: u32) -> Self {
        Self { tag, first: now, last: now, size, same: 1, ..Self::default() }
    }

    /// Another conversation; whether there is something to tell now.
    fn add(&mut self, now: u32, size: u32) -> bool {
        let gap = now.saturating_sub(self.last);
        if gap < SHORTEST {
            // Several at once are one.
            return false;
        }
        self.last = now;
        let is_new = self.gap == 0 || gap > LONGEST;
        let is_alike = gap.abs_diff(self.gap) <= self.gap / 8 + 1;
        if is_new || (!is_alike && self.misses > self.run / 8) {
            let gap = if gap > LONGEST { 0 } else { gap };
            let first = if gap == 0 { now } else { now - gap };
            *self = Self {
                first,
                last: now,
                gap,
                run: u16::from(gap > 0),
                ..Self::begin(self.tag, now, size)
            };
            return false;
        }
        if !is_alike {
            self.misses += 1;
            return false;
        }
        self.run = self.run.saturating_add(1);
        let is_same = size.abs_diff(self.size) <= self.size / 16 + 32;
        self.same = self.same.saturating_add(u16::from(is_same));
        let spans = u64::from(now.saturating_sub(self.first)) >= SPAN.as_secs();
        let is_told = self.told > 0 && self.run < self.told.saturating_mul(4);
        if self.run < RUN || !spans || is_told {
            return false;
        }
        self.told = self.run;
        true
    }
}

#[cfg(test)]
mod tests;
