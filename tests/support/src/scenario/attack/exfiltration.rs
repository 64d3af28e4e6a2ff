//! Exfiltration after staging (T1074, T1048.002): a guest collects inside and sends outside.

use std::net::IpAddr;

use super::{AttackKind, EXFILTRATION_LENGTH, Planting, start};
use crate::rng::Rng;
use crate::scenario::benign::favourites;
use crate::scenario::calendar::{MINUTE, SECOND};
use crate::scenario::estate::{Asset, FILER, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene, Session};

/// To a place that is new, or that claims to be known.
pub(super) fn play(scene: &mut Scene<'_>, guest: &Asset, kind: AttackKind, rng: &mut Rng) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let (staged, pulled) = stage(scene, guest, begins, rng);
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let (sni, to, now) = place(scene, guest, kind, now, rng);
    let total = (pulled as f64 * (0.5 + 0.5 * rng.unit())) as u64;
    let mut planting = Planting::new(kind, guest);
    match kind {
        AttackKind::Pieces => {
            let mut now = now;
            for _ in 0..12 {
                let ended = upload(
                    scene,
                    (guest, &mut planting),
                    (sni.as_deref(), to),
                    total / 12,
                    now,
                    rng,
                );
                now = ended + rng.range(5 * SECOND, 90 * SECOND);
            }
        }
        AttackKind::Drip => {
            let mut now = now;
            while now < scene.end() - 5 * MINUTE {
                let piece = rng.lognormal(8e5, 0.3) as u64;
                let ended =
                    upload(scene, (guest, &mut planting), (sni.as_deref(), to), piece, now, rng);
                now = ended + rng.range(5 * MINUTE, 15 * MINUTE);
            }
        }
        _ => {
            upload(scene, (guest, &mut planting), (sni.as_deref(), to), total, now, rng);
        }
    }
    planting.sni = sni;
    planting.done(scene, "AN1416");
}

/// To the cloud that the guest backs up to every night, by day and several times as much.
pub(super) fn to_habitual_cloud(
    scene: &mut Scene<'_>,
    guest: &Asset,
    service: &Service,
    rng: &mut Rng,
) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let (staged, pulled) = stage(scene, guest, begins, rng);
    let up = pulled.max((4e8 * scene.plan.bulk) as u64);
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let visit = scene.visit(&mut Remembered::default(), guest, service, (up, up / 1000), now, rng);
    let mut planting = Planting::new(AttackKind::HabitualCloud, guest);
    let to = (visit.destination.address, visit.destination.port);
    planting.connection(to, visit.opened, visit.done.ended, visit.done.bytes_out);
    planting.sni = visit.sni;
    planting.done(scene, "AN1416");
}

/// Pulls from inside; gives when that ended and the bytes pulled.
fn stage(scene: &mut Scene<'_>, guest: &Asset, now: u64, rng: &mut Rng) -> (u64, u64) {
    let bytes = (rng.lognormal(4e8, 0.4) * scene.plan.bulk.max(0.5)) as u64;
    let port = if guest.role == Role::Desktop { 445 } else { 2049 };
    let over = rng.range(3 * MINUTE, 15 * MINUTE);
    let done = scene.transfer(guest, (FILER, port), (bytes / 900, bytes), over, now, rng);
    (done.ended, bytes)
}

/// The server's name, where it is, and when that is known.
fn place(
    scene: &mut Scene<'_>,
    guest: &Asset,
    kind: AttackKind,
    now: u64,
    rng: &mut Rng,
) -> (Option<String>, (IpAddr, u16), u64) {
    match kind {
        AttackKind::NoSni => (None, (internet::public_v4(rng).into(), 443), now),
        AttackKind::UsualSni => {
            let known = favourites(scene, guest);
            let sni = known[0].host(rng).map(str::to_owned);
            (sni, (internet::public_v4(rng).into(), 443), now)
        }
        _ => {
            let service = Service::site(&internet::domain(rng), rng);
            let host = service.host(rng).unwrap_or_default().to_owned();
            let mut remembered = Remembered::default();
            let (to, now) = scene.resolve(&mut remembered, guest, &service, &host, now, rng);
            let port = if kind == AttackKind::OddPort { 8443 } else { 443 };
            (Some(host), (to, port), now)
        }
    }
}

/// One session that sends `bytes`; gives its end.
fn upload(
    scene: &mut Scene<'_>,
    (guest, planting): (&Asset, &mut Planting),
    (sni, to): (Option<&str>, (IpAddr, u16)),
    bytes: u64,
    now: u64,
    rng: &mut Rng,
) -> u64 {
    let bytes_per_second = rng.lognormal(3e6, 0.5).max(5e5);
    let over = (bytes as f64 / bytes_per_second * SECOND as f64) as u64;
    let client = guest.role.client();
    let session = Session { sni, client, up: bytes, down: 2000, over };
    let done = scene.tls(guest, to, session, now, rng);
    planting.connection(to, now, done.ended, done.bytes_out);
    done.ended
}
