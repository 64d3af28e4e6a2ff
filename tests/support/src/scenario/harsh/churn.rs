//! Content networks and well-known services that change: addresses that nobody saw before, and domains
//! that are renamed for all that use them.

use std::rc::Rc;

use super::day;
use crate::rng::Rng;
use crate::scenario::internet::{Service, domain};
use crate::scenario::scene::Scene;

/// Of how many well-known services the domain is renamed, one a day.
const RENAMED: usize = 8;
/// The chance of a service to move to other addresses on a day.
const MOVES: f64 = 0.03;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for _ in 0..RENAMED {
        let rank = rng.zipf(scene.popular.len());
        let at = day(scene, rng);
        let name = domain(rng);
        if at == scene.today().start {
            let mut fresh = rng.stream(&name);
            scene.popular[rank] = Rc::new(Service::content(&name, &mut fresh));
        }
    }
    let mut today = scene.today_of(rng);
    for rank in 0..scene.popular.len() {
        if today.chance(MOVES) && !scene.is_first_day() {
            scene.popular[rank] = Rc::new(scene.popular[rank].moved(&mut today));
        }
    }
}
