use super::super::tests::{World, sni};
use super::*;
use crate::event::StartTls;

const ENDS: [&str; 2] = ["10.1.0.1", "203.0.113.9"];

#[test]
fn tls_on_a_port_of_another_protocol_is_told_of_and_starttls_there_is_not() {
    let mut world = World::new();
    let upgraded =
        TlsSession { carrier: Carrier::StartTls(StartTls::Smtp), ..sni("mail.example.org") };
    world.hello(100, ENDS, 25, upgraded);
    world.hello(100, ENDS, 8443, sni("www.example.org"));
    world.is_quiet();
    world.hello(200, ENDS, 53, sni("www.example.org"));
    assert_eq!(world.names(), ["tls_odd_port"]);
}

#[test]
fn nothing_but_rsa_is_told_of_where_tls_is_not_expected() {
    let session = || TlsSession { rsa_only: true, ..sni("www.example.org") };
    let mut world = World::new();
    world.hello(100, ENDS, 443, session());
    world.hello(100, ENDS, 4433, sni("www.example.org"));
    world.is_quiet();
    world.hello(200, ENDS, 4433, session());
    assert_eq!(world.names(), ["rsa_key_exchange"]);
}

#[test]
fn a_made_up_name_that_nobody_resolved_is_tors() {
    let name = "www.k3wtt7ztbnd5gy.com";
    let mut world = World::new();
    world.hello(90, ENDS, 443, sni(name));
    // Where no DNS is seen nobody knows.
    world.is_quiet();
    world.dns(100, "10.1.0.1", "www.example.org", 0, &["203.0.113.1"]);
    world.hello(110, ENDS, 443, sni("www.example.net"));
    world.is_quiet();
    world.hello(120, ENDS, 9001, sni(name));
    assert_eq!(world.short(), [("tor_like".into(), Severity::Medium, "10.1.0.1".into())]);
    let mut resolved = World::new();
    resolved.dns(100, "10.1.0.1", name, 0, &["203.0.113.9"]);
    resolved.hello(120, ENDS, 443, sni(name));
    resolved.is_quiet();
}
