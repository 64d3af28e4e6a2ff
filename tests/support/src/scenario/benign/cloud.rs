//! Guests that send a lot to a cloud every night: one with the config's approval, the others by
//! habit alone; and logs that are shipped all day.

use std::rc::Rc;

use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, Rhythm};
use crate::scenario::estate::Asset;
use crate::scenario::harsh::moved_backup;
use crate::scenario::internet::Service;
use crate::scenario::scene::{Remembered, Scene};

/// Every how many guests one has such a habit.
const ONE_IN: usize = 6;

/// The guests with such a habit, and the place they send to; the first one's is approved.
pub(in crate::scenario) fn habitual(scene: &Scene<'_>) -> Vec<(Rc<Asset>, Service)> {
    let guests = scene.estate.guests.iter().skip(1).step_by(ONE_IN);
    guests
        .map(|guest| {
            let mut rng = scene.rng(&format!("cloud of {}", guest.name));
            (Rc::clone(guest), Service::tenant(&format!("backup-{}", guest.name), &mut rng))
        })
        .collect()
}

/// The nights and the days.
pub(super) fn play(scene: &mut Scene<'_>) {
    for (number, (guest, service)) in habitual(scene).into_iter().enumerate() {
        let mut rng = scene.rng(&format!("cloud backup {}", guest.name));
        if number == 0 && scene.is_first_day() {
            let name = service.host(&mut rng).unwrap_or_default();
            scene.approved.push(format!(
                "sni = [\"{name}\"]\nport = [443]\nnote = \"off-site backup of {}\"\n",
                guest.name
            ));
        }
        nightly(scene, &guest, &service, &mut rng);
    }
    let shippers: Vec<Rc<Asset>> =
        scene.estate.guests.iter().skip(2).step_by(ONE_IN).cloned().collect();
    for guest in shippers {
        let mut rng = scene.rng_today(&format!("logs {}", guest.name));
        let service = Service::site("logs-collect.io", &mut scene.rng("log collector"));
        all_day(scene, &guest, &service, &mut rng);
    }
}

fn nightly(scene: &mut Scene<'_>, guest: &Asset, service: &Service, rng: &mut Rng) {
    let usual = rng.lognormal(5e7, 0.4) * scene.plan.bulk;
    let rng = &mut scene.today_of(rng);
    let moved = moved_backup(scene, guest, "cloud");
    let other = Service::tenant("estate-offsite", &mut scene.rng("other cloud"));
    let (service, hour) = match &moved {
        Some(moved) => (&other, moved.hour),
        None => (service, 2 * HOUR),
    };
    let kind = if moved.is_some() { "moved_cloud_backup" } else { "habitual_cloud_backup" };
    let mut remembered = Remembered::default();
    for time in scene.daily(hour, 90 * MINUTE, rng) {
        let up = (usual * rng.lognormal(1.0, 0.35)) as u64;
        let visit = scene.visit(&mut remembered, guest, service, (up, up / 1000), time, rng);
        scene.note(kind, guest, &visit);
    }
}

fn all_day(scene: &mut Scene<'_>, guest: &Asset, service: &Service, rng: &mut Rng) {
    let mut remembered = Remembered::default();
    for time in scene.times(60.0, Rhythm::Constant, rng) {
        let volumes = (rng.lognormal(1.5e5, 0.6) as u64, 2000);
        scene.visit(&mut remembered, guest, service, volumes, time, rng);
    }
}
