//! Guests that carry two to five times as much, or a third, from some day on: a new application, a move of
//! users.

use super::{day, note, some};
use crate::rng::Rng;
use crate::scenario::scene::Scene;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for guest in some(scene, 0.1, rng) {
        let begins = day(scene, rng);
        let factor = if rng.chance(0.7) { rng.range(2, 5) as f64 } else { 1.0 / 3.0 };
        if begins <= scene.today().start {
            scene.multiply_levels(&guest, |_| factor);
        }
        note(scene, "level_shift", &guest, begins);
    }
}
