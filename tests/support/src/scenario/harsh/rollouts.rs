//! Services that guests get one after the other, over hours or days: an application that first sends all
//! it has, and a shipper of logs.

use super::day;
use crate::rng::Rng;
use crate::scenario::calendar::{DAY, HOUR, Rhythm};
use crate::scenario::estate::Asset;
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene};

/// Median bytes out of a first session, of each later one, and how many of those there are on a day.
const KINDS: [(&str, f64, f64, f64); 2] =
    [("saas_rollout", 1.5e7, 6e4, 12.0), ("shipper_rollout", 2e5, 1.5e5, 40.0)];

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for (kind, first, later, per_day) in KINDS {
        let mut rng = rng.stream(kind);
        let begins = day(scene, &mut rng) + 8 * HOUR;
        let within = *rng.pick(&[4 * HOUR, DAY, 3 * DAY]);
        let service = Service::site(&internet::domain(&mut rng), &mut rng);
        for guest in scene.estate.guests.clone() {
            let mut rng = rng.stream(&guest.name);
            let installed = begins + rng.below(within);
            if !rng.chance(0.6) || installed >= scene.today().end {
                continue;
            }
            let mut rng = scene.today_of(&rng);
            if scene.today().contains(&installed) {
                let up = rng.lognormal(first, 0.7);
                upload(scene, (kind, &guest, &service), up, installed, &mut rng);
            }
            for time in scene.times_since(installed, per_day, Rhythm::Service, &mut rng) {
                let volumes = (rng.lognormal(later, 0.8) as u64, 3000);
                let mut remembered = Remembered::default();
                scene.visit(&mut remembered, &guest, &service, volumes, time, &mut rng);
            }
        }
    }
}

fn upload(
    scene: &mut Scene<'_>,
    (kind, guest, service): (&str, &Asset, &Service),
    up: f64,
    now: u64,
    rng: &mut Rng,
) {
    let volumes = (up as u64, 20_000);
    let visit = scene.visit(&mut Remembered::default(), guest, service, volumes, now, rng);
    scene.note(kind, guest, &visit);
}
