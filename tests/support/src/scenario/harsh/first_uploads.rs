//! Single guests that send 1 to 100 MB to a place they never used: a support case, a tender, a shared
//! folder. A third of them take it from the filer first.

use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, SECOND, office_time};
use crate::scenario::estate::{FILER, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene};

/// How many of them there are on a day, for each guest; at least one in all.
const PER_GUEST: f64 = 0.005;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    if scene.today().end <= scene.learned() {
        return;
    }
    let mut rng = scene.today_of(rng);
    let (from, to) = (scene.today().start.max(scene.learned()), scene.today().end);
    let mean = (PER_GUEST * scene.estate.guests.len() as f64).max(1.0);
    for _ in 0..rng.count(mean) {
        let guest = rng.pick(&scene.estate.guests).clone();
        let service = if rng.chance(0.4) {
            rng.pick(&scene.popular).clone()
        } else {
            Service::site(&internet::domain(&mut rng), &mut rng).into()
        };
        let bytes = 1e6 * 100f64.powf(rng.unit());
        let mut now = office_time(from, to, &mut rng);
        if rng.chance(0.33) {
            let port = if guest.role == Role::Desktop { 445 } else { 2049 };
            let volumes = (bytes as u64 / 900, bytes as u64);
            let over = rng.range(10 * SECOND, 5 * MINUTE);
            let taken = scene.transfer(&guest, (FILER, port), volumes, over, now, &mut rng);
            now = taken.ended + rng.range(MINUTE, HOUR);
        }
        let volumes = (bytes as u64, 20_000);
        let mut remembered = Remembered::default();
        let visit = scene.visit(&mut remembered, &guest, &service, volumes, now, &mut rng);
        scene.note("first_upload", &guest, &visit);
    }
}
