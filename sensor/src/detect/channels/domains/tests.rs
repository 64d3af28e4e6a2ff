use super::super::tests::{World, sni};
use super::*;
use crate::alert::{Alert, Fact};
use crate::event::{Change, GuestOperation, HostChange, Operation, Said, Service};

#[test]
fn each_kind_of_place_is_told_of_by_its_detector_and_other_places_by_none() {
    let kinds = [
        ("registry.npmjs.org", "new_registry"),
        ("pastebin.com", "paste_site"),
        ("hooks.slack.com", "webhook"),
        ("relay-1.anydesk.com", "remote_access_service"),
        ("x1.ngrok-free.app", "tunnel_service"),
        ("pool.supportxmr.com", "mining_pool"),
    ];
    for (name, detector) in kinds {
        let mut world = World::new();
        world.hello(100, ["10.1.0.1", "203.0.113.9"], 443, sni("www.example.org"));
        world.is_quiet();
        world.hello(200, ["10.1.0.1", "203.0.113.9"], 443, sni(name));
        assert_eq!(world.names(), [detector]);
    }
}

#[test]
fn a_place_inside_is_none_whatever_its_name() {
    let mut world = World::new();
    world.hello(100, ["10.1.0.1", "10.9.0.9"], 443, sni("registry.npmjs.org"));
    world.is_quiet();
}

/// Fails when an install or restore that logs tell of says nothing about the egress after it.
#[test]
fn a_registry_weighs_more_after_a_guest_operation() {
    let mut world = World::with_app();
    let operation = GuestOperation {
        operation: Operation::StartProgram,
        vm: Some("app-01".into()),
        account: None,
        client: None,
        is_refused: false,
        event: None,
        session: None,
        op_id: None,
        also: Vec::new(),
    };
    let visit = |world: &mut World, at| {
        world.hello(at, ["10.1.0.1", "203.0.113.9"], 443, sni("registry.npmjs.org"));
    };
    visit(&mut world, 100);
    assert_eq!(world.alerts()[0].severity, Severity::Informational);
    let said = Said::GuestOperation(Box::new(operation));
    world.logged(3 * 86_400, Service::Hostd, "esxi-01", said);
    visit(&mut world, 3 * 86_400 + 60);
    let alerts = world.alerts();
    assert_eq!(alerts[1].severity, Severity::Low);
    assert!(alerts[1].evidence.iter().any(|piece| matches!(piece.fact, Fact::GuestOperation(_))));
    assert!(alerts[1].summary.contains("StartProgramInGuest"), "{}", alerts[1].summary);
}

/// Fails when what vCenter and ESXi log of machines and hosts says nothing about the egress after it.
#[test]
fn a_registry_weighs_more_right_after_a_restore_or_an_install() {
    let app = Said::Placement { vm: "app-01".into(), host: "esxi-01".into(), is_new: true };
    let install = HostChange {
        change: Change::Installed,
        detail: "Successfully installed 1 VIB(s)".into(),
        account: None,
    };
    let install = Said::HostChanged(Box::new(install));
    for (client, said) in [("10.1.0.1", app), ("10.0.0.11", install)] {
        let visit = |gap: u64| {
            let mut world = World::with_app();
            world.logged(100, Service::Vpxd, "esxi-01", said.clone());
            world.hello(100 + gap, [client, "203.0.113.9"], 443, sni("registry.npmjs.org"));
            let alert = world.alerts()[0].clone();
            let says = |alert: &Alert| {
                let text = format!("{:?}", alert.evidence);
                text.contains("restored") || text.contains("installed")
            };
            (alert.severity, says(&alert))
        };
        assert_eq!(visit(1800), (Severity::Low, true), "{client}");
        assert_eq!(visit(7200), (Severity::Informational, false), "{client}");
    }
}
