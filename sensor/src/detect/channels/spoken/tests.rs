use super::super::tests::World;
use super::*;

/// What is told when this is spoken by one address to another on a port.
fn told(app: App, client: &str, server: &str, port: u16) -> Vec<(String, Severity)> {
    let mut world = World::new();
    world.spoken(10, [client, server], port, app);
    world.short().into_iter().map(|(name, severity, _)| (name, severity)).collect()
}

const GUEST: &str = "10.1.0.5";
const OTHER: &str = "10.1.0.6";
const OUTSIDE: &str = "203.0.113.9";

#[test]
fn a_protocol_on_its_own_port_is_nothing() {
    for (app, port) in [
        (App::Ssh, 22),
        (App::Rdp, 3389),
        (App::Rfb, 5901),
        (App::Smb, 445),
        (App::Http, 8080),
        (App::Opaque, 443),
        (App::Tls, 4444),
    ] {
        assert_eq!(told(app, GUEST, OUTSIDE, port), [], "{app:?}");
    }
}

#[test]
fn a_protocol_elsewhere_is_told_of_by_name() {
    let alternate = |severity| [("alternate_port".to_owned(), severity)];
    assert_eq!(told(App::Ssh, GUEST, OUTSIDE, 8022), alternate(Severity::Low));
    assert_eq!(told(App::Rdp, OTHER, GUEST, 33_890), alternate(Severity::Low));
    assert_eq!(told(App::Http, GUEST, OUTSIDE, 4444), alternate(Severity::Low));
    assert_eq!(told(App::Http, GUEST, OTHER, 4444), [], "inside, services have many ports");
}

#[test]
fn smb_elsewhere_mining_and_relays_have_detectors_of_their_own() {
    let only = |name: &str, severity| [(name.to_owned(), severity)];
    assert_eq!(told(App::Smb, GUEST, OTHER, 4445), only("smb_high_port", Severity::Low));
    assert_eq!(told(App::Stratum, GUEST, OUTSIDE, 443), only("stratum", Severity::Medium));
    assert_eq!(told(App::Socks, OTHER, GUEST, 1080), only("socks", Severity::Low));
    assert_eq!(told(App::Socks, OUTSIDE, GUEST, 1080), only("socks", Severity::Low));
}

#[test]
fn bytes_without_a_form_are_only_worth_knowing_and_only_outside() {
    let found = told(App::Opaque, GUEST, OUTSIDE, 8444);
    assert_eq!(found, [("opaque_egress".to_owned(), Severity::Informational)]);
    assert_eq!(told(App::Opaque, GUEST, OTHER, 8444), []);
}
