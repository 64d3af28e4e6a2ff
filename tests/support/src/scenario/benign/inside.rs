//! Traffic that stays inside: databases, file servers, nightly backups, the time.

use std::net::IpAddr;

use crate::rng::Rng;
use crate::scenario::calendar::{DAY, HOUR, MINUTE, Rhythm, SECOND};
use crate::scenario::estate::{
    Asset, BACKUP_SERVER, FILER, OTHER_BACKUP_SERVER, Role, TIME_SERVER,
};
use crate::scenario::harsh::moved_backup;
use crate::scenario::scene::Scene;
use crate::wire::Payload;

/// Every guest's days inside.
pub(super) fn play(scene: &mut Scene<'_>) {
    let databases: Vec<IpAddr> = scene
        .estate
        .guests
        .iter()
        .filter(|guest| guest.role == Role::Database)
        .map(|guest| guest.v4.into())
        .collect();
    for guest in scene.estate.guests.clone() {
        let mut rng = scene.rng(&format!("inside {}", guest.name));
        match guest.role {
            Role::Database => {}
            Role::Server | Role::Legacy if !databases.is_empty() => {
                let server = (*rng.pick(&databases), *rng.pick(&[5432, 1433, 3306]));
                reads(scene, &guest, server, 60.0, &mut rng);
            }
            _ => reads(scene, &guest, (FILER, *rng.pick(&[2049, 445])), 40.0, &mut rng),
        }
        let mut rng = scene.rng(&format!("backup {}", guest.name));
        backups(scene, &guest, &mut rng);
        let mut rng = scene.rng_today(&format!("clock {}", guest.name));
        clock(scene, &guest, &mut rng);
    }
}

/// Reads from a server, `per_day` times.
fn reads(scene: &mut Scene<'_>, guest: &Asset, server: (IpAddr, u16), per_day: f64, rng: &mut Rng) {
    let scale = scene.plan.bulk;
    let rng = &mut scene.today_of(rng);
    let rhythm = if guest.role == Role::Desktop { Rhythm::Office } else { Rhythm::Service };
    for time in scene.times(per_day, rhythm, rng) {
        let scale = scale * scene.level(guest, time);
        let up = rng.lognormal(2e4, 1.0) as u64;
        let down = (rng.lognormal(5e5, 1.3) * scale) as u64;
        scene.transfer(guest, server, (up, down), rng.range(SECOND, 20 * SECOND), time, rng);
    }
}

/// A backup a night, a full one on Sunday's.
fn backups(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let usual = rng.lognormal(6e7, 0.4) * scene.plan.bulk;
    let hour = rng.range(1, 3) * HOUR;
    let rng = &mut scene.today_of(rng);
    let (server, hour) = match moved_backup(scene, guest, "inside") {
        Some(moved) => (OTHER_BACKUP_SERVER, moved.hour),
        None => (BACKUP_SERVER, hour),
    };
    for time in scene.daily(hour, 40 * MINUTE, rng) {
        // 1970-01-04 was a Sunday.
        let full = if (time / DAY + 4).is_multiple_of(7) { 2.5 } else { 1.0 };
        let up = (usual * full * scene.level(guest, time) * rng.lognormal(1.0, 0.2)) as u64;
        let over = rng.range(4 * MINUTE, 15 * MINUTE);
        scene.transfer(guest, (server, 9443), (up, up / 500), over, time, rng);
    }
}

fn clock(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    for time in scene.times(24.0, Rhythm::Constant, rng) {
        let path = scene.estate.path(guest, 123, TIME_SERVER, 123);
        let mut request = [0; 48];
        request[0] = 0x23;
        scene.datagram(&path, time, Payload::whole(&request), rng);
        request[0] = 0x24;
        scene.datagram(&path.back(), time + 400_000, Payload::whole(&request), rng);
    }
}
