use super::super::tests::{WHOLE, World};
use super::*;
use crate::decode::protocol;

/// What comes into `by` goes out of it, a little more each time.
fn pass(world: &mut World, by: &str, ports: [u16; 2], factor: u64) {
    let inward = world.flow(0, protocol::TCP, ["10.1.0.1", by], ports[0]);
    let outward = world.flow(0, protocol::TCP, [by, "10.1.0.9"], ports[1]);
    for n in 0..10 {
        let bytes = 100_000 + n * 50_000;
        world.moves(n * 10, &inward, [bytes, 2000], WHOLE);
        world.moves(n * 10, &outward, [bytes * factor / 100, 2000], WHOLE);
    }
}

#[test]
fn what_goes_through_a_host_by_ssh_is_told_of() {
    let mut world = World::new();
    pass(&mut world, "10.1.0.5", [22, 445], 102);
    assert!(world.names().contains(&"relay".to_owned()), "{:?}", world.short());
    let alert = world.alerts().into_iter().find(|alert| alert.asset.name == "10.1.0.5").unwrap();
    assert_eq!(alert.techniques[0], "T1021.004", "SSH into it comes first");
}

#[test]
fn what_goes_through_a_management_component_is_told_of_on_any_port() {
    let mut world = World::new();
    pass(&mut world, "10.0.0.11", [8443, 8444], 100);
    assert_eq!(world.short(), [("relay".into(), Severity::Low, "esxi-01".into())]);
}

#[test]
fn a_proxy_a_host_that_sends_something_else_and_storage_are_no_relays() {
    let relays = |world: &World| world.names().iter().filter(|name| *name == "relay").count();
    let mut world = World::new();
    pass(&mut world, "10.1.0.5", [3128, 443], 100);
    pass(&mut world, "10.1.0.6", [22, 445], 150);
    pass(&mut world, "10.0.0.11", [902, 2049], 100);
    assert_eq!(relays(&world), 0, "{:?}", world.short());
}
