//! The attacks: who does what, and when.

use std::net::IpAddr;
use std::rc::Rc;

use super::calendar::{HOUR, MINUTE, office_time};
use super::estate::Asset;
use super::internet::{self, Service};
use super::scene::{Remembered, Scene};
use super::truth::{self, Destination, Time};
use super::{benign, harsh};
use crate::rng::Rng;

mod dns_port;
mod evasion;
mod exfiltration;
mod guest_operations;
mod kind;

pub use dns_port::Formula;
pub use kind::{AttackKind, Extent};

/// Plants the plan's attacks, each on a guest of its own where there are enough.
pub(super) fn play(scene: &mut Scene<'_>) {
    let mut rng = scene.rng("attacked guests");
    let habitual: Vec<Rc<Asset>> =
        benign::habitual(scene).into_iter().map(|(guest, _)| guest).collect();
    let strangers = benign::peer_to_peer_guest(scene);
    let moving = if scene.plan.harsh { harsh::readdressed(scene) } else { Vec::new() };
    let mut guests = scene.estate.guests.clone();
    guests.retain(|guest| {
        let is = |other: &Rc<Asset>| Rc::ptr_eq(guest, other);
        !habitual.iter().any(is)
            && !strangers.iter().any(is)
            && !guest.asks_over_https
            && !moving.contains(&guest.name)
    });
    rng.shuffle(&mut guests);
    let every = AttackKind::every();
    for kind in scene.plan.attacks.clone() {
        // By its place among all kinds, so that leaving one out moves no other.
        let place = every.iter().position(|known| *known == kind).unwrap_or_default();
        let guest = guests[place % guests.len()].clone();
        let mut rng = scene.rng(&kind.label());
        match kind {
            AttackKind::EsxiEgress => {
                let host = rng.pick(&scene.estate.hosts).clone();
                management_egress(scene, &host, kind, &mut rng);
            }
            AttackKind::VcenterEgress => {
                let vcenter = scene.estate.vcenter.clone();
                management_egress(scene, &vcenter, kind, &mut rng);
            }
            AttackKind::DnsPort(formula)
            | AttackKind::DnsPortElsewhere(formula)
            | AttackKind::DnsPortLogged(formula)
            | AttackKind::DnsPortRefused(formula)
            | AttackKind::DnsPortDecoys(formula)
            | AttackKind::DnsPortSpoofed(formula) => {
                dns_port::play(scene, &guest, (kind, formula), &mut rng);
            }
            AttackKind::DnsPortOfHost(formula) => {
                let host = rng.pick(&scene.estate.hosts).clone();
                dns_port::play(scene, &host, (kind, formula), &mut rng);
            }
            AttackKind::HabitualCloud => {
                // The first one's place is approved, so that nobody promises to find it there.
                if let Some((guest, service)) = benign::habitual(scene).into_iter().nth(1) {
                    exfiltration::to_habitual_cloud(scene, &guest, &service, &mut rng);
                }
            }
            AttackKind::UnexpectedAccount
            | AttackKind::NightOperations
            | AttackKind::BurstOfOperations
            | AttackKind::UnauthorisedMachine
            | AttackKind::FilePull
            | AttackKind::HostLogin => guest_operations::play(scene, &guest, kind, &mut rng),
            AttackKind::OperationThenEgress => {
                guest_operations::then_egress(scene, &guest, &mut rng);
            }
            AttackKind::Sized(extent) | AttackKind::Unstaged(extent) => {
                exfiltration::sized(scene, &guest, (kind, extent), &mut rng);
            }
            AttackKind::SlowGrowth
            | AttackKind::Preseeded
            | AttackKind::SpoofedAnswer
            | AttackKind::BackupShaped
            | AttackKind::LongDrip => evasion::play(scene, &guest, kind, &mut rng),
            _ => exfiltration::play(scene, &guest, kind, &mut rng),
        }
    }
}

/// An attack under way.
struct Planting {
    kind: AttackKind,
    /// Whether it has to be found.
    required: bool,
    asset: truth::Asset,
    connections: Vec<Time>,
    destinations: Vec<Destination>,
    sni: Option<String>,
    last: u64,
    bytes_out: u64,
    operations: Option<truth::Operations>,
    prepared: Option<Time>,
    exfiltration: Option<truth::Exfiltration>,
    beacon: Option<truth::Beacon>,
}

impl Planting {
    fn new(kind: AttackKind, asset: &Asset) -> Self {
        Self::of(kind, asset.truth())
    }

    fn of(kind: AttackKind, asset: truth::Asset) -> Self {
        Self {
            kind,
            required: kind.required(),
            asset,
            connections: Vec::new(),
            destinations: Vec::new(),
            sni: None,
            last: 0,
            bytes_out: 0,
            operations: None,
            prepared: None,
            exfiltration: None,
            beacon: None,
        }
    }

    /// Adds a connection from `opened` to `ended`.
    fn connection(&mut self, to: (IpAddr, u16), opened: u64, ended: u64, bytes_out: u64) {
        self.connections.push(Time(opened));
        self.destinations.push(Destination { address: to.0, port: to.1 });
        self.last = self.last.max(ended);
        self.bytes_out += bytes_out;
    }

    /// Writes it into the truth.
    fn done(mut self, scene: &mut Scene<'_>, analytic: &str) {
        self.destinations.sort_unstable();
        self.destinations.dedup();
        scene.truth.attacks.push(truth::Attack {
            kind: self.kind.name(),
            analytic: analytic.into(),
            required: self.required,
            asset: self.asset,
            first: self.connections[0],
            last: Time(self.last),
            connections: self.connections,
            destinations: self.destinations,
            sni: self.sni,
            bytes_out: self.bytes_out,
            operations: self.operations,
            mirror: None,
            evasion: self.kind.evasion().map(str::to_owned),
            prepared: self.prepared,
            exfiltration: self.exfiltration,
            beacon: self.beacon,
        });
    }
}

/// A management component calls home: a small session to a place that nobody approved.
fn management_egress(scene: &mut Scene<'_>, asset: &Asset, kind: AttackKind, rng: &mut Rng) {
    let service = Service::site(&internet::domain(rng), rng);
    let time = rng.range(scene.learned() + 5 * MINUTE, scene.end() - 10 * MINUTE);
    let volumes = (rng.lognormal(4e4, 0.8) as u64, rng.lognormal(2e4, 0.8) as u64);
    let visit = scene.visit(&mut Remembered::default(), asset, &service, volumes, time, rng);
    let mut planting = Planting::new(kind, asset);
    let to = (visit.destination.address, visit.destination.port);
    planting.connection(to, visit.opened, visit.done.ended, visit.done.bytes_out);
    planting.sni = visit.sni;
    planting.done(scene, "AN1416");
}

/// When an attack starts that needs `length` nanoseconds: in the middle of work, rarely at night.
fn start(scene: &Scene<'_>, length: u64, rng: &mut Rng) -> u64 {
    let from = scene.learned() + 5 * MINUTE;
    let to = scene.end().saturating_sub(length + MINUTE).max(from + MINUTE);
    if rng.chance(0.7) { office_time(from, to, rng) } else { from + rng.below(to - from) }
}

/// The longest that staging and upload take together.
const EXFILTRATION_LENGTH: u64 = HOUR + 30 * MINUTE;
