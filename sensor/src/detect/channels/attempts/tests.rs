use super::super::tests::{REFUSED, UNANSWERED, World};
use super::*;

#[test]
fn a_scan_of_one_host_is_told_of_and_a_service_that_is_down_is_not() {
    for flags in [REFUSED, UNANSWERED] {
        let mut world = World::new();
        for n in 0..200 {
            world.vain(100 + n, ["10.1.0.1", "10.1.0.2"], 443, flags);
        }
        world.is_quiet();
        for port in 1..=128 {
            world.vain(400 + u64::from(port), ["10.1.0.1", "10.1.0.2"], port, flags);
        }
        let told = world.short();
        assert_eq!(told, [("port_scan".into(), Severity::Medium, "10.1.0.1".into())]);
    }
}

/// Fails when a scan is only seen within minutes.
#[test]
fn a_slow_scan_is_found_and_ports_tried_over_months_are_none() {
    let mut world = World::new();
    for port in 0..20 {
        world.vain(u64::from(port) * 3000, ["10.1.0.1", "10.1.0.2"], 1000 + port, UNANSWERED);
    }
    assert_eq!(world.names(), ["port_scan"]);
    let mut world = World::new();
    for port in 0..40 {
        world.vain(u64::from(port) * 4000, ["10.1.0.1", "10.1.0.2"], 1000 + port, UNANSWERED);
    }
    world.is_quiet();
}

#[test]
fn a_sweep_over_many_hosts_is_told_of_and_one_that_is_answered_is_not() {
    let mut world = World::new();
    for n in 1..=60 {
        let to = format!("10.2.0.{n}");
        world.tcp(100 + n, ["10.1.0.1", &to], 8443, [1000, 1000]);
    }
    world.is_quiet();
    for n in 1..=60 {
        let to = format!("10.2.1.{n}");
        world.vain(200 + n, ["10.1.0.1", &to], 8443, UNANSWERED);
    }
    assert_eq!(world.names(), ["host_sweep"]);
    assert!(world.alerts()[0].summary.contains("TCP port 8443"));
}

/// Fails when a mirror that shows one direction makes every datagram an attempt.
#[test]
fn datagrams_without_answers_count_once_answers_are_seen() {
    let sweep = |world: &mut World| {
        for n in 1..=60 {
            let to = format!("10.2.0.{n}");
            world.udp(100 + n, ["10.1.0.1", &to], 161, [90, 0]);
        }
    };
    let mut world = World::new();
    sweep(&mut world);
    world.is_quiet();
    world.udp(50, ["10.1.0.1", "10.2.0.200"], 161, [90, 90]);
    sweep(&mut world);
    assert_eq!(world.names(), ["host_sweep"]);
}

#[test]
fn a_scan_from_outside_is_worth_knowing_and_no_more() {
    let mut world = World::new();
    for port in 1..=200 {
        world.vain(100 + u64::from(port), ["203.0.113.9", "10.1.0.2"], port, REFUSED);
    }
    let told = world.short();
    assert_eq!(told, [("scanned".into(), Severity::Informational, "10.1.0.2".into())]);
}

#[test]
fn a_knock_is_refusals_in_a_row_and_then_a_success_on_a_port_that_was_closed() {
    let mut world = World::new();
    for (n, port) in [7000, 8000, 9000, 22].into_iter().enumerate() {
        world.vain(100 + n as u64, ["203.0.113.9", "10.1.0.2"], port, REFUSED);
    }
    world.tcp(110, ["203.0.113.9", "10.1.0.2"], 22, [2000, 2000]);
    let told = world.short();
    let knock = told.iter().find(|(name, ..)| name == "port_knock");
    assert_eq!(knock.unwrap().1, Severity::Medium, "{told:?}");
}

/// Fails when a client that finds its usual service after some closed ports is a knock, or a scanner.
#[test]
fn a_usual_port_a_scan_or_an_old_refusal_is_no_knock() {
    let knocks = |world: &World| world.names().iter().filter(|name| *name == "port_knock").count();
    let ends = ["10.1.0.9", "10.1.0.2"];
    let mut world = World::new();
    world.tcp(10, ["10.1.0.3", "10.1.0.2"], 8443, [2000, 2000]);
    (0..4).for_each(|n| world.vain(100 + n, ends, 7000 + n as u16, REFUSED));
    world.tcp(110, ends, 8443, [2000, 2000]);
    (0..14).for_each(|n| world.vain(200 + n, ends, 7000 + n as u16, REFUSED));
    world.tcp(220, ends, 9443, [2000, 2000]);
    (0..4).for_each(|n| world.vain(300 + n, ends, 7100 + n as u16, REFUSED));
    world.tcp(400, ends, 9444, [2000, 2000]);
    (0..4).for_each(|n| world.vain(500 + n, ["10.1.0.8", "10.1.0.2"], 7100 + n as u16, REFUSED));
    world.tcp(510, ends, 9445, [2000, 2000]);
    assert_eq!(knocks(&world), 0, "{:?}", world.short());
}
