//! Exfiltration after staging (T1074, T1048.002): a guest collects inside and sends outside.

use std::net::IpAddr;

use super::{AttackKind, EXFILTRATION_LENGTH, Extent, Planting, start};
use crate::rng::Rng;
use crate::scenario::benign::favourites;
use crate::scenario::calendar::{MINUTE, SECOND};
use crate::scenario::estate::{Asset, FILER, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene, Session};
use crate::scenario::truth::{Exfiltration, Time};

/// To a place that is new, or that claims to be known.
pub(super) fn play(scene: &mut Scene<'_>, guest: &Asset, kind: AttackKind, rng: &mut Rng) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let bytes = (rng.lognormal(4e8, 0.4) * scene.plan.bulk.max(0.5)) as u64;
    let (staged, pulled) = stage(scene, guest, bytes, begins, rng);
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let (sni, to, now) = place(scene, guest, kind, now, rng);
    let total = (pulled as f64 * (0.5 + 0.5 * rng.unit())) as u64;
    let mut upload = Upload::new(kind, guest, sni, to, pulled);
    match kind {
        AttackKind::Pieces => {
            let mut now = now;
            for _ in 0..12 {
                let ended = upload.send(scene, total / 12, now, rng);
                now = ended + rng.range(5 * SECOND, 90 * SECOND);
            }
        }
        AttackKind::Drip => {
            let mut now = now;
            while now < scene.end() - 5 * MINUTE {
                let piece = rng.lognormal(8e5, 0.3) as u64;
                let ended = upload.send(scene, piece, now, rng);
                now = ended + rng.range(5 * MINUTE, 15 * MINUTE);
            }
        }
        _ => {
            upload.send(scene, total, now, rng);
        }
    }
    upload.done(scene);
}

/// As much and as fast as `extent` says, to a new place: in one session, or one every half hour.
pub(super) fn sized(
    scene: &mut Scene<'_>,
    guest: &Asset,
    (kind, extent): (AttackKind, Extent),
    rng: &mut Rng,
) {
    let over = extent.seconds * SECOND;
    if scene.end() < scene.learned() + EXFILTRATION_LENGTH + over + over / 8 {
        return;
    }
    let begins = start(scene, EXFILTRATION_LENGTH + over + over / 8, rng);
    let bytes = (extent.bytes as f64 * (1.0 + 0.3 * rng.unit())) as u64;
    let (staged, pulled) = match kind {
        AttackKind::Unstaged(_) => (begins, 0),
        _ => stage(scene, guest, bytes, begins, rng),
    };
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let (sni, to, now) = place(scene, guest, kind, now, rng);
    let mut upload = Upload::new(kind, guest, sni, to, pulled);
    let sessions = if rng.chance(0.5) { over.div_ceil(30 * MINUTE) } else { 1 };
    for number in 0..sessions {
        // Pauses between sessions take a tenth of the time.
        let opened = now + over * number / sessions;
        let within = if sessions > 1 { over / sessions * 9 / 10 } else { over };
        upload.send_over(scene, extent.bytes / sessions, within, opened, rng);
    }
    upload.done(scene);
}

/// To the cloud that the guest backs up to every night, by day and several times as much.
pub(super) fn to_habitual_cloud(
    scene: &mut Scene<'_>,
    guest: &Asset,
    service: &Service,
    rng: &mut Rng,
) {
    let begins = start(scene, EXFILTRATION_LENGTH, rng);
    let bytes = (rng.lognormal(4e8, 0.4) * scene.plan.bulk.max(0.5)) as u64;
    let (staged, pulled) = stage(scene, guest, bytes, begins, rng);
    let up = pulled.max((4e8 * scene.plan.bulk) as u64);
    let now = staged + rng.range(2 * MINUTE, 25 * MINUTE);
    let visit = scene.visit(&mut Remembered::default(), guest, service, (up, up / 1000), now, rng);
    let mut planting = Planting::new(AttackKind::HabitualCloud, guest);
    let to = (visit.destination.address, visit.destination.port);
    planting.connection(to, visit.opened, visit.done.ended, visit.done.bytes_out);
    planting.sni = visit.sni;
    planting.exfiltration = Some(Exfiltration {
        size: up,
        duration: (visit.done.ended - visit.opened) / SECOND,
        first_byte: Time(visit.opened),
        staged: pulled,
    });
    planting.done(scene, "AN1416");
}

/// Pulls `bytes` from inside; gives when that ended and the bytes.
pub(super) fn stage(
    scene: &mut Scene<'_>,
    guest: &Asset,
    bytes: u64,
    now: u64,
    rng: &mut Rng,
) -> (u64, u64) {
    const FASTEST: u64 = 100_000_000;
    let port = if guest.role == Role::Desktop { 445 } else { 2049 };
    let over = rng.range(3 * MINUTE, 15 * MINUTE).max(bytes / FASTEST * SECOND);
    let done = scene.transfer(guest, (FILER, port), (bytes / 900, bytes), over, now, rng);
    (done.ended, bytes)
}

/// The server's name, where it is, and when that is known.
pub(super) fn place(
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

/// Sessions to one place, one after another.
pub(super) struct Upload<'a> {
    guest: &'a Asset,
    to: (IpAddr, u16),
    size: u64,
    staged: u64,
    pub(super) planting: Planting,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        kind: AttackKind,
        guest: &'a Asset,
        sni: Option<String>,
        to: (IpAddr, u16),
        staged: u64,
    ) -> Self {
        let mut planting = Planting::new(kind, guest);
        planting.sni = sni;
        Self { guest, to, size: 0, staged, planting }
    }

    /// One session that sends `bytes` as fast as lines are; gives its end.
    pub(super) fn send(
        &mut self,
        scene: &mut Scene<'_>,
        bytes: u64,
        now: u64,
        rng: &mut Rng,
    ) -> u64 {
        let bytes_per_second = rng.lognormal(3e6, 0.5).max(5e5);
        let over = (bytes as f64 / bytes_per_second * SECOND as f64) as u64;
        self.send_over(scene, bytes, over, now, rng)
    }

    /// One session that takes `over` nanoseconds to send `bytes`; gives its end.
    pub(super) fn send_over(
        &mut self,
        scene: &mut Scene<'_>,
        bytes: u64,
        over: u64,
        now: u64,
        rng: &mut Rng,
    ) -> u64 {
        let client = self.guest.role.client();
        let sni = self.planting.sni.as_deref();
        let session = Session { sni, client, up: bytes, down: 2000, over };
        let done = scene.tls(self.guest, self.to, session, now, rng);
        self.planting.connection(self.to, now, done.ended, done.bytes_out);
        self.size += bytes;
        done.ended
    }

    /// Writes it into the truth.
    pub(super) fn done(mut self, scene: &mut Scene<'_>) {
        let first_byte = self.planting.connections[0];
        self.planting.exfiltration = Some(Exfiltration {
            size: self.size,
            duration: (self.planting.last - first_byte.0) / SECOND,
            first_byte,
            staged: self.staged,
        });
        self.planting.done(scene, "AN1416");
    }
}
