//! What mirrors do to packets: some are lost, some come twice, and of some guests only one direction.

use std::collections::BTreeSet;

use crate::rng::Rng;
use crate::scenario::calendar::{DAY, HOUR};
use crate::scenario::scene::Scene;

/// Share of all frames that is lost, and more in a busy hour of each day.
const LOST: f64 = 0.001;
const LOST_WHEN_BUSY: f64 = 0.01;

/// A mirror that lies.
pub(in crate::scenario) struct Faults {
    rng: Rng,
    busy_hour: u64,
    /// When both ports of a path are mirrored.
    doubled: std::ops::Range<u64>,
    /// When what is sent to some guests is not mirrored, and to which.
    one_sided: std::ops::Range<u64>,
    unseen: BTreeSet<[u8; 6]>,
}

impl Faults {
    /// Of an estate that is harsh.
    pub(in crate::scenario) fn of(scene: &Scene<'_>) -> Option<Self> {
        if !scene.plan.harsh {
            return None;
        }
        let mut rng = scene.rng("harsh faults");
        let [doubled, one_sided] = [4, 12].map(|hours| {
            let begins = super::day(scene, &mut rng) + rng.range(6, 12) * HOUR;
            begins..begins + hours * HOUR
        });
        let unseen = super::some(scene, 0.02, &mut rng).iter().map(|guest| guest.mac).collect();
        Some(Self { busy_hour: rng.range(9, 16), doubled, one_sided, unseen, rng })
    }

    /// Whether what is sent to a guest at that time is not mirrored at all.
    pub(in crate::scenario) fn hide(&self, to: [u8; 6], time: u64) -> bool {
        self.one_sided.contains(&time) && self.unseen.contains(&to)
    }

    /// How often a frame is seen.
    pub(in crate::scenario) fn seen(&mut self, time: u64, frame: &[u8]) -> u8 {
        let is_busy = time % DAY / HOUR == self.busy_hour;
        if self.rng.chance(if is_busy { LOST_WHEN_BUSY } else { LOST }) {
            return 0;
        }
        match frame.first_chunk().is_some_and(|to| self.hide(*to, time)) {
            true => 0,
            false => 1 + u8::from(self.doubled.contains(&time)),
        }
    }
}
