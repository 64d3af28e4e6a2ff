//! How volumes are written, and what earlier versions wrote.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::size::{Hour, Shorter, Size};
use super::{HOURS, JOBS, Job, Told, Volumes};

/// How it is written: as now, or as versions before wrote it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Kept {
    /// Numbers as bytes in base64, a quarter of what they are as text.
    Packed {
        next: u32,
        /// The largest sum over 1 h of each hour, the oldest first, up to `next`; none before the first
        /// that is known.
        hours: String,
        /// Those over 10 min and 1 min, of the same hours; empty where they were all the same.
        shorter: String,
        days: String,
        /// Hour, peer, and three sizes.
        jobs: Vec<(u32, u32, [u8; 3])>,
    },
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
        let hours: Vec<Hour> = (first..known.next)
            .map(|at| known.hour(at).unwrap_or_default())
            .skip_while(|hour| *hour == Hour::default())
            .collect();
        let shorter: Vec<u8> = hours.iter().map(|hour| Shorter::of(*hour).0).collect();
        let are_all_the_same = shorter.iter().all(|code| *code == 0);
        let jobs =
            known.jobs.iter().map(|job| (job.hour, job.peer, job.largest.map(|size| size.0)));
        Self::Packed {
            next: known.next,
            hours: STANDARD.encode(hours.iter().map(|[.., hour]| hour.0).collect::<Vec<u8>>()),
            shorter: if are_all_the_same { String::new() } else { STANDARD.encode(shorter) },
            days: STANDARD.encode(known.days.map(|day| day.0)),
            jobs: jobs.collect(),
        }
    }
}

impl From<Kept> for Volumes {
    fn from(kept: Kept) -> Self {
        let mut volumes = Self::default();
        match kept {
            Kept::Packed { next, hours, shorter, days, jobs } => {
                // What cannot be read is not known.
                let bytes = |text: String| STANDARD.decode(text).unwrap_or_default();
                let (hours, shorter) = (bytes(hours), bytes(shorter));
                let shorter = |at| Shorter(shorter.get(at).copied().unwrap_or(0));
                let hour = |(at, hour): (usize, u8)| shorter(at).hour(Size(hour));
                let hours = hours.into_iter().enumerate().map(hour).collect();
                volumes.take_hours(next, hours, bytes(days), jobs);
            }
            Kept::Hours { next, hours, days, jobs } => {
                let hours = hours.into_iter().map(|hour| hour.map(Size)).collect();
                volumes.take_hours(next, hours, days, jobs);
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
    /// Takes over hours up to `next`, days, and hours with a peer.
    fn take_hours(
        &mut self,
        next: u32,
        hours: Vec<Hour>,
        days: Vec<u8>,
        jobs: Vec<(u32, u32, [u8; 3])>,
    ) {
        self.next = next;
        for (at, hour) in (0..next).rev().zip(hours.into_iter().rev()).take(HOURS) {
            self.set(at, hour);
        }
        for (slot, day) in self.days.iter_mut().zip(days) {
            *slot = Size(day);
        }
        let of = |(hour, peer, largest): (_, _, [u8; 3])| {
            let largest = largest.map(Size);
            Job { hour, peer, largest }
        };
        self.jobs = jobs.into_iter().take(JOBS).map(of).collect();
    }

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
