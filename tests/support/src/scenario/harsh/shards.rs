//! Services in many shards, whose port is a base and the last octet of the address: pools over one
//! network or two, used by few guests or many, some of them only after the time of learning.

use std::net::Ipv4Addr;

use super::{day, some};
use crate::rng::Rng;
use crate::scenario::benign::{Shards, sharded};
use crate::scenario::internet::{domain, public_v4};
use crate::scenario::scene::Scene;

pub(super) fn play(scene: &mut Scene<'_>, rng: &mut Rng) {
    for (number, share) in [0.004, 0.02, 0.06].into_iter().enumerate() {
        let mut rng = rng.stream(&format!("service {number}"));
        let networks = if rng.chance(0.5) { 1 } else { 2 };
        let [a, b, c, _] = public_v4(&mut rng).octets();
        let (low, count) = (rng.range(1, 180) as u8, rng.range(6, 48) as u8);
        let addresses: Vec<Ipv4Addr> = (0..count)
            .map(|shard| Ipv4Addr::new(a, b, c.wrapping_add(shard % networks), low + shard))
            .collect();
        let service =
            Shards { domain: domain(&mut rng), addresses, base: rng.range(5_000, 60_000) as u16 };
        for guest in some(scene, share, &mut rng) {
            let begins = if rng.chance(0.5) { scene.start() } else { day(scene, &mut rng) };
            super::note(scene, "sharded_service", &guest, begins);
            sharded(scene, &guest, (&service, begins), &mut rng.stream(&guest.name));
        }
    }
}
