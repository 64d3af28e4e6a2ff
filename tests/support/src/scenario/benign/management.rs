//! The management components' days: vCenter and its hosts, migrations, copies, updates.

use crate::dns::{self, Data, Record, rtype};
use crate::rng::Rng;
use crate::scenario::calendar::{HOUR, MINUTE, Rhythm, SECOND};
use crate::scenario::estate::TIME_SERVER;
use crate::scenario::internet::Service;
use crate::scenario::scene::{Remembered, Scene, Session};
use crate::tls::Client;
use crate::wire::Payload;

/// All of it.
pub(super) fn play(scene: &mut Scene<'_>) {
    let mut rng = scene.rng_today("control");
    control(scene, &mut rng);
    let mut rng = scene.rng_today("migrations");
    migrations(scene, &mut rng);
    let mut rng = scene.rng("updates");
    updates(scene, &mut rng);
}

/// vCenter's sessions to its hosts, the hosts' heartbeats, names and clocks.
fn control(scene: &mut Scene<'_>, rng: &mut Rng) {
    let vcenter = scene.estate.vcenter.clone();
    for host in scene.estate.hosts.clone() {
        let name = format!("{}.corp.example", host.name);
        for time in scene.times(96.0, Rhythm::Constant, rng) {
            let session = Session {
                sni: Some(&name),
                client: Client::Agent,
                up: rng.lognormal(4000.0, 0.8) as u64,
                down: rng.lognormal(2e4, 1.0) as u64,
                over: rng.range(SECOND, 20 * SECOND),
            };
            scene.tls(&vcenter, (host.v4.into(), 443), session, time, rng);
        }
        for time in scene.times(288.0, Rhythm::Constant, rng) {
            let path = scene.estate.path(&host, 902, vcenter.v4.into(), 902);
            scene.datagram(&path, time, Payload::cut(&[0x4d, 0x56, 0, 1], 64), rng);
        }
        for time in scene.times(48.0, Rhythm::Constant, rng) {
            let path = scene.estate.path(&host, 123, TIME_SERVER, 123);
            scene.datagram(&path, time, Payload::cut(&[0x23], 48), rng);
            scene.datagram(&path.back(), time + 300_000, Payload::cut(&[0x24], 48), rng);
            let reverse = dns::reverse_name(host.v4.into());
            let data = Data::Ptr(name.clone());
            let answer = Record { name: reverse.clone(), ttl: 3600, data };
            scene.lookup(&vcenter, (&reverse, rtype::PTR), &[answer], time + SECOND, rng);
        }
    }
}

/// vMotion (8000) and network file copies (902) between hosts.
fn migrations(scene: &mut Scene<'_>, rng: &mut Rng) {
    let hosts = scene.estate.hosts.clone();
    if hosts.len() < 2 {
        return;
    }
    for (port, per_day) in [(8000, 2.0), (902, 1.0)] {
        for time in scene.times(per_day, Rhythm::Constant, rng) {
            let from = rng.below(hosts.len() as u64) as usize;
            let to = (from + rng.range(1, hosts.len() as u64 - 1) as usize) % hosts.len();
            let bytes = (rng.lognormal(4e8, 0.5) * scene.plan.bulk) as u64;
            let to = (hosts[to].v4.into(), port);
            let over = rng.range(20 * SECOND, 4 * MINUTE);
            scene.transfer(&hosts[from], to, (bytes, bytes / 1000), over, time, rng);
        }
    }
}

/// Updates from the vendor's depot, which the config approves.
fn updates(scene: &mut Scene<'_>, rng: &mut Rng) {
    if scene.is_first_day() {
        scene.approved.push(
            "role = [\"esxi\", \"vcenter\"]\nsni = [\"*.vmware.com\", \"*.broadcom.com\"]\n\
             port = [443]\nnote = \"update depot\"\n"
                .into(),
        );
    }
    let depots = ["vmware.com", "broadcom.com"].map(|domain| Service::site(domain, rng));
    let rng = &mut scene.today_of(rng);
    let mut components = scene.estate.hosts.clone();
    components.push(scene.estate.vcenter.clone());
    for component in components {
        let mut remembered = Remembered::default();
        for time_of_day in [4 * HOUR, 16 * HOUR] {
            for time in scene.daily(time_of_day, HOUR, rng) {
                let volumes = (rng.lognormal(6000.0, 0.5) as u64, rng.lognormal(4e6, 1.0) as u64);
                let depot = &depots[rng.below(2) as usize];
                scene.visit(&mut remembered, &component, depot, volumes, time, rng);
            }
        }
    }
}
