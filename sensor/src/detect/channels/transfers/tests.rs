use super::super::tests::{WHOLE, World, sni};
use super::*;
use crate::decode::protocol;
use crate::event::{Body, Flow};

const ENDS: [&str; 2] = ["10.1.0.1", "203.0.113.9"];

fn upload(world: &mut World, from: u64, out: u64, back: u64) {
    let flow = world.flow(from, protocol::TCP, ENDS, 8080);
    (0..10).for_each(|n| world.moves(from + n * 10, &flow, [out / 10, back / 10], WHOLE));
}

#[test]
fn much_out_and_little_in_is_told_of_and_a_fair_exchange_is_not() {
    let mut world = World::new();
    upload(&mut world, 0, 9_000_000, 3_000_000);
    upload(&mut world, 1000, 2_000_000, 1000);
    world.is_quiet();
    let mut world = World::new();
    upload(&mut world, 0, 9_000_000, 20_000);
    assert_eq!(world.short(), [("out_in_ratio".into(), Severity::Low, "10.1.0.1".into())]);
    assert!(world.alerts()[0].summary.contains("203.0.113.0/24"));
}

#[test]
fn a_large_upload_without_tls_is_told_of_and_one_over_tls_is_left_to_an1416() {
    let mut world = World::new();
    upload(&mut world, 0, 500_000_000, 100_000_000);
    assert_eq!(world.names(), ["large_upload"]);
    let mut world = World::new();
    let flow = world.flow(0, protocol::TCP, ENDS, 443);
    world.event(0, &flow, Body::Opened);
    world.event(0, &flow, Body::Hello(Box::new(sni("www.example.org"))));
    (0..10).for_each(|n| world.moves(n * 10, &flow, [50_000_000, 1000], WHOLE));
    world.is_quiet();
    // The next conversation in that slot is another.
    let next = Flow { id: 77, opened: super::super::tests::time(200), ..flow };
    world.event(200, &next, Body::Opened);
    (0..10).for_each(|n| world.moves(200 + n * 10, &next, [50_000_000, 1000], WHOLE));
    assert_eq!(world.names(), ["out_in_ratio", "large_upload"]);
}

#[test]
fn a_conversation_of_a_day_is_told_of_once() {
    let mut world = World::new();
    let flow = world.flow(0, protocol::TCP, ENDS, 443);
    (0..23).for_each(|n| world.moves(n * 3600, &flow, [100, 100], WHOLE));
    world.is_quiet();
    (23..30).for_each(|n| world.moves(n * 3600, &flow, [100, 100], WHOLE));
    let told = world.alerts();
    assert_eq!(world.names(), ["long_conversation"]);
    assert_eq!((told[0].severity, told[0].count), (Severity::Informational, 1));
}

#[test]
fn far_more_inside_than_usual_is_worth_knowing() {
    let mut world = World::new();
    let inside = ["10.1.0.1", "10.1.0.2"];
    for hour in 0..60 {
        world.tcp(hour * 3600, inside, 445, [2_000_000, 2000]);
    }
    let quiet = |world: &World| !world.names().contains(&"internal_volume".to_owned());
    assert!(quiet(&world));
    let flow = world.flow(60 * 3600, protocol::TCP, inside, 445);
    (0..30).for_each(|n| world.moves(60 * 3600 + n * 10, &flow, [40_000_000, 1000], WHOLE));
    assert!(!quiet(&world), "{:?}", world.short());
}
