//! How volumes are written, and what earlier versions wrote.

use serde::{Deserialize, Serialize};

use super::size::{Hour, Size};
use super::{HOURS, JOBS, Job, Told, Volumes};

/// How it is written: as now, or as versions before wrote it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Kept {
    Hours {
        next: u32,
        /// Three numbers an hour, the oldest first, up to `next`; none before the first that is known.
        hours: Vec<[u8; 3]>,
        days: Vec<u8>,
        /// Hour, peer, and three sizes.
        jobs: Vec<(u32, u32, [u8; 3])>,
    },
    HalfHours(Vec<HalfHour>),
}

/// The largest sums over 1, 10 and 30 minutes in a half hour, in 1/256 of the natural logarithm.
#[derive(Serialize, Deserialize)]
pub(super) struct HalfHour {
    index: u32,
    largest: [u16; 3],
    peer: u32,
}

impl From<Volumes> for Kept {
    fn from(known: Volumes) -> Self {
        let first = known.next.saturating_sub(HOURS as u32);
        let hours = (first..known.next)
            .map(|at| known.hour(at).unwrap_or_default())
            .skip_while(|hour| *hour == Hour::default());
        let jobs =
            known.jobs.iter().map(|job| (job.hour, job.peer, job.largest.map(|size| size.0)));
        Self::Hours {
            next: known.next,
            hours: hours.map(|hour| hour.map(|size| size.0)).collect(),
            days: known.days.iter().map(|day| day.0).collect(),
            jobs: jobs.collect(),
        }
    }
}

impl From<Kept> for Volumes {
    fn from(kept: Kept) -> Self {
        let mut volumes = Self::default();
        match kept {
            Kept::Hours { next, hours, days, jobs } => {
                volumes.next = next;
                for (at, hour) in (0..next).rev().zip(hours.into_iter().rev()).take(HOURS) {
                    volumes.set(at, hour.map(Size));
                }
                for (slot, day) in volumes.days.iter_mut().zip(days) {
                    *slot = Size(day);
                }
                let of = |(hour, peer, largest): (_, _, [u8; 3])| Job {
                    hour,
                    peer,
                    largest: largest.map(Size),
                };
                volumes.jobs = jobs.into_iter().take(JOBS).map(of).collect();
            }
            Kept::HalfHours(mut halves) => {
                // They came without what was idle: between them nothing is known.
                halves.sort_by_key(|half| half.index);
                for both in halves.chunk_by(|one, other| one.index / 2 == other.index / 2) {
                    volumes.take_over(both);
                }
            }
        }
        volumes
    }
}

impl Volumes {
    /// Takes over the half hours of one hour.
    fn take_over(&mut self, halves: &[HalfHour]) {
        let Some(first) = halves.first() else { return };
        let bytes = |code: u16| (f64::from(code) / 256.0).exp() as u64;
        let mut largest = [0u64; 4];
        for half in halves {
            let [minute, ten_minutes, half_hour] = half.largest.map(bytes);
            let [of_minute, of_ten, of_hour, _] = largest;
            let hour = of_hour.saturating_add(half_hour);
            largest = [of_minute.max(minute), of_ten.max(ten_minutes), hour, hour];
        }
        let hour = first.index / 2;
        self.skip_to(hour, |_| false);
        self.tell(hour, Told { largest, peer: Some(first.peer), spoiled: false });
    }
}
