//! A day on which every guest fetches the same updates from a place that most never used, and tells it
//! how that went.

use super::day;
use crate::rng::Rng;
use crate::scenario::calendar::HOUR;
use crate::scenario::internet::{Service, domain};
use crate::scenario::scene::{Remembered, Scene};

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    let at = day(scene, rng);
    let name = domain(rng);
    let service = Service::content(&name, rng);
    if at != scene.today().start {
        return;
    }
    let begins = at + rng.range(9, 15) * HOUR;
    let size = rng.lognormal(9e7, 0.4);
    for guest in scene.estate.guests.clone() {
        let mut rng = rng.stream(&guest.name);
        let mut remembered = Remembered::default();
        let time = begins + rng.below(6 * HOUR);
        let volumes = (20_000, (size * rng.lognormal(1.0, 0.2)) as u64);
        let visit = scene.visit(&mut remembered, &guest, &service, volumes, time, &mut rng);
        scene.note("patch_day", &guest, &visit);
        let report = (rng.lognormal(7e5, 1.0) as u64, 4000);
        let after = visit.done.ended + rng.below(HOUR);
        scene.visit(&mut remembered, &guest, &service, report, after, &mut rng);
    }
}
