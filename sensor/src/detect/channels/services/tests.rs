use super::super::tests::{REFUSED, World};
use super::*;

#[test]
fn remote_services_across_the_border_are_told_of_and_attempts_are_not() {
    for (port, name) in [
        (22, "ssh"),
        (23, "telnet"),
        (445, "smb_outward"),
        (3389, "rdp"),
        (5901, "vnc"),
        (5985, "winrm"),
    ] {
        let mut world = World::new();
        world.vain(100, ["203.0.113.9", "10.1.0.2"], port, REFUSED);
        world.is_quiet();
        world.tcp(200, ["203.0.113.9", "10.1.0.2"], port, [2000, 2000]);
        world.tcp(300, ["10.1.0.3", "203.0.113.9"], port, [2000, 2000]);
        let expected = |asset: &str| (name.to_owned(), Severity::Low, asset.to_owned());
        let told: Vec<_> = world.short().into_iter().filter(|told| told.0 == name).collect();
        assert_eq!(told, [expected("10.1.0.2"), expected("10.1.0.3")]);
    }
}

#[test]
fn inside_a_first_use_is_only_worth_knowing_and_smb_not_even_that() {
    let mut world = World::new();
    world.tcp(100, ["10.1.0.3", "10.1.0.2"], 445, [2000, 2000]);
    world.is_quiet();
    world.tcp(200, ["10.1.0.3", "10.1.0.2"], 3389, [2000, 2000]);
    assert_eq!(world.short(), [("rdp".into(), Severity::Informational, "10.1.0.2".into())]);
}

#[test]
fn smb_to_many_hosts_within_an_hour_is_told_of() {
    let mut world = World::new();
    let reach = |world: &mut World, from: u64, apart: u64| {
        (1..=25).for_each(|n| {
            world.tcp(from + n * apart, ["10.1.0.3", &format!("10.2.0.{n}")], 445, [2000, 2000]);
        });
    };
    reach(&mut world, 0, 600);
    world.is_quiet();
    reach(&mut world, 86_400, 60);
    assert_eq!(world.names(), ["smb_fanout"]);
}

#[test]
fn a_web_connection_follows_smb_that_did_not_get_through() {
    let mut world = World::new();
    world.vain(100, ["10.1.0.3", "203.0.113.9"], 445, REFUSED);
    world.tcp(105, ["10.1.0.3", "203.0.113.10"], 80, [2000, 2000]);
    world.tcp(300, ["10.1.0.3", "203.0.113.9"], 80, [2000, 2000]);
    world.is_quiet();
    world.vain(400, ["10.1.0.3", "203.0.113.9"], 445, REFUSED);
    world.tcp(405, ["10.1.0.3", "203.0.113.9"], 80, [2000, 2000]);
    assert_eq!(world.names(), ["smb_fallback"]);
}
