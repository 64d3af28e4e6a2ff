use super::super::tests::World;
use super::*;

/// A guest whose DNS is seen.
fn world() -> World {
    let mut world = World::new();
    world.dns(10, "10.1.0.1", "www.example.org", 0, &["203.0.113.1"]);
    world
}

#[test]
fn an_odd_port_of_an_address_that_was_never_resolved_is_worth_knowing() {
    let mut world = world();
    world.tcp(100, ["10.1.0.1", "203.0.113.1"], 8081, [500, 500]);
    world.tcp(100, ["10.1.0.1", "203.0.113.77"], 443, [500, 500]);
    world.is_quiet();
    world.tcp(200, ["10.1.0.1", "203.0.113.77"], 8081, [500, 500]);
    let told = world.short();
    assert_eq!(told, [("never_resolved".into(), Severity::Informational, "10.1.0.1".into())]);
}

#[test]
fn where_no_answers_are_seen_their_absence_says_nothing() {
    let mut world = World::new();
    world.tcp(200, ["10.1.0.1", "203.0.113.77"], 8081, [500, 500]);
    world.is_quiet();
}

#[test]
fn a_web_server_that_reaches_out_by_address_is_told_of() {
    let mut world = world();
    world.tcp(100, ["203.0.113.50", "10.1.0.1"], 443, [500, 5000]);
    world.tcp(120, ["10.1.0.1", "203.0.113.1"], 443, [500, 500]);
    world.is_quiet();
    world.tcp(130, ["10.1.0.1", "203.0.113.77"], 443, [500, 500]);
    let told = world.short();
    assert_eq!(told, [("web_server_egress".into(), Severity::Informational, "10.1.0.1".into())]);
}
