//! Guests whose hours follow from the hours before: volumes wander for half a day instead of jumping
//! about a mean (an AR(1) process in log space, ρ = 0.95).

use super::{note, some};
use crate::rng::Rng;
use crate::scenario::calendar::HOUR;
use crate::scenario::scene::Scene;

const RHO: f64 = 0.95;
/// Hours until nothing of an hour is left.
const MEMORY: u64 = 72;
/// Spread of the natural logarithm.
const SPREAD: f64 = 0.6;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for guest in some(scene, 0.3, rng) {
        let mut first = rng.stream(&guest.name);
        let seed = first.next();
        let midnight = scene.today().start / HOUR;
        scene.multiply_levels(&guest, |hour| level(seed, midnight + hour));
        note(scene, "autocorrelation", &guest, scene.start());
    }
}

/// What an hour's volumes are multiplied with. Any hour can be asked for without those before.
fn level(seed: u64, hour: u64) -> f64 {
    let mut sum = 0.0;
    for age in 0..MEMORY {
        let shock = Rng::new(seed ^ (hour - age)).lognormal(1.0, 1.0).ln();
        sum += shock * RHO.powi(age as i32);
    }
    // As a multiple of a thousandth: the last bits of logarithms differ between machines.
    ((sum * SPREAD * (1.0 - RHO * RHO).sqrt()).exp() * 1000.0).round() / 1000.0
}
