//! What left for a place on earlier days.

use serde::{Deserialize, Serialize};

use crate::baseline::Rounded;

/// Days of history that are kept.
pub(super) const DAYS: usize = 30;

/// Days before today, a ring by day number: 64 bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(super) struct Earlier {
    /// KiB that left, alerts or not.
    out: [Rounded; DAYS],
    /// The days on which an alert was open, a bit each.
    tainted: u32,
}

impl Earlier {
    /// So many KiB left on a day; `tainted`: an alert was open.
    pub(super) fn set(&mut self, day: u32, kib: u32, tainted: bool) {
        let slot = slot(day, 0);
        if let Some(out) = self.out.get_mut(slot) {
            *out = Rounded::of(u64::from(kib));
            self.tainted = self.tainted & !(1 << slot) | u32::from(tainted && kib > 0) << slot;
        }
    }

    /// Bytes that left on the day `back` days before `day`.
    pub(super) fn out(&self, day: u32, back: usize) -> u64 {
        self.out.get(slot(day, back)).map_or(0, |kib| kib.get() << 10)
    }

    /// KiB that left on the largest day without an alert.
    pub(super) fn largest(&self) -> u32 {
        // Nearly always nothing is tainted, and every hello asks.
        let largest = match self.tainted {
            0 => self.out.iter().copied().max(),
            _ => self.usual().max(),
        };
        kib(largest.unwrap_or_default())
    }

    /// The days as they are usual: nothing on those with an alert.
    fn usual(&self) -> impl Iterator<Item = Rounded> {
        let days = self.out.iter().enumerate();
        days.map(
            |(slot, kib)| if self.tainted >> slot & 1 == 0 { *kib } else { Rounded::default() },
        )
    }
}

/// Where the day `back` days before `day` stands in a ring.
fn slot(day: u32, back: usize) -> usize {
    (day as usize).wrapping_sub(back) % DAYS
}

fn kib(rounded: Rounded) -> u32 {
    u32::try_from(rounded.get()).unwrap_or(u32::MAX)
}

/// How it is written, in KiB.
#[derive(Serialize, Deserialize)]
struct Kept {
    out: [u32; DAYS],
    /// The same without the days on which an alert was open.
    usual: [u32; DAYS],
}

impl From<Earlier> for Kept {
    fn from(earlier: Earlier) -> Self {
        let mut usual = [0; DAYS];
        for (kept, left) in usual.iter_mut().zip(earlier.usual()) {
            *kept = kib(left);
        }
        Self { out: earlier.out.map(kib), usual }
    }
}

impl From<Kept> for Earlier {
    fn from(kept: Kept) -> Self {
        let mut earlier = Self::default();
        for (slot, (out, usual)) in (0..).zip(kept.out.into_iter().zip(kept.usual)) {
            earlier.set(slot, out, usual < out);
        }
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let mut earlier = Earlier::default();
        for day in 0..40 {
            earlier.set(day, day * 100_003, day % 5 == 0);
        }
        let text = serde_json::to_string(&earlier).unwrap();
        assert_eq!(serde_json::from_str::<Earlier>(&text).unwrap(), earlier);
        assert_eq!(earlier.largest(), kib(Rounded::of(39 * 100_003)));
    }
}
