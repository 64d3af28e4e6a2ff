//! Guests that serve the outside: what they send was asked for from there.

use crate::rng::Rng;
use crate::scenario::calendar::Rhythm;
use crate::scenario::estate::{Asset, Role};
use crate::scenario::internet;
use crate::scenario::scene::{Scene, Session, duration};
use crate::tls::Client;

/// Every fourth server is published.
pub(super) fn play(scene: &mut Scene<'_>) {
    let servers: Vec<_> =
        scene.estate.guests.iter().filter(|guest| guest.role == Role::Server).cloned().collect();
    for guest in servers.iter().step_by(4) {
        let mut rng = scene.rng_today(&format!("published {}", guest.name));
        published(scene, guest, &mut rng);
    }
}

/// Visitors from everywhere, some of whom fetch a lot.
fn published(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    scene.note_habit("published_server", guest);
    for time in scene.times(60.0, Rhythm::Service, rng) {
        let visitor = internet::public_v4(rng).into();
        let port = rng.range(1025, 65_535) as u16;
        let path = scene.estate.path(guest, 443, visitor, port).back();
        let down = rng.lognormal(4e5, 1.5).min(1e8) as u64;
        let session = Session {
            sni: Some("portal.estate-corp.com"),
            client: if rng.chance(0.6) { Client::Browser } else { Client::Agent },
            up: rng.lognormal(2000.0, 0.8) as u64,
            down,
            over: duration(down, rng),
        };
        scene.tls_on(path, session, time, rng);
    }
}
