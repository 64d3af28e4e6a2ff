//! What an estate does on odd ports in a month without anybody meaning harm.

use std::collections::BTreeMap;

use super::*;
use crate::alert::Alert;
use crate::detect::Engine;

/// Knuth's MMIX generator, so that every run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 24) % end
    }

    fn address(&mut self) -> String {
        text([20 + self.below(190), self.below(256), self.below(256), self.below(256)])
    }

    fn dynamic(&mut self) -> u16 {
        49_152 + self.below(16_384) as u16
    }

    fn odd(&mut self) -> u16 {
        1025 + self.below(64_000) as u16
    }
}

/// A day of one guest: everybody looks up names; who has a number of his kind does more.
fn day(scene: &mut Scene, random: &mut Random, number: u64, day: u64) {
    let guest = format!("10.1.{}.{}", number / 250, 1 + number % 250);
    let at = |random: &mut Random| day * DAY + 7 * HOUR + random.below(12 * HOUR);
    for _ in 0..25 {
        let (time, site) = (at(random), random.below(300));
        let name = format!("www.site{site}.example");
        match random.below(12) {
            0 => {
                let alias = format!("e{}.g{:04x}.cdn.example", random.odd(), random.below(65_536));
                let address = DnsData::Address(random.address().parse().unwrap());
                scene.dns(time, &guest, &name, &[DnsData::Name(alias.into()), address]);
            }
            1 => {
                let text = format!("v=spf1 ip4:{} token={:x} -all", random.address(), random.odd());
                scene.dns(time, &guest, &name, &[DnsData::Text(text.into())]);
            }
            2 => {
                let v6 = format!("2001:db8:{:x}::{:x}", random.below(9), random.below(65_536));
                scene.resolve(time, &guest, &name, &v6);
            }
            _ => scene.resolve(time, &guest, &name, &random.address()),
        }
        if random.below(25) == 0 {
            // What nobody knows: one odd connection a day.
            scene.connect(time + random.below(90), &guest, &random.address(), random.odd());
        }
    }
    match number % 100 {
        0..5 => passive_ftp(scene, random, &guest, day),
        5..15 => calls(scene, random, &guest, day),
        15..20 => remote_procedures(scene, random, &guest, day),
        20..25 => games(scene, random, &guest, day),
        25..35 => sharded(scene, random, &guest, day),
        35 => peer_to_peer(scene, random, &guest, day),
        _ => {}
    }
}

/// A control connection, and data to ports that it names.
fn passive_ftp(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    let time = day * DAY + 9 * HOUR + random.below(HOUR);
    scene.resolve(time, guest, "ftp.mirror.example", "198.51.100.80");
    scene.connect(time + 1, guest, "198.51.100.80", 21);
    for transfer in 0..10 {
        scene.connect(time + 2 + transfer * 20, guest, "198.51.100.80", random.dynamic());
    }
}

/// WebRTC: a relay by name, media to it and to the other side on any port.
fn calls(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    for _ in 0..5 {
        let time = day * DAY + 8 * HOUR + random.below(9 * HOUR);
        let relay = text([192, 0, 2, random.below(40)]);
        scene.resolve(time, guest, &format!("relay{}.call.example", random.below(40)), &relay);
        if random.below(2) == 0 {
            scene.connect(time + 1, guest, &relay, 3478);
        }
        scene.connect(time + 2, guest, &relay, random.dynamic());
        for peer in 0..4 {
            scene.connect(time + 2 + peer, guest, &random.address(), random.odd());
        }
    }
}

/// An endpoint mapper, and what it maps to.
fn remote_procedures(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    for call in 0..4 {
        let time = day * DAY + 8 * HOUR + call * HOUR + random.below(HOUR);
        let server = text([198, 51, 101, 1 + random.below(6)]);
        scene.resolve(time, guest, "rpc.partner.example", &server);
        scene.connect(time + 1, guest, &server, 135);
        scene.connect(time + 2, guest, &server, random.dynamic());
    }
}

/// Servers by name, each with a port of its own that nobody announces.
fn games(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    for _ in 0..8 {
        let time = day * DAY + 17 * HOUR + random.below(5 * HOUR);
        let server = random.address();
        scene.resolve(time, guest, &format!("s{}.play.example", random.below(5000)), &server);
        scene.connect(time + 3, guest, &server, 20_000 + random.below(20_000) as u16);
    }
}

/// Shard `i` at address + `i` and port + `i`.
fn sharded(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    for _ in 0..12 {
        let time = day * DAY + 8 * HOUR + random.below(9 * HOUR);
        let shard = random.below(24);
        let server = text([198, 51, 102, 10 + shard]);
        scene.resolve(time, guest, &format!("s{shard}.shards.example"), &server);
        scene.connect(time + 1, guest, &server, 7000 + shard as u16);
    }
}

/// Thousands of peers that no name led to, all day.
fn peer_to_peer(scene: &mut Scene, random: &mut Random, guest: &str, day: u64) {
    for _ in 0..3000 {
        let time = day * DAY + random.below(DAY);
        if random.below(2) == 0 {
            let name = format!("n{}.site{}.example", random.below(9), random.below(40));
            scene.resolve(time, guest, &name, &random.address());
        }
        scene.connect(time + 3, guest, &random.address(), random.odd());
    }
}

/// The worst that each alert of an estate of so many guests was in so many days.
fn alerts(guests: u64, days: u64) -> Vec<(Severity, String)> {
    let mut scene = Scene::unlearned();
    scene.configure(|config| {
        config.tls_egress.enabled = false;
        config.guest_operations.enabled = false;
        config.mirror_policy.enabled = false;
    });
    let mut engine = Engine::new(scene.config(), None, None);
    let mut random = Random(4242);
    let mut worst = BTreeMap::new();
    let mut note = |alert: Alert| {
        let known = worst.entry(alert.id).or_insert((alert.severity, String::new()));
        *known = (known.0.max(alert.severity), alert.summary);
    };
    for today in 0..days {
        (0..guests).for_each(|number| day(&mut scene, &mut random, number, today));
        scene.feed(&mut engine).into_iter().for_each(&mut note);
    }
    engine.finish();
    engine.drain_alerts().for_each(&mut note);
    worst.into_values().collect()
}

/// The guests of which each does something odd.
#[test]
fn two_days_of_odd_ports_are_silent() {
    let found = alerts(36, 2);
    assert!(found.iter().all(|(worst, _)| *worst <= Severity::Low), "{found:#?}");
}

/// Shown to hold before a release: `cargo test --release -p egret --lib -- --ignored a_month`.
#[test]
#[ignore = "ten seconds in release, minutes without optimisation"]
fn a_month_of_500_guests_raises_nothing_high_and_one_medium_at_most() {
    let found = alerts(500, 30);
    let count = |severity| found.iter().filter(|(worst, _)| *worst >= severity).count();
    let (high, medium) = (count(Severity::High), count(Severity::Medium));
    println!("{high} high or above, {medium} medium or above, {} in all: {found:#?}", found.len());
    assert!(high == 0 && medium <= 1);
}
