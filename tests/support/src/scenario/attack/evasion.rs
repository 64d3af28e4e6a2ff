//! Exfiltration that is made not to stand out: grown, prepared, spoofed, disguised or dripped.

use std::net::IpAddr;

use super::exfiltration::{Upload, place, stage};
use super::{AttackKind, EXFILTRATION_LENGTH, start};
use crate::dns::{self, Data, Record, rcode, rtype};
use crate::rng::Rng;
use crate::scenario::benign::favourites;
use crate::scenario::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::scenario::estate::{Asset, RESOLVER};
use crate::scenario::internet;
use crate::scenario::scene::Scene;
use crate::scenario::truth::Time;
use crate::wire::Payload;

/// One of them.
pub(super) fn play(scene: &mut Scene<'_>, guest: &Asset, kind: AttackKind, rng: &mut Rng) {
    match kind {
        AttackKind::SlowGrowth => slow_growth(scene, guest, rng),
        AttackKind::Preseeded => preseeded(scene, guest, rng),
        AttackKind::SpoofedAnswer => spoofed_answer(scene, guest, rng),
        AttackKind::BackupShaped => backup_shaped(scene, guest, rng),
        _ => long_drip(scene, guest, rng),
    }
}

/// Every day some sessions in the hours of the first one, with 60 % more than the day before, from
/// 200 KB on.
fn slow_growth(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    const FIRST_DAY: f64 = 2e5;
    let begins = scene.learned() + rng.range(5 * MINUTE, 2 * HOUR);
    let (sni, to, mut now) = place(scene, guest, AttackKind::SlowGrowth, begins, rng);
    let mut upload = Upload::new(AttackKind::SlowGrowth, guest, sni, to, 0);
    let mut today = FIRST_DAY;
    while now + 3 * HOUR < scene.end() {
        let mut opened = now;
        for _ in 0..4 {
            opened = upload.send(scene, (today / 4.0) as u64, opened, rng);
            opened += rng.range(10 * MINUTE, 30 * MINUTE);
        }
        today *= 1.6;
        now += DAY;
    }
    if !upload.planting.connections.is_empty() {
        upload.done(scene);
    }
}

/// For two thirds of the days small sessions at some hours, then all that was staged.
fn preseeded(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let room = scene.end() - scene.learned();
    let (sni, to, seeded) =
        place(scene, guest, AttackKind::Preseeded, scene.learned() + 5 * MINUTE, rng);
    let until = seeded + room * 2 / 3;
    if until + EXFILTRATION_LENGTH > scene.end() {
        return;
    }
    let mut seeds = Upload::new(AttackKind::Preseeded, guest, sni.clone(), to, 0);
    let mut now = seeded;
    while now < until {
        let ended = seeds.send(scene, rng.range(2_000, 60_000), now, rng);
        now = ended + rng.range(2 * HOUR, 6 * HOUR);
    }
    let (staged, pulled) = stage(scene, guest, 800_000_000, until, rng);
    let mut upload = Upload::new(AttackKind::Preseeded, guest, sni, to, pulled);
    upload.planting.prepared = Some(Time(seeded));
    upload.send(scene, pulled / 4 * 3, staged + rng.range(2 * MINUTE, 25 * MINUTE), rng);
    upload.done(scene);
}

/// An answer that nobody asked for gives a usual name the intruder's address, right before that is used.
fn spoofed_answer(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let (staged, pulled) = stage(scene, guest, 500_000_000, begins, rng);
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let to: IpAddr = internet::public_v4(rng).into();
    let sni = favourites(scene, guest)[0].host(rng).map(str::to_owned);
    let name = sni.clone().unwrap_or_default();
    unasked_answer(scene, guest, (&name, to), now, rng);
    let mut upload = Upload::new(AttackKind::SpoofedAnswer, guest, sni, (to, 443), pulled);
    upload.planting.prepared = Some(Time(now));
    upload.send(scene, pulled / 4 * 3, now + rng.range(SECOND, 20 * SECOND), rng);
    upload.done(scene);
}

/// A response from the resolver's address, to a port that never asked.
pub(super) fn unasked_answer(
    scene: &mut Scene<'_>,
    guest: &Asset,
    (name, address): (&str, IpAddr),
    now: u64,
    rng: &mut Rng,
) {
    let record = Record { name: name.to_owned(), ttl: 3600, data: Data::address(address) };
    let id = rng.next() as u16;
    let response = dns::response(id, name, rtype::A, rcode::NO_ERROR, &[record]);
    let path = scene.path(guest, RESOLVER, 53, rng).back();
    scene.datagram(&path, now, Payload::whole(&response), rng);
}

/// What nightly backups look like, at noon and to a new place: nothing staged, half an hour, some
/// hundred megabytes.
fn backup_shaped(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let (sni, to, now) = place(scene, guest, AttackKind::BackupShaped, begins, rng);
    let bytes = rng.lognormal(6e8, 0.2) as u64;
    let mut upload = Upload::new(AttackKind::BackupShaped, guest, sni, to, 0);
    upload.send_over(scene, bytes, rng.range(15 * MINUTE, 40 * MINUTE), now, rng);
    upload.done(scene);
}

/// Some hundred kilobytes every half hour to every two, from a day on to the end.
fn long_drip(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let begins = start(scene, (scene.end() - scene.learned()) * 3 / 4, rng);
    let (sni, to, mut now) = place(scene, guest, AttackKind::LongDrip, begins, rng);
    let mut upload = Upload::new(AttackKind::LongDrip, guest, sni, to, 0);
    while now < scene.end() - 5 * MINUTE {
        let ended = upload.send(scene, rng.range(50_000, 400_000), now, rng);
        now = ended + rng.range(30 * MINUTE, 2 * HOUR);
    }
    upload.done(scene);
}
