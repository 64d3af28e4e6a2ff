//! Beacons to ports calculated from DNS answers (T1568.003).

use std::net::{IpAddr, Ipv4Addr};

use super::{AttackKind, Planting, start};
use crate::dns::{Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, SECOND};
use crate::scenario::conversation::Tcp;
use crate::scenario::estate::Asset;
use crate::scenario::internet;
use crate::scenario::scene::Scene;

/// How a port follows from the octets a.b.c.d of an answer, modulo 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// `a*b + c`, as APT12 did.
    Apt12,
    /// `c*256 + d`: the last hexadecimal digits.
    LastOctets,
    /// `(a^b)*256 + (c^d)`.
    Xor,
    /// `a*b + k`.
    ProductOffset,
    /// `k + a*b*c mod m`.
    ProductModulus,
    /// `k + m1*a + m2*b + m3*c + m4*d`.
    Multipliers,
}

impl Formula {
    /// Its name in the truth.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apt12 => "apt12",
            Self::LastOctets => "last_octets",
            Self::Xor => "xor",
            Self::ProductOffset => "product_offset",
            Self::ProductModulus => "product_modulus",
            Self::Multipliers => "multipliers",
        }
    }

    /// The port for `answer`; `constants` are the beacon's own.
    pub fn port(self, answer: Ipv4Addr, constants: [u32; 6]) -> u16 {
        let [a, b, c, d] = answer.octets().map(u32::from);
        let [offset, modulus, multipliers @ ..] = constants;
        let port = match self {
            Self::Apt12 => a * b + c,
            Self::LastOctets => c * 256 + d,
            Self::Xor => (a ^ b) * 256 + (c ^ d),
            Self::ProductOffset => a * b + offset,
            Self::ProductModulus => offset + a * b * c % modulus,
            Self::Multipliers => {
                let octets = [a, b, c, d];
                offset + octets.iter().zip(multipliers).map(|(octet, by)| octet * by).sum::<u32>()
            }
        };
        port as u16
    }
}

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
    };
    let mut planting = Planting::new(kind, asset);
    for _ in 0..40 {
        if time + MINUTE > scene.end() {
            break;
        }
        beacon.call(scene, asset, &mut planting, time, rng);
        time += interval * rng.range(80, 120) / 100;
    }
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
}

impl Beacon {
    /// Asks, calculates, connects.
    fn call(
        &self,
        scene: &mut Scene<'_>,
        asset: &Asset,
        planting: &mut Planting,
        time: u64,
        rng: &mut Rng,
    ) {
        let (answer, port) = self.answer(rng);
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

    /// An answer that gives a port a client may connect to.
    fn answer(&self, rng: &mut Rng) -> (Ipv4Addr, u16) {
        loop {
            let [_, b, c, d] = internet::public_v4(rng).octets();
            let answer = Ipv4Addr::new(self.first_octet, b, c, d);
            let port = self.formula.port(answer, self.constants);
            if port > 1024 && !answer.is_private() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_formula() {
        let answer = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!(Formula::Apt12.port(answer, [0; 6]), 198 * 51 + 100);
        assert_eq!(Formula::LastOctets.port(answer, [0; 6]), 0x6407);
    }
}
