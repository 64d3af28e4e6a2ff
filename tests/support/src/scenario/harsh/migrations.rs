//! Machines that move: the MAC address stays, host and VLAN change, and of half of them the address. A
//! vMotion carries the memory first.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::{day, note, some};
use crate::rng::Rng;
use crate::scenario::calendar::{MINUTE, SECOND};
use crate::scenario::estate::Asset;
use crate::scenario::scene::Scene;

/// A move at midnight.
struct Move {
    guest: Rc<Asset>,
    at: u64,
    /// Its new address, where it gets one.
    address: Option<Ipv4Addr>,
}

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for Move { guest, at, address } in moves(scene, rng) {
        let mut rng = rng.stream(&guest.name);
        let memory = rng.range(2, 8) * 1_000_000_000;
        let hosts = scene.estate.hosts.len() as u64;
        let from = rng.below(hosts) as usize;
        let to = (from + 1 + rng.below(hosts - 1) as usize) % hosts as usize;
        note(scene, "migration", &guest, at);
        if !scene.today().contains(&at) {
            continue;
        }
        let (from, to) = (scene.estate.hosts[from].clone(), scene.estate.hosts[to].v4);
        let over = rng.range(30 * SECOND, 3 * MINUTE);
        scene.transfer(&from, (to.into(), 8000), (memory, memory / 1000), over, at, &mut rng);
        scene.estate.replace(guest.moved(address));
    }
}

/// Guests that get another address: who attacks from one does not change it meanwhile.
pub(in crate::scenario) fn readdressed(scene: &Scene<'_>) -> Vec<String> {
    let mut rng = scene.rng("harsh migration");
    let moves = moves(scene, &mut rng).into_iter();
    moves.filter(|moved| moved.address.is_some()).map(|moved| moved.guest.name.clone()).collect()
}

fn moves(scene: &Scene<'_>, rng: &mut Rng) -> Vec<Move> {
    let mut moves = Vec::new();
    for guest in some(scene, 0.06, rng) {
        let at = day(scene, rng);
        let [a, b, c, d] = guest.v4.octets();
        let address = rng.chance(0.5).then(|| Ipv4Addr::new(a, b, c | 0x80, d));
        moves.push(Move { guest, at, address });
    }
    moves
}
