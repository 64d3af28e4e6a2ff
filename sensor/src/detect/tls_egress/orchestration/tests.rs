use crate::alert::Fact;
use crate::detect::tests::{DAY, HOUR, MINUTE, Scene};

const NOON: u64 = 2 * DAY + 12 * HOUR;

/// A program started in the guest `web-03` (10.1.0.3), by whom a log names.
fn started(at: u64, account: &str) -> crate::event::Report {
    use crate::event::{Basis, Claim, GuestOperation, Operation, Report, Reporter, Said, Service};
    let operation = GuestOperation {
        operation: Operation::StartProgram,
        vm: Some("WEB-03".into()),
        session: None,
        op_id: None,
        account: Some(Claim { account: account.into(), basis: Basis::Stated }),
        client: None,
        is_refused: false,
        event: None,
        also: Vec::new(),
    };
    Report {
        time: crate::detect::tests::time(at),
        stated: None,
        reporter: Reporter { service: Service::Vpxd, host: Some("vcsa01".into()), peer: None },
        said: Said::GuestOperation(Box::new(operation)),
    }
}

/// A scene in which the config names the guest and the account expected.
fn orchestrated() -> Scene {
    let mut scene = Scene::new();
    scene.routine(6, 3);
    scene.configure(|config| {
        config.guest_operations.accounts = vec!["CORP\\svc".to_owned()];
        config.assets.push(crate::config::Asset {
            name: "web-03.corp.example".into(),
            role: crate::config::Role::Guest,
            addresses: vec!["10.1.0.3/32".parse().unwrap()],
            macs: Vec::new(),
            host: None,
        });
    });
    scene
}

#[test]
fn an_unexpected_guest_operation_makes_a_small_upload_after_it_an_alert_that_names_both() {
    use crate::alert::Analytic;
    for (account, megabytes, found) in
        [("CORP\\eve", 3, true), ("CORP\\svc", 3, false), ("CORP\\svc", 20, false)]
    {
        let mut scene = orchestrated();
        let at = NOON + 10 * MINUTE;
        scene.visit(at, "10.1.0.3", "drop.evil.example", "203.0.113.9", 60, megabytes * 1_000_000);
        // A log may be told of after the packets that followed.
        let told = scene.run_logged(&[started(at - 5 * MINUTE, account)]);
        let egress: Vec<_> = told.iter().filter(|told| told.analytic == Analytic::AN1416).collect();
        assert_eq!(!egress.is_empty(), found, "{account}: {told:#?}");
        let Some(alert) = egress.first().map(|told| &told.alert) else { continue };
        assert_eq!(egress.len(), 1);
        for part in ["drop.evil.example", "CORP\\eve", "StartProgramInGuest", "5 min before"] {
            assert!(alert.summary.contains(part), "{part}: {}", alert.summary);
        }
        assert_eq!(alert.title, "Guest operations, then TLS egress from a guest");
        let fact = alert.evidence.iter().find_map(|piece| match &piece.fact {
            Fact::GuestOperation(group) => Some((group.finding.to_string(), piece.weight)),
            _ => None,
        });
        assert_eq!(fact, Some(("before_egress".to_owned(), 6.5)));
    }
}

#[test]
fn a_guest_operation_after_the_egress_or_long_before_it_explains_nothing() {
    use crate::alert::Analytic;
    let mut scene = orchestrated();
    let at = NOON + 10 * MINUTE;
    scene.visit(at, "10.1.0.3", "drop.evil.example", "203.0.113.9", 60, 3_000_000);
    for operation in [at - 2 * HOUR, at + 10 * MINUTE] {
        scene.connect(operation + 60, "10.1.0.3", "203.0.113.77", 4444);
        let told = scene.run_logged(&[started(operation, "CORP\\eve")]);
        assert!(told.iter().all(|told| told.analytic == Analytic::AN0646), "{told:#?}");
    }
}

#[test]
fn an_operation_that_is_told_of_late_is_held_against_what_went_out_since() {
    let mut scene = orchestrated();
    let at = NOON + 10 * MINUTE;
    scene.visit(at, "10.1.0.3", "drop.evil.example", "203.0.113.9", 60, 3_000_000);
    scene.connect(at + 5 * MINUTE, "10.1.0.4", "203.0.113.77", 4444);
    let mut engine =
        crate::detect::Engine::new(scene.config(), Some(std::time::Duration::from_secs(DAY)), None);
    let late = started(at - MINUTE, "CORP\\eve");
    let told = scene.run_between(&mut engine, |engine, event| {
        if event.flow.client.address.to_string() == "10.1.0.4" && event.time > late.time {
            engine.report(&late);
        }
    });
    assert!(told.iter().any(|told| told.analytic == crate::alert::Analytic::AN1416), "{told:#?}");
}
