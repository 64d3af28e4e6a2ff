//! The attacks: who does what, and when.

use std::net::IpAddr;
use std::rc::Rc;

use super::benign;
use super::calendar::{HOUR, MINUTE, office_time};
use super::estate::Asset;
use super::internet::{self, Service};
use super::scene::{Remembered, Scene};
use super::truth::{self, Destination, Time};
use crate::rng::Rng;

mod dns_port;
mod exfiltration;
mod guest_operations;

pub use dns_port::Formula;

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttackKind {
    /// Exfiltration after staging, in one session to a new place.
    OneSession,
    /// The same in a dozen sessions.
    Pieces,
    /// The same without a server name, to an address never resolved.
    NoSni,
    /// The same to port 8443.
    OddPort,
    /// The same under a name the guest uses every day, to an address that is not that name's.
    UsualSni,
    /// The same to a cloud that the guest backs up to every night, several times as much.
    HabitualCloud,
    /// Staging, then a little every few minutes until the capture ends.
    Drip,
    /// A TLS session of a host to a place outside that nobody approved.
    EsxiEgress,
    /// The same of the vCenter.
    VcenterEgress,
    /// A beacon to ports calculated from DNS answers, at the answered address.
    DnsPort(Formula),
    /// The same, but at an address that is always the same and never in an answer.
    DnsPortElsewhere(Formula),
    /// The same at the answered address, and every connection is refused.
    DnsPortRefused(Formula),
    /// The same of an agent on a host.
    DnsPortOfHost(Formula),
    /// The same of a guest whose connections no mirror shows: only the firewall of NSX tells of them.
    DnsPortLogged(Formula),
    /// Guest operations of an account that has no business there.
    UnexpectedAccount,
    /// Those of an expected account at half past three at night.
    NightOperations,
    /// Those of an expected account at ten times its rate.
    BurstOfOperations,
    /// Those of an expected account in a machine where none are expected.
    UnauthorisedMachine,
    /// An account that only ever looks pulls files.
    FilePull,
    /// Somebody logs in on a host itself.
    HostLogin,
    /// A guest operation, and then TLS egress of that guest.
    OperationThenEgress,
}

impl AttackKind {
    /// One of each.
    pub const ALL: [Self; 26] = [
        Self::OneSession,
        Self::Pieces,
        Self::NoSni,
        Self::OddPort,
        Self::UsualSni,
        Self::HabitualCloud,
        Self::Drip,
        Self::EsxiEgress,
        Self::VcenterEgress,
        Self::DnsPort(Formula::Apt12),
        Self::DnsPortElsewhere(Formula::Apt12),
        Self::DnsPortRefused(Formula::Apt12),
        Self::DnsPort(Formula::LastOctets),
        Self::DnsPort(Formula::Xor),
        Self::DnsPort(Formula::ProductOffset),
        Self::DnsPort(Formula::ProductModulus),
        Self::DnsPort(Formula::Multipliers),
        Self::DnsPortOfHost(Formula::Apt12),
        Self::DnsPortLogged(Formula::Apt12),
        Self::UnexpectedAccount,
        Self::NightOperations,
        Self::BurstOfOperations,
        Self::UnauthorisedMachine,
        Self::FilePull,
        Self::HostLogin,
        Self::OperationThenEgress,
    ];

    /// Its name in the truth: `group.variant`.
    pub fn name(self) -> String {
        match self {
            Self::OneSession => "exfiltration.one_session".into(),
            Self::Pieces => "exfiltration.pieces".into(),
            Self::NoSni => "exfiltration.no_sni".into(),
            Self::OddPort => "exfiltration.odd_port".into(),
            Self::UsualSni => "exfiltration.usual_sni".into(),
            Self::HabitualCloud => "exfiltration.habitual_cloud".into(),
            Self::Drip => "exfiltration.drip".into(),
            Self::EsxiEgress => "management_egress.esxi".into(),
            Self::VcenterEgress => "management_egress.vcenter".into(),
            Self::DnsPort(formula) => format!("dns_port.{}", formula.name()),
            Self::DnsPortElsewhere(formula) => format!("dns_port.{}_elsewhere", formula.name()),
            Self::DnsPortRefused(formula) => format!("dns_port.{}_refused", formula.name()),
            Self::DnsPortOfHost(formula) => format!("dns_port.{}_esxi", formula.name()),
            Self::DnsPortLogged(formula) => format!("dns_port.{}_logged", formula.name()),
            Self::UnexpectedAccount => "guest_operations.unexpected_account".into(),
            Self::NightOperations => "guest_operations.night".into(),
            Self::BurstOfOperations => "guest_operations.burst".into(),
            Self::UnauthorisedMachine => "guest_operations.unauthorised_vm".into(),
            Self::FilePull => "guest_operations.file_pull".into(),
            Self::HostLogin => "guest_operations.host_login".into(),
            Self::OperationThenEgress => "guest_operations.then_egress".into(),
        }
    }

    /// What its guest operations are evidence of: one of these has to be told.
    const fn findings(self) -> &'static [&'static str] {
        match self {
            Self::UnexpectedAccount => &["unexpected_account"],
            Self::NightOperations => &["outside_business_hours"],
            Self::BurstOfOperations => &["frequency", "threshold"],
            Self::UnauthorisedMachine => &["vm_not_authorised"],
            Self::FilePull => &["files_pulled"],
            Self::HostLogin => &["unexpected_account", "first_seen_account", "files_pulled"],
            Self::OperationThenEgress => &["before_egress"],
            _ => &[],
        }
    }

    /// Whether Egret promises to find it.
    const fn required(self) -> bool {
        match self {
            Self::Drip | Self::HostLogin => false,
            Self::DnsPort(formula)
            | Self::DnsPortElsewhere(formula)
            | Self::DnsPortRefused(formula)
            | Self::DnsPortLogged(formula)
            | Self::DnsPortOfHost(formula) => matches!(formula, Formula::Apt12),
            _ => true,
        }
    }
}

/// Plants the plan's attacks, each on a guest of its own where there are enough.
pub(super) fn play(scene: &mut Scene<'_>) {
    let mut rng = scene.rng("attacked guests");
    let habitual: Vec<Rc<Asset>> =
        benign::habitual(scene).into_iter().map(|(guest, _)| guest).collect();
    let strangers = benign::peer_to_peer_guest(scene);
    let mut guests = scene.estate.guests.clone();
    guests.retain(|guest| {
        let is = |other: &Rc<Asset>| Rc::ptr_eq(guest, other);
        !habitual.iter().any(is) && !strangers.iter().any(is) && !guest.asks_over_https
    });
    rng.shuffle(&mut guests);
    for kind in scene.plan.attacks.clone() {
        // By its place among all kinds, so that leaving one out moves no other.
        let place = AttackKind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        let guest = guests[place % guests.len()].clone();
        let mut rng = scene.rng(&kind.name());
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
            | AttackKind::DnsPortRefused(formula) => {
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
            _ => exfiltration::play(scene, &guest, kind, &mut rng),
        }
    }
}

/// An attack under way.
struct Planting {
    kind: AttackKind,
    asset: truth::Asset,
    connections: Vec<Time>,
    destinations: Vec<Destination>,
    sni: Option<String>,
    last: u64,
    bytes_out: u64,
    operations: Option<truth::Operations>,
}

impl Planting {
    fn new(kind: AttackKind, asset: &Asset) -> Self {
        Self::of(kind, asset.truth())
    }

    fn of(kind: AttackKind, asset: truth::Asset) -> Self {
        Self {
            kind,
            asset,
            connections: Vec::new(),
            destinations: Vec::new(),
            sni: None,
            last: 0,
            bytes_out: 0,
            operations: None,
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
            required: self.kind.required(),
            asset: self.asset,
            first: self.connections[0],
            last: Time(self.last),
            connections: self.connections,
            destinations: self.destinations,
            sni: self.sni,
            bytes_out: self.bytes_out,
            operations: self.operations,
            mirror: None,
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
