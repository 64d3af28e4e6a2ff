//! Log lines that come late or never, as they do over UDP.

use crate::rng::Rng;
use crate::scenario::calendar::SECOND;
use crate::scenario::scene::Scene;

/// Share of the lines that is late, and that is lost.
const LATE: f64 = 0.05;
const LOST: f64 = 0.005;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    scene.journal.deliver(|| {
        if rng.chance(LOST) {
            return None;
        }
        let is_late = rng.chance(LATE);
        Some(if is_late { rng.range(SECOND, 60 * SECOND) } else { 0 })
    });
}
