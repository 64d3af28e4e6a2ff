//! Odd ports with a reason: announced ones, drawn ones, and peers that have no reason but chance.

use std::net::{IpAddr, Ipv4Addr};

use crate::dns::{Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::Packets;
use crate::scenario::calendar::{MINUTE, Rhythm, SECOND};
use crate::scenario::conversation::Tcp;
use crate::scenario::estate::{Asset, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene, Session};
use crate::wire::Payload;

mod announced;

/// Something a guest does all its days.
type Habit = fn(&mut Scene<'_>, &Asset, &mut Rng);

/// All of them, from the first day on.
pub(super) fn play(scene: &mut Scene<'_>) {
    for (number, guest) in scene.estate.guests.clone().iter().enumerate() {
        let habits: [(bool, &str, Habit); 6] = [
            (guest.role == Role::Desktop, "calls", media_calls),
            (number % 7 == 3, "literal", by_address_only),
            (number % 8 == 4, "ftp", announced::passive_ftp),
            (number % 3 == 1, "rpc", announced::remote_procedures),
            (number % 5 == 2, "service", announced::located_service),
            (number % 5 == 1, "shards", sharded_service),
        ];
        for (_, label, habit) in habits.into_iter().filter(|(has, ..)| *has) {
            let mut rng = scene.rng(&format!("{label} {}", guest.name));
            habit(scene, guest, &mut rng);
        }
    }
    if let Some(guest) = peer_to_peer_guest(scene) {
        let mut rng = scene.rng("peers");
        scene.note_habit("peer_to_peer", &guest);
        peers(scene, &guest, 500.0, &mut rng);
    }
}

/// The guest that shares files with strangers; small estates have none.
pub(in crate::scenario) fn peer_to_peer_guest(scene: &Scene<'_>) -> Option<std::rc::Rc<Asset>> {
    scene.estate.guests.get(10).cloned()
}

/// Video calls: STUN, then media over UDP to ports drawn by chance.
fn media_calls(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    const STUN_REQUEST: [u8; 8] = [0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42];
    let mut shared = scene.rng("stun");
    let stun = Service::site("stun-relay.net", &mut shared);
    let rng = &mut scene.today_of(rng);
    let mut remembered = Remembered::default();
    for time in scene.times(1.0, Rhythm::Office, rng) {
        let (server, mut now) =
            scene.resolve(&mut remembered, guest, &stun, "stun.stun-relay.net", time, rng);
        let path = scene.path(guest, server, 3478, rng);
        scene.datagram(&path, now, Payload::cut(&STUN_REQUEST, 28), rng);
        scene.datagram(&path.back(), now + 20_000_000, Payload::cut(&STUN_REQUEST, 60), rng);
        for _ in 0..rng.range(1, 3) {
            let peer = IpAddr::from(internet::public_v4(rng));
            let path = scene.path(guest, peer, rng.range(10_000, 60_000) as u16, rng);
            let is_short = scene.plan.packets == Packets::Openings;
            for _ in 0..if is_short { 1 } else { rng.range(20, 150) } {
                now += rng.range(SECOND / 2, 2 * SECOND);
                scene.datagram(&path, now, Payload::cut(&[0x80, 0x60], 60_000), rng);
                scene.datagram(
                    &path.back(),
                    now + 5_000_000,
                    Payload::cut(&[0x80, 0x60], 60_000),
                    rng,
                );
            }
        }
    }
}

/// A partner's server that is configured by address: TLS without a name, never resolved.
fn by_address_only(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let service = Service::literal(rng);
    let rng = &mut scene.today_of(rng);
    let mut remembered = Remembered::default();
    for (number, time) in scene.times(24.0, Rhythm::Constant, rng).into_iter().enumerate() {
        let volumes = (rng.lognormal(8000.0, 0.8) as u64, rng.lognormal(2e4, 1.0) as u64);
        let visit = scene.visit(&mut remembered, guest, &service, volumes, time, rng);
        if number == 0 {
            scene.note("by_address_only", guest, &visit);
        }
    }
}

/// A service in shards: each has an address and the port base + last octet.
pub(in crate::scenario) struct Shards {
    pub(in crate::scenario) domain: String,
    pub(in crate::scenario) addresses: Vec<Ipv4Addr>,
    pub(in crate::scenario) base: u16,
}

/// Several guests use the same few shards for ever, some of them only after the time of learning.
fn sharded_service(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let mut shared = scene.rng("shards");
    let [a, b, c, _] = internet::public_v4(&mut shared).octets();
    let base = shared.range(20, 200) as u8;
    let service = Shards {
        domain: "cluster-store.net".into(),
        addresses: (0..10).map(|shard| Ipv4Addr::new(a, b, c, base + shard)).collect(),
        base: 27_000,
    };
    scene.note_habit("sharded_service", guest);
    let from = if rng.chance(0.5) { scene.start() } else { scene.learned() };
    sharded(scene, guest, (&service, from), rng);
}

/// A guest's day with a service in shards, which it uses from some time on.
pub(in crate::scenario) fn sharded(
    scene: &mut Scene<'_>,
    guest: &Asset,
    (service, from): (&Shards, u64),
    rng: &mut Rng,
) {
    let rng = &mut scene.today_of(rng);
    for time in scene.times_since(from, 30.0, Rhythm::Service, rng) {
        let shard = rng.below(service.addresses.len() as u64) as usize;
        let address = service.addresses[shard];
        let port = service.base + u16::from(address.octets()[3]);
        let name = format!("shard-{shard:02}.{}", service.domain);
        let answer = Record { name: name.clone(), ttl: 30, data: Data::A(address) };
        let now = scene.lookup(guest, (&name, rtype::A), &[answer], time, rng) + SECOND / 100;
        let session = Session {
            sni: Some(&name),
            client: guest.role.client(),
            up: rng.lognormal(3000.0, 0.7) as u64,
            down: rng.lognormal(2e4, 1.0) as u64,
            over: rng.range(SECOND / 10, 30 * SECOND),
        };
        scene.tls(guest, (address.into(), port), session, now, rng);
    }
}

/// Peers at addresses and ports of their own choice; half of them are gone.
pub(in crate::scenario) fn peers(
    scene: &mut Scene<'_>,
    guest: &Asset,
    per_day: f64,
    rng: &mut Rng,
) {
    let rng = &mut scene.today_of(rng);
    for time in scene.times(per_day, Rhythm::Service, rng) {
        let peer = IpAddr::from(internet::public_v4(rng));
        let path = scene.path(guest, peer, rng.range(1025, 65_535) as u16, rng);
        match rng.below(4) {
            0 => {
                Tcp::refused(&mut scene.recording, path, time, 60_000_000, rng);
            }
            1 => {
                let volumes = (rng.lognormal(4000.0, 1.5) as u64, rng.lognormal(2e5, 1.5) as u64);
                let over = rng.range(SECOND, 5 * MINUTE);
                scene.transfer(guest, (peer, path.to.port), volumes, over, time, rng);
            }
            _ => {
                scene.datagram(&path, time, Payload::cut(b"d1:ad2:id20:", 110), rng);
                if rng.chance(0.5) {
                    let answer = Payload::cut(b"d1:rd2:id20:", 320);
                    scene.datagram(&path.back(), time + 80_000_000, answer, rng);
                }
            }
        }
    }
}
