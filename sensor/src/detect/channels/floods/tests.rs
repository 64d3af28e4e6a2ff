use super::super::tests::{UNANSWERED, UNASKED, World};
use super::*;

/// A client of its own for each number.
fn client(n: u64) -> String {
    format!("203.{}.{}.9", n / 250 % 250, n % 250)
}

#[test]
fn a_flood_of_handshakes_that_are_never_completed_is_told_of() {
    let mut world = World::new();
    (0..500).for_each(|n| world.vain(60 + n / 20, [&client(n), "10.1.0.2"], 443, UNANSWERED));
    world.is_quiet();
    (0..5000).for_each(|n| world.vain(120 + n / 200, [&client(n), "10.1.0.2"], 443, UNANSWERED));
    assert_eq!(world.names(), ["half_open_flood"]);
    assert_eq!(world.alerts()[0].severity, Severity::Medium);
}

#[test]
fn a_burst_of_single_packets_is_told_of_and_a_scan_a_minute_is_not() {
    let mut world = World::new();
    let send = |world: &mut World, from: u64, count: u64| {
        (0..count).for_each(|n| world.udp(from + n / 100, ["10.1.0.2", &client(n)], 7, [60, 0]));
    };
    send(&mut world, 60, 900);
    world.is_quiet();
    send(&mut world, 120, 3000);
    assert_eq!(world.names(), ["single_packet_flood"]);
}

#[test]
fn answers_that_nobody_asked_for_are_told_of() {
    let mut world = World::new();
    (0..400).for_each(|n| world.vain(60 + n / 10, ["10.1.0.2", &client(n)], 443, UNASKED));
    assert_eq!(world.names(), ["syn_ack_flood"]);
    let mut world = World::new();
    (0..400).for_each(|n| world.tcp(60 + n / 10, ["10.1.0.2", &client(n)], 443, [500, 500]));
    world.is_quiet();
}

#[test]
fn udp_to_many_reflectors_is_told_of_and_a_resolvers_rate_is_not() {
    let mut world = World::new();
    (0..600).for_each(|n| world.udp(60 + n * 2, ["10.1.0.2", &client(n)], 53, [80, 300]));
    world.is_quiet();
    (0..200).for_each(|n| world.udp(3000 + n / 10, ["10.1.0.2", &client(n)], 11211, [80, 0]));
    assert_eq!(world.names(), ["udp_reflection"]);
    assert_eq!(world.alerts()[0].severity, Severity::Medium);
}

#[test]
fn a_spike_on_a_web_port_is_one_against_the_most_that_was_seen() {
    let mut world = World::new();
    let load = |world: &mut World, minute: u64, count: u64| {
        (0..count).for_each(|n| {
            world.tcp(minute * 60, [&client(n), "10.1.0.2"], 443, [500, 500]);
        });
    };
    (0..70).for_each(|minute| load(&mut world, minute, 150));
    load(&mut world, 70, 1000);
    let web = |world: &World| world.names().iter().filter(|name| *name == "web_spike").count();
    assert_eq!(web(&world), 0, "less than 8 times as much");
    load(&mut world, 80, 9000);
    assert_eq!(web(&world), 1);
}
