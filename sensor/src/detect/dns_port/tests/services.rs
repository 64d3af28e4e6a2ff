//! What is no beacon, though its ports are odd.

use super::*;

#[test]
fn passive_ftp_is_silent() {
    let mut scene = scene();
    for session in 0..12u64 {
        let at = START + session * 20 * MINUTE;
        scene.resolve(at, GUEST, "ftp.mirror.example", "198.51.100.80");
        scene.connect(at + 1, GUEST, "198.51.100.80", 21);
        for transfer in 0..4 {
            let port = 50_000 + (session * 4 + transfer) * 97 % 10_000;
            scene.connect(at + 2 + transfer, GUEST, "198.51.100.80", port as u16);
        }
    }
    assert!(calculated(&scene.run(), GUEST).is_empty());
}

#[test]
fn ports_that_srv_and_https_records_announce_are_no_trials() {
    let mut scene = scene();
    for call in 0..8u64 {
        let (at, answer) = (START + call * HOUR, c2(call));
        let port = apt12(answer) as u16;
        let service =
            DnsData::Service { priority: 0, weight: 0, port, target: "edge.voip.example".into() };
        scene.dns(at, GUEST, "_sip._tcp.voip.example", &[service]);
        scene.resolve(at + 1, GUEST, "edge.voip.example", &text(answer));
        scene.connect(at + 2, GUEST, &text(answer), port);
    }
    assert!(calculated(&scene.run(), GUEST).is_empty());
}

/// Shard `i` of a service at address + `i` and port + `i`, used by one guest, then by others.
fn shards(scene: &mut Scene, guest: &str, day: u64) {
    for shard in 0..16u64 {
        let at = day * DAY + 9 * HOUR + shard * 10 * MINUTE;
        let address = format!("198.51.100.{}", 10 + shard);
        scene.resolve(at, guest, &format!("s{shard}.shards.example"), &address);
        scene.connect(at + 2, guest, &address, (7000 + shard) as u16);
    }
}

#[test]
fn a_sharded_service_is_low_at_most_and_nothing_once_learned() {
    let mut new = scene();
    shards(&mut new, GUEST, 2);
    assert_eq!(at_least(Severity::Medium, &new.run()), Vec::<String>::new());
    let mut learned = scene();
    shards(&mut learned, GUEST, 0);
    shards(&mut learned, GUEST, 2);
    assert_eq!(at_least(Severity::Low, &learned.run()), Vec::<String>::new());
}

/// Fails when only a pool in one network is known to have ports on a line.
#[test]
fn a_sharded_service_over_two_networks_is_low_at_most() {
    let mut scene = scene();
    for shard in 0..24u64 {
        let at = START + shard * 10 * MINUTE;
        let address = format!("198.51.{}.{}", 100 + shard % 2, 140 + shard);
        scene.resolve(at, GUEST, &format!("s{shard}.shards.example"), &address);
        scene.connect(at + 2, GUEST, &address, (53_373 + 140 + shard) as u16);
    }
    let told = scene.run();
    assert_eq!(at_least(Severity::Medium, &told), Vec::<String>::new());
    assert_eq!(calculated(&told, GUEST).len(), 1, "it has a formula");
}

/// Fails when a port is taken for a protocol's because peer-to-peer clients come by all ports: half of a
/// beacon's connections would be no trials.
#[test]
fn peer_to_peer_guests_do_not_make_all_ports_usual() {
    let mut scene = scene();
    for connection in 0..120_000u64 {
        let mixed = connection.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let guest = format!("10.1.0.{}", 1 + connection % 2);
        let port = 1025 + mixed % 64_000;
        scene.connect(DAY + connection / 2, &guest, &text(c2(mixed % 5000)), port as u16);
    }
    beacons(&mut scene, GUEST, 3, None, apt12);
    let told = scene.run();
    assert_eq!(delay(calculated(&told, GUEST)[0]), 2);
}

#[test]
fn a_port_that_a_protocol_uses_everywhere_is_no_trial() {
    let mut scene = scene();
    for hour in 0..10u64 {
        for guest in 1..=4u64 {
            let (at, answer) = (START + hour * HOUR + guest, c2(hour * 10 + guest));
            let client = format!("10.1.0.{guest}");
            scene.resolve(at, &client, "push.vendor.example", &text(answer));
            scene.connect(at + 2, &client, &text(answer), 5228);
        }
    }
    assert_eq!(at_least(Severity::Low, &scene.run()), Vec::<String>::new());
}

#[test]
fn many_answers_to_one_name_make_a_hit_worth_less() {
    let mut scene = scene();
    for call in 0..6u64 {
        let at = START + call * HOUR;
        let answers: Vec<DnsData> = (0..8)
            .map(|index| DnsData::Address(text(c2(call * 8 + index)).parse().unwrap()))
            .collect();
        scene.dns(at, GUEST, "pool.turn.example", &answers);
        let port = 10_000 + call * 6007 % 50_000;
        scene.connect(at + 2, GUEST, &text(c2(call * 8)), port as u16);
    }
    assert!(calculated(&scene.run(), GUEST).is_empty());
}

/// A peer-to-peer guest with thousands of connections to odd ports a day, and names alive.
#[test]
fn a_peer_to_peer_guest_is_silent() {
    let mut scene = scene();
    let mut state = 4242u64;
    let mut random = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 24
    };
    for connection in 0..3000u64 {
        let at = DAY + connection * 28;
        if connection % 2 == 0 {
            let name = format!("n{}.site{}.example", random() % 9, random() % 40);
            scene.resolve(at, GUEST, &name, &text(c2(random() % 400)));
        }
        scene.connect(at + 3, GUEST, &text(c2(random())), 1025 + (random() % 64_000) as u16);
    }
    let told = scene.run();
    assert!(calculated(&told, GUEST).is_empty(), "{:?}", at_least(Severity::Low, &told));
}

/// A pool in one /16 whose ports are a function of the address, but on no line: found as medium, and
/// taken back once a day has passed in which nothing was new.
#[test]
fn a_closed_set_of_pairs_over_a_pool_is_taken_back() {
    let mut scene = scene();
    for day in 2..5u64 {
        // What was used is forgotten as other ports are.
        scene.connect(day * DAY + 8 * HOUR, "10.1.0.2", "192.0.2.9", 40_000 + day as u16);
        for shard in 0..14u64 {
            let at = day * DAY + 9 * HOUR + shard * 10 * MINUTE;
            let (c, d) = (shard * 37 % 251, shard * 91 % 241);
            let address = format!("198.51.{c}.{d}");
            scene.resolve(at, GUEST, &format!("s{shard}.pool.example"), &address);
            scene.connect(at + 2, GUEST, &address, (c * 171 + d * 89 + 2000) as u16);
        }
    }
    let told = scene.run();
    let found = calculated(&told, GUEST);
    assert_eq!(found.len(), 1, "{told:#?}");
    assert_eq!((found[0].worst, found[0].severity), (Severity::Medium, Severity::Low));
    assert!(says(found[0], "no pair was new for a day"));
    assert!(found[0].alert.confidence < 0.15, "{}", found[0].alert.confidence);
}

#[test]
fn a_pool_that_several_guests_use_is_no_beacon() {
    let mut scene = scene();
    for guest in ["10.1.0.3", "10.1.0.4"] {
        for shard in 0..14u64 {
            let at = START + shard * 10 * MINUTE;
            let (c, d) = (shard * 37 % 251, shard * 91 % 241);
            let address = format!("198.51.{c}.{d}");
            scene.resolve(at, guest, &format!("s{shard}.pool.example"), &address);
            scene.connect(at + 2, guest, &address, (c * 171 + d * 89 + 2000) as u16);
        }
    }
    for told in scene.run() {
        assert_eq!(told.severity, Severity::Low, "{}", told.alert.summary);
        assert!(told.alert.confidence < 0.15, "{}", told.alert.confidence);
    }
}
