//! What happens every day, and the harmless things that look like attacks.

use super::scene::Scene;
use super::{Packets, harsh};

mod changes;
mod cloud;
mod inbound;
mod inside;
mod management;
mod ports;
mod web;

pub(super) use cloud::habitual;
pub(super) use ports::{Shards, peer_to_peer_guest, peers, sharded};
pub(super) use web::favourites;

/// Lets all of it happen.
pub(super) fn play(scene: &mut Scene<'_>) {
    if scene.plan.harsh {
        harsh::play(scene);
    }
    web::play(scene);
    if scene.plan.packets == Packets::Openings {
        return ports::play(scene);
    }
    inside::play(scene);
    management::play(scene);
    cloud::play(scene);
    if scene.plan.hard_negatives {
        inbound::play(scene);
        changes::play(scene);
        ports::play(scene);
    }
}
