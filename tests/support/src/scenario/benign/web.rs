//! Guests and the services they use: habits, and now and then a place that is new.

use std::rc::Rc;

use crate::dns::{self, Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, Rhythm, SECOND};
use crate::scenario::estate::{Asset, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::scene::{Remembered, Scene};

/// Every guest's days on the web.
pub(super) fn play(scene: &mut Scene<'_>) {
    for guest in scene.estate.guests.clone() {
        let label = format!("web {}", guest.name);
        let mut rng = scene.rng_today(&label);
        habits(scene, &guest, &mut rng);
        let mut rng = scene.rng_today(&format!("new places {}", guest.name));
        new_places(scene, &guest, &mut rng);
        let mut rng = scene.rng_today(&format!("lookups {}", guest.name));
        idle_lookups(scene, &guest, &mut rng);
        let mut rng = scene.rng_today(&format!("push {}", guest.name));
        if guest.role == Role::Desktop {
            push_messages(scene, &guest, &mut rng);
        }
        let mut rng = scene.rng_today(&format!("resolver {}", guest.name));
        if guest.asks_over_https {
            resolver_over_https(scene, &guest, &mut rng);
        }
    }
}

/// The services a guest uses, those used most first. Everyone's first choices are alike.
pub(in crate::scenario) fn favourites(scene: &Scene<'_>, guest: &Asset) -> Vec<Rc<Service>> {
    let mut rng = scene.rng(&format!("favourites {}", guest.name));
    let count = match guest.role {
        Role::Desktop => 22,
        Role::Legacy => 4,
        Role::Database => 3,
        _ => 9,
    };
    let mut ranks: Vec<usize> = Vec::new();
    while ranks.len() < count {
        let rank = rng.zipf(scene.popular.len());
        if !ranks.contains(&rank) {
            ranks.push(rank);
        }
    }
    ranks.into_iter().map(|rank| Rc::clone(&scene.popular[rank])).collect()
}

const fn rhythm(guest: &Asset) -> Rhythm {
    match guest.role {
        Role::Desktop => Rhythm::Office,
        Role::Database => Rhythm::Constant,
        _ => Rhythm::Service,
    }
}

fn habits(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let favourites = favourites(scene, guest);
    let per_day = scene.plan.sessions_per_day
        * match guest.role {
            Role::Desktop => 1.3,
            Role::Database | Role::Legacy => 0.35,
            _ => 1.0,
        };
    let mut remembered = Remembered::default();
    for time in scene.times(per_day, rhythm(guest), rng) {
        let service = &favourites[rng.zipf(favourites.len())];
        // One in fifty is a person who sends a document.
        let up = if guest.role == Role::Desktop && rng.chance(0.02) {
            rng.lognormal(8e5, 0.9)
        } else {
            rng.lognormal(2500.0, 1.1)
        };
        let level = scene.level(guest, time);
        let volumes = ((up * level) as u64, (rng.lognormal(3e4, 1.6).min(2e7) * level) as u64);
        scene.visit(&mut remembered, guest, service, volumes, time, rng);
    }
}

/// Registered domains that this guest never visited: mostly its own discoveries, sometimes what
/// others know already. Most take little, a few take megabytes.
fn new_places(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let per_day = scene.plan.new_places_per_day;
    let mut remembered = Remembered::default();
    for time in scene.times(per_day, rhythm(guest), rng) {
        let service = if rng.chance(0.4) {
            Rc::clone(rng.pick(&scene.popular))
        } else {
            Rc::new(Service::site(&internet::domain(rng), rng))
        };
        let up = rng.pareto(3e4, 0.7, 1e7) as u64;
        let down = rng.lognormal(2e5, 1.8).min(5e7) as u64;
        let visit = scene.visit(&mut remembered, guest, &service, (up, down), time, rng);
        scene.note("new_place", guest, &visit);
        for _ in 0..rng.below(4) {
            let again = time + rng.below(HOUR);
            let volumes = (rng.lognormal(3000.0, 1.0) as u64, rng.lognormal(3e4, 1.2) as u64);
            scene.visit(&mut remembered, guest, &service, volumes, again, rng);
        }
    }
}

/// A session that stays open all day and says little: how clients wait for messages.
fn push_messages(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let service = Service::site("push-gateway.com", &mut scene.rng("push gateway"));
    let mut remembered = Remembered::default();
    for time in scene.daily(7 * HOUR, 2 * HOUR, rng) {
        let host = "stream.push-gateway.com";
        let (to, now) = scene.resolve(&mut remembered, guest, &service, host, time, rng);
        let path = scene.path(guest, to, service.port, rng);
        let mut tcp = scene.tls_open(path, guest.role.client(), Some(host), now, rng);
        for _ in 0..rng.range(60, 140) {
            tcp.bulk(rng.chance(0.4), rng.range(60, 1200), 0);
            tcp.pause(rng.range(30 * SECOND, 8 * MINUTE));
        }
        tcp.close();
    }
}

/// A resolver that is asked over HTTPS (RFC 8484).
fn resolver_over_https(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    scene.note_habit("resolver_over_https", guest);
    let service = Service::site("secure-resolver.net", &mut scene.rng("resolver over https"));
    let mut remembered = Remembered::default();
    for time in scene.times(40.0, rhythm(guest), rng) {
        let volumes = (rng.lognormal(4000.0, 0.7) as u64, rng.lognormal(9000.0, 0.7) as u64);
        scene.visit(&mut remembered, guest, &service, volumes, time, rng);
    }
}

/// Questions that lead to no connection: reverse lookups, mail policies, HTTPS records, typing errors.
fn idle_lookups(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    for time in scene.times(40.0, rhythm(guest), rng) {
        let domain = internet::domain(rng);
        let name;
        let (rtype, data) = match rng.below(4) {
            0 => {
                name = dns::reverse_name(internet::public_v4(rng).into());
                (rtype::PTR, Some(Data::Ptr(format!("host.{domain}"))))
            }
            1 => {
                name = domain.clone();
                (rtype::TXT, Some(Data::Txt(format!("v=spf1 include:_spf.{domain} -all"))))
            }
            2 => {
                name = format!("www.{domain}");
                let hints = vec![internet::public_v4(rng)];
                let data = Data::Https { priority: 1, target: String::new(), port: None, hints };
                (rtype::HTTPS, Some(data))
            }
            _ => {
                name = format!("wwww.{domain}");
                (rtype::A, None)
            }
        };
        let answers: Vec<Record> =
            data.into_iter().map(|data| Record { name: name.clone(), ttl: 600, data }).collect();
        scene.lookup(guest, (&name, rtype), &answers, time, rng);
    }
}
