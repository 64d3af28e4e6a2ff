use super::super::tests::{WHOLE, World};
use crate::decode::protocol;

#[test]
fn a_long_quiet_conversation_on_a_pools_port_is_told_of() {
    let mut world = World::new();
    let flow = world.flow(0, protocol::TCP, ["10.1.0.1", "203.0.113.9"], 3333);
    (0..60).for_each(|n| world.moves(n * 10, &flow, [300, 400], WHOLE));
    world.is_quiet();
    world.moves(610, &flow, [300, 400], WHOLE);
    assert_eq!(world.names(), ["mining_port"]);
}

#[test]
fn a_short_one_a_busy_one_and_one_inside_are_not() {
    let mut world = World::new();
    for (to, bytes) in [("203.0.113.9", 1 << 20), ("10.1.0.2", 300)] {
        let flow = world.flow(0, protocol::TCP, ["10.1.0.1", to], 3333);
        (0..90).for_each(|n| world.moves(n * 10, &flow, [bytes / 10, bytes], WHOLE));
    }
    world.tcp(2000, ["10.1.0.1", "203.0.113.9"], 4444, [300, 400]);
    world.is_quiet();
}
