//! Days on which something is new and harmless: a rollout, a first big download, a crash dump, a
//! weekly report, a restore.

use super::web::favourites;
use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, Rhythm, SECOND, office_time};
use crate::scenario::estate::{FILER, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene};

/// All of it, after the time of learning.
pub(super) fn play(scene: &mut Scene<'_>) {
    if scene.end() <= scene.learned() + HOUR || scene.today().end <= scene.learned() {
        return;
    }
    let mut rng = scene.rng("rollout");
    rollout(scene, &mut rng);
    let mut rng = scene.rng("big download");
    big_download(scene, &mut rng);
    let mut rng = scene.rng("crash dump");
    crash_dump(scene, &mut rng);
    let mut rng = scene.rng("weekly report");
    weekly_report(scene, &mut rng);
    let mut rng = scene.rng_today("restores");
    restores(scene, &mut rng);
}

/// A log shipper that most guests get within hours, each sending a few megabytes a day from then on.
fn rollout(scene: &mut Scene<'_>, rng: &mut Rng) {
    let service = Service::site(&internet::domain(rng), rng);
    let begins = office_time(scene.learned(), scene.end(), rng);
    for guest in scene.estate.guests.clone() {
        let installed = begins + rng.below(6 * HOUR);
        let taken = rng.chance(0.6);
        if !taken || installed >= scene.today().end {
            continue;
        }
        let mut rng = scene.rng_today(&format!("rollout {}", guest.name));
        let mut remembered = Remembered::default();
        let times = scene.times_since(installed, 30.0, Rhythm::Constant, &mut rng);
        for (number, time) in times.into_iter().enumerate() {
            let up = rng.lognormal(8e4, 0.8) as u64;
            let visit = scene.visit(&mut remembered, &guest, &service, (up, 3000), time, &mut rng);
            if number == 0 && installed >= scene.today().start {
                scene.note("rollout", &guest, &visit);
            }
        }
    }
}

/// An installation image from a place nobody knew.
fn big_download(scene: &mut Scene<'_>, rng: &mut Rng) {
    let guest = rng.pick(&scene.estate.guests).clone();
    let service = Service::site(&internet::domain(rng), rng);
    let time = office_time(scene.learned(), scene.end(), rng);
    if !scene.today().contains(&time) {
        return;
    }
    let down = (rng.lognormal(4e8, 0.3) * scene.plan.bulk) as u64;
    let visit =
        scene.visit(&mut Remembered::default(), &guest, &service, (40_000, down), time, rng);
    scene.note("big_download", &guest, &visit);
}

/// A crash dump to a vendor that this guest never needed and that others know well.
fn crash_dump(scene: &mut Scene<'_>, rng: &mut Rng) {
    let service = scene.popular[0].clone();
    let guests = scene.estate.guests.clone();
    let stranger = guests.iter().find(|guest| {
        !favourites(scene, guest).iter().any(|known| std::rc::Rc::ptr_eq(known, &service))
    });
    let Some(guest) = stranger else { return };
    let time = office_time(scene.learned(), scene.end(), rng);
    if !scene.today().contains(&time) {
        return;
    }
    let up = (rng.lognormal(2e7, 0.3) * scene.plan.bulk.min(1.0)) as u64;
    let visit = scene.visit(&mut Remembered::default(), guest, &service, (up, 5000), time, rng);
    scene.note("crash_dump", guest, &visit);
}

/// Some megabytes to a service that others use every day.
fn weekly_report(scene: &mut Scene<'_>, rng: &mut Rng) {
    let service = scene.popular[1].clone();
    let guest = rng.pick(&scene.estate.guests).clone();
    let time = office_time(scene.learned(), scene.end(), rng);
    if !scene.today().contains(&time) {
        return;
    }
    let up = rng.range(2_000_000, 5_000_000);
    let visit = scene.visit(&mut Remembered::default(), &guest, &service, (up, 5000), time, rng);
    scene.note("weekly_report", &guest, &visit);
}

/// Restores: far more from the filer than usual, then nothing but the usual and one small new place.
fn restores(scene: &mut Scene<'_>, rng: &mut Rng) {
    let (from, to) = (scene.today().start.max(scene.learned()), scene.today().end);
    for _ in 0..scene.estate.guests.len().div_ceil(8) {
        let guest = rng.pick(&scene.estate.guests).clone();
        let time = office_time(from, to, rng);
        let bytes = (rng.lognormal(2e8, 0.5) * scene.plan.bulk) as u64;
        let port = if guest.role == Role::Desktop { 445 } else { 2049 };
        let over = rng.range(2 * MINUTE, 10 * MINUTE);
        let restored = scene.transfer(&guest, (FILER, port), (bytes / 900, bytes), over, time, rng);
        let service = Service::site(&internet::domain(rng), rng);
        let volumes = (rng.lognormal(1e4, 0.7) as u64, 60_000);
        let after = restored.ended + rng.range(SECOND, 20 * MINUTE);
        let visit = scene.visit(&mut Remembered::default(), &guest, &service, volumes, after, rng);
        scene.note("small_visit_after_restore", &guest, &visit);
    }
}
