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
        self.put(day, Rounded::of(u64::from(kib)), tainted);
    }

    /// The same of what [`Self::on`] said.
    pub(super) fn put(&mut self, day: u32, kib: Rounded, tainted: bool) {
        let slot = slot(day, 0);
        if let Some(out) = self.out.get_mut(slot) {
            *out = kib;
            self.tainted = self.tainted & !(1 << slot) | u32::from(tainted) << slot;
        }
    }

    /// What left on a day that is kept, and whether an alert was open.
    pub(super) fn on(&self, day: u32) -> (Rounded, bool) {
        let slot = slot(day, 0);
        (self.out.get(slot).copied().unwrap_or_default(), self.tainted >> slot & 1 != 0)
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
    #[serde(default)]
    tainted: u32,
    /// What versions before wrote in its place: the same as `out` without the days on which an alert was
    /// open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usual: Option<[u32; DAYS]>,
}

impl From<Earlier> for Kept {
    fn from(earlier: Earlier) -> Self {
        Self { out: earlier.out.map(kib), tainted: earlier.tainted, usual: None }
    }
}

impl From<Kept> for Earlier {
    fn from(kept: Kept) -> Self {
        let mut earlier = Self::default();
        let usual = kept.usual.unwrap_or(kept.out);
        for (slot, (out, usual)) in (0..).zip(kept.out.into_iter().zip(usual)) {
            let tainted = usual < out || kept.tainted >> slot & 1 != 0;
            earlier.set(slot, out, tainted);
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

    #[test]
    fn what_earlier_versions_kept_is_read() {
        let (mut out, mut usual) = ([0; DAYS], [0; DAYS]);
        (out[3], usual[3], out[4]) = (1000, 1000, 3000);
        let text = serde_json::json!({ "out": out, "usual": usual }).to_string();
        let read: Earlier = serde_json::from_str(&text).unwrap();
        assert_eq!((read.on(3).1, read.on(4).1, read.largest()), (false, true, 1000));
    }
}
