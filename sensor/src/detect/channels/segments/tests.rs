use super::super::tests::{REFUSED, World};
use super::*;

fn world() -> World {
    World::with(|config| {
        let segment = |name: &str, network: &str, from: &[&str], ports: &[u16]| Segment {
            name: name.into(),
            networks: vec![network.parse().unwrap()],
            from: from.iter().map(|net| net.parse().unwrap()).collect(),
            ports: ports.to_vec(),
        };
        config.channels.segments = vec![
            segment("pci", "10.9.0.0/16", &["10.1.0.0/24"], &[443]),
            segment("lab", "10.8.0.0/16", &[], &[]),
        ];
    })
}

#[test]
fn what_a_segment_does_not_allow_is_told_of() {
    for (ends, port) in [
        (["10.1.0.1", "10.9.0.1"], 8443),
        (["10.1.1.1", "10.9.0.1"], 443),
        (["203.0.113.9", "10.9.0.1"], 443),
        (["10.1.0.1", "10.8.0.1"], 443),
    ] {
        let mut world = world();
        world.tcp(100, ends, port, [500, 500]);
        let told = world.short();
        assert_eq!(
            (told.len(), &*told[0].0, told[0].1),
            (1, "segment", Severity::Medium),
            "{ends:?}"
        );
    }
}

#[test]
fn what_it_allows_what_stays_in_it_and_what_is_refused_are_not() {
    let mut world = world();
    world.tcp(100, ["10.1.0.1", "10.9.0.1"], 443, [500, 500]);
    world.tcp(100, ["10.9.0.7", "10.9.0.1"], 8443, [500, 500]);
    world.tcp(100, ["10.9.0.7", "10.1.0.1"], 8443, [500, 500]);
    world.vain(100, ["10.1.1.1", "10.9.0.1"], 443, REFUSED);
    world.is_quiet();
}
