//! More guests that share files with strangers, some of them only after the time of learning.

use super::{day, some};
use crate::rng::Rng;
use crate::scenario::benign::peers;
use crate::scenario::scene::Scene;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for guest in some(scene, 0.01, rng) {
        let begins = if rng.chance(0.5) { scene.start() } else { day(scene, rng) };
        super::note(scene, "peer_to_peer", &guest, begins);
        if begins <= scene.today().start {
            peers(scene, &guest, 250.0, &mut rng.stream(&guest.name));
        }
    }
}
