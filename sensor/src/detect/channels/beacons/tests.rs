use super::super::tests::World;
use crate::alert::Severity;

const ENDS: [&str; 2] = ["10.1.0.1", "203.0.113.9"];

/// Conversations `gap` apart, give or take so many percent, of so many bytes and up to as many more.
fn beacon(count: u64, gap: u64, jitter: u64, [bytes, more]: [u64; 2]) -> World {
    let mut world = World::new();
    let (mut at, mut state) = (100, 7u64);
    for _ in 0..count {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 33;
        world.tcp(at, ENDS, 443, [bytes + random % (more + 1), 900]);
        let spread = gap * jitter / 100;
        at += gap - spread + random % (2 * spread + 1);
    }
    world
}

#[test]
fn fixed_intervals_are_told_of_and_the_same_size_is_said() {
    let world = beacon(200, 60, 5, [700, 10]);
    assert_eq!(world.short(), [("beacon".into(), Severity::Low, "10.1.0.1".into())]);
    assert!(
        world.alerts()[0].summary.contains("of the same size"),
        "{}",
        world.alerts()[0].summary
    );
    let world = beacon(200, 60, 5, [700, 40_000]);
    assert_eq!(world.short(), [("beacon".into(), Severity::Informational, "10.1.0.1".into())]);
}

#[test]
fn what_comes_when_it_likes_too_seldom_or_for_minutes_only_is_no_beacon() {
    beacon(300, 60, 90, [700, 10]).is_quiet();
    beacon(20, 600, 2, [700, 10]).is_quiet();
    beacon(100, 30, 2, [700, 10]).is_quiet();
}

/// Fails when a beacon is lost among the other places that its host goes to.
#[test]
fn other_places_do_not_hide_a_beacon() {
    let mut world = World::new();
    for n in 0..200u64 {
        world.tcp(100 + n * 60, ENDS, 443, [700, 900]);
        for other in 0..6 {
            let to = format!("198.51.{}.{other}", n % 250);
            world.tcp(110 + n * 60 + other, ["10.1.0.1", &to], 443, [700, 900]);
        }
    }
    assert_eq!(world.names(), ["beacon"]);
}
