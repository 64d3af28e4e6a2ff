//! Which wrapped packet was seen bare, too, whichever came first.

use std::time::Duration;

use super::pairs::Place;
use crate::decode::duplicates::{APART, MOMENTS};
use crate::time::Timestamp;

/// Packets that are remembered: a power of two. What came in between hides some copies.
const PLACES: usize = 1 << 14;

/// The wrapped packets of the last moments, by the hash of what is inside. Takes 512 KiB from the first
/// one on.
#[derive(Default)]
pub(super) struct Copies {
    seen: Box<[Option<Wrapped>]>,
}

/// One of them.
#[derive(Clone, Copy)]
struct Wrapped {
    hash: u32,
    time: Timestamp,
    place: Place,
    /// It was seen bare, too.
    copied: bool,
}

impl Copies {
    /// Whether a packet that was seen before was seen bare, and not only in another tunnel.
    pub(super) fn is_of_bare(&mut self, hash: u64, time: Timestamp) -> bool {
        self.find(hash, time, MOMENTS).is_none_or(|wrapped| wrapped.copied)
    }

    /// Remembers a packet of a pair.
    pub(super) fn wrapped(&mut self, hash: u64, time: Timestamp, place: Place, copied: bool) {
        if self.seen.is_empty() {
            self.seen = vec![None; PLACES].into_boxed_slice();
        }
        if let Some(seen) = self.seen.get_mut(hash as usize % PLACES) {
            *seen = Some(Wrapped { hash: (hash >> 32) as u32, time, place, copied });
        }
    }

    /// The pair in which a packet came that is now seen bare, the first time that it is.
    pub(super) fn bare(&mut self, hash: u64, time: Timestamp) -> Option<Place> {
        let wrapped = self.find(hash, time, APART).filter(|wrapped| !wrapped.copied)?;
        wrapped.copied = true;
        Some(wrapped.place)
    }

    fn find(&mut self, hash: u64, time: Timestamp, within: Duration) -> Option<&mut Wrapped> {
        let wrapped = self.seen.get_mut(hash as usize % PLACES)?.as_mut()?;
        let apart = wrapped.time.max(time).since(wrapped.time.min(time));
        (wrapped.hash == (hash >> 32) as u32 && apart <= within).then_some(wrapped)
    }
}
