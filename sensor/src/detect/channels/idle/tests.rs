use super::super::tests::{WHOLE, World};
use crate::decode::protocol;

/// Signs of life each 5 min for so many hours, with some work at the end of each of so many.
fn session(hours: u64, works: u64) -> usize {
    let mut world = World::new();
    let flow = world.flow(0, protocol::TCP, ["10.1.0.1", "10.1.0.2"], 22);
    for n in 0..hours * 12 {
        let bytes = if works > 0 && n % (12 * works) == 11 { 9000 } else { 150 };
        world.moves(n * 300, &flow, [bytes, bytes], WHOLE);
    }
    world.names().iter().filter(|name| *name == "idle_ssh").count()
}

#[test]
fn a_session_without_work_for_hours_is_told_of_once() {
    assert_eq!(session(20, 0), 1);
}

#[test]
fn a_session_that_is_worked_in_or_is_short_is_not() {
    assert_eq!(session(20, 2), 0);
    assert_eq!(session(3, 0), 0);
}
