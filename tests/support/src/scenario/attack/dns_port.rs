//! Beacons to ports calculated from DNS answers (T1568.003).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use super::evasion::unasked_answer;
use super::{AttackKind, Planting, start};
use crate::dns::{Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, SECOND};
use crate::scenario::conversation::Tcp;
use crate::scenario::estate::Asset;
use crate::scenario::harsh::faults::Faults;
use crate::scenario::internet;
use crate::scenario::scene::Scene;
use crate::scenario::truth::{self, Time};

mod formula;

pub use formula::Formula;

/// A beacon from some minute on until the capture ends, at most forty times.
pub(super) fn play(
    scene: &mut Scene<'_>,
    asset: &Asset,
    (kind, formula): (AttackKind, Formula),
    rng: &mut Rng,
) {
    const AT_LEAST: u64 = 10;
    let room = scene.end() - scene.learned() - 10 * MINUTE;
    let interval = *rng.pick(&[4 * MINUTE, 15 * MINUTE, 40 * MINUTE, 2 * HOUR]);
    let interval = interval.min(room * 2 / 3 / AT_LEAST);
    let mut time = start(scene, interval * AT_LEAST * 5 / 4, rng);
    let beacon = Beacon {
        formula,
        constants: constants(rng),
        name: format!("{}.{}", internet::word(rng), internet::domain(rng)),
        fixed: internet::public_v4(rng).into(),
        first_octet: rng.range(20, 223) as u8,
        roams: scene.plan.harsh && rng.chance(0.5),
    };
    let mut planting = Planting::new(kind, asset);
    let mut pairs = BTreeSet::new();
    let mut decoys = Vec::new();
    let faults = Faults::of(scene);
    let mut shown = Vec::new();
    for _ in 0..40 {
        if time + MINUTE > scene.end() {
            break;
        }
        let (answer, port) = beacon.answer(&mut pairs, rng);
        match kind {
            AttackKind::DnsPortDecoys(_) => {
                decoys.extend(beacon.decoys(scene, asset, (answer, port), time, rng));
            }
            AttackKind::DnsPortSpoofed(_) => beacon.spoof(scene, asset, time, rng),
            _ => {}
        }
        beacon.call(scene, asset, &mut planting, (answer, port), time, rng);
        let is_hidden = faults.as_ref().is_some_and(|faults| faults.hide(asset.mac, time));
        shown.extend(planting.connections.last().filter(|_| !is_hidden));
        time += interval * rng.range(80, 120) / 100;
    }
    // Those without an answer on the mirror cannot count for anybody.
    if !shown.is_empty() {
        planting.connections = shown;
    }
    planting.beacon = Some(truth::Beacon {
        formula: formula.name().into(),
        family: formula.family().into(),
        elsewhere: matches!(kind, AttackKind::DnsPortElsewhere(_)),
        decoys,
    });
    planting.done(scene, "AN0731");
}

struct Beacon {
    formula: Formula,
    constants: [u32; 6],
    name: String,
    /// Where it connects when not to the answer.
    fixed: IpAddr,
    /// The first octet of all answers; with a small one a product hardly leaves the well-known ports.
    first_octet: u8,
    /// Whether answers have other first octets all the same.
    roams: bool,
}

impl Beacon {
    /// Asks, calculates, connects.
    fn call(
        &self,
        scene: &mut Scene<'_>,
        asset: &Asset,
        planting: &mut Planting,
        (answer, port): (Ipv4Addr, u16),
        time: u64,
        rng: &mut Rng,
    ) {
        let ttl = *rng.pick(&[30, 60, 300]);
        let record = Record { name: self.name.clone(), ttl, data: Data::A(answer) };
        let known = scene.lookup(asset, (&self.name, rtype::A), &[record], time, rng);
        let opened = known + rng.range(SECOND / 10, 20 * SECOND);
        let to = match planting.kind {
            AttackKind::DnsPortElsewhere(_) => self.fixed,
            _ => answer.into(),
        };
        if matches!(planting.kind, AttackKind::DnsPortRefused(_)) {
            let path = scene.path(asset, to, port, rng);
            let tcp = Tcp::refused(&mut scene.recording, path, opened, 40_000_000, rng);
            return planting.connection((to, port), opened, tcp.now, tcp.wire[0]);
        }
        if matches!(planting.kind, AttackKind::DnsPortLogged(_)) {
            scene.log_connection(asset, (to, port), opened, rng);
            return planting.connection((to, port), opened, opened, 0);
        }
        let mut tcp = scene.tcp(asset, to, port, opened, rng);
        let mut message = [0; 96];
        rng.fill(&mut message);
        tcp.send(true, &message[..rng.range(40, 96) as usize]);
        tcp.send(false, &message[..rng.range(16, 64) as usize]);
        let ended = tcp.close();
        let bytes_out = tcp.wire[0];
        planting.connection((to, port), opened, ended, bytes_out);
    }

    /// Connections to other ports of the place that was answered last, one to six of them: what comes
    /// of one is soon over.
    fn decoys(
        &self,
        scene: &mut Scene<'_>,
        asset: &Asset,
        (answer, port): (Ipv4Addr, u16),
        time: u64,
        rng: &mut Rng,
    ) -> Vec<Time> {
        let mut opened = Vec::new();
        for number in 1..=rng.range(1, 6) {
            let decoy = rng.range(1025, 65_535) as u16;
            if decoy == port {
                continue;
            }
            let now = time + MINUTE + number * rng.range(5 * SECOND, 20 * SECOND);
            scene.tcp(asset, answer.into(), decoy, now, rng).close();
            opened.push(Time(now));
        }
        opened
    }

    /// Answers that nobody asked for: some for the beacon's own name, some for others.
    fn spoof(&self, scene: &mut Scene<'_>, asset: &Asset, time: u64, rng: &mut Rng) {
        for number in 0..20 {
            let other = format!("{}.{}", internet::word(rng), internet::domain(rng));
            let name = if number % 4 == 0 { &self.name } else { &other };
            let now = time - rng.range(SECOND, 30 * SECOND);
            let address = internet::public_v4(rng).into();
            unasked_answer(scene, asset, (name, address), now, rng);
        }
    }

    /// An answer that gives a port a client may connect to, and that it did not have before.
    fn answer(&self, pairs: &mut BTreeSet<u16>, rng: &mut Rng) -> (Ipv4Addr, u16) {
        loop {
            let [a, b, c, d] = internet::public_v4(rng).octets();
            let first = if self.roams { a } else { self.first_octet };
            let answer = Ipv4Addr::new(first, b, c, d);
            let port = self.formula.port(answer, self.constants);
            if port > 1024 && !answer.is_private() && pairs.insert(port) {
                return (answer, port);
            }
        }
    }
}

/// Offset, modulus and four multipliers.
fn constants(rng: &mut Rng) -> [u32; 6] {
    let mut constants = [0; 6].map(|_: u32| rng.range(3, 251) as u32 | 1);
    constants[0] = rng.range(1025, 9000) as u32;
    constants[1] = rng.range(20_000, 50_000) as u32;
    constants
}
