//! Who tells of the same thing, and whom it is put down to.

use proptest::prelude::*;

use super::*;
use crate::event::{
    Access, Basis, Claim, GuestOperation, Reporter, Service, Session, SessionChange,
};

const START: u64 = 1_795_183_200;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_parts(START, 0).plus(Duration::from_millis(millis))
}

fn report(service: Service, host: &str, millis: u64, said: Said) -> Report {
    let reporter = Reporter { service, host: Some(host.into()), peer: None };
    Report { time: at(millis), stated: Some(at(millis)), reporter, said }
}

fn operation(vm: Option<&str>, event: Option<u64>) -> GuestOperation {
    GuestOperation {
        operation: Operation::StartProgram,
        vm: vm.map(Into::into),
        account: None,
        client: None,
        is_refused: false,
        event,
        session: None,
        op_id: None,
        also: Vec::new(),
    }
}

fn stated(account: &str) -> Option<Claim> {
    Some(Claim { account: account.into(), basis: Basis::Stated })
}

fn wrapped(operation: GuestOperation) -> Said {
    Said::GuestOperation(Box::new(operation))
}

/// As hostd tells it: without an account.
fn hostd(millis: u64, vm: &str, event: u64) -> Report {
    report(Service::Hostd, "esx1", millis, wrapped(operation(Some(vm), Some(event))))
}

fn vpxd(millis: u64, vm: &str, event: u64, account: &str) -> Report {
    let operation = GuestOperation { account: stated(account), ..operation(Some(vm), Some(event)) };
    report(Service::Vpxd, "vcenter", millis, wrapped(operation))
}

/// An audit record: without a virtual machine.
fn audit(millis: u64, account: &str) -> Report {
    let operation = GuestOperation { account: stated(account), ..operation(None, None) };
    report(Service::Audit, "esx1", millis, wrapped(operation))
}

fn session(
    host: &str,
    millis: u64,
    change: SessionChange,
    account: &str,
    client: &str,
    id: Option<&str>,
) -> Report {
    let session = Session {
        change,
        account: account.into(),
        client: client.parse().ok(),
        agent: None,
        id: id.map(Into::into),
        access: Access::Api,
    };
    let service = if host == "vcenter" { Service::Vpxd } else { Service::Hostd };
    report(service, host, millis, Said::Session(Box::new(session)))
}

fn login(millis: u64, account: &str, client: &str, id: Option<&str>) -> Report {
    session("esx1", millis, SessionChange::LoggedIn, account, client, id)
}

fn logout(millis: u64, account: &str, client: &str, id: Option<&str>) -> Report {
    session("esx1", millis, SessionChange::LoggedOut, account, client, id)
}

/// All that comes out, in its order, when reports come at their times.
fn joined(reports: impl IntoIterator<Item = Report>) -> (Vec<Report>, Counts) {
    let (mut join, mut out) = (Join::default(), Vec::new());
    for report in reports {
        join.advance(report.time);
        out.extend(std::iter::from_fn(|| join.pop()));
        out.extend(join.take(report));
    }
    out.extend(std::iter::from_fn(|| join.pop_last()));
    (out, join.counts())
}

fn operations(reports: impl IntoIterator<Item = Report>) -> Vec<GuestOperation> {
    let said = |report: Report| match report.said {
        Said::GuestOperation(said) => Some(*said),
        _ => None,
    };
    joined(reports).0.into_iter().filter_map(said).collect()
}

/// The account of the only operation, how that is known, and where from.
fn caller(reports: impl IntoIterator<Item = Report>) -> Option<(String, Basis, String)> {
    let operations = operations(reports);
    assert_eq!(operations.len(), 1, "{operations:?}");
    named(&operations[0])
}

fn named(operation: &GuestOperation) -> Option<(String, Basis, String)> {
    let claim = operation.account.clone()?;
    let client = operation.client.map(|client| client.to_string()).unwrap_or_default();
    Some((claim.account.to_string(), claim.basis, client))
}

fn known(account: &str, basis: Basis, client: &str) -> Option<(String, Basis, String)> {
    Some((account.into(), basis, client.into()))
}

#[test]
fn a_host_and_its_vcenter_tell_of_one_operation() {
    for reports in [
        [hostd(0, "web01", 246), vpxd(900, "web01", 77, "CORP\\al")],
        [vpxd(0, "web01", 77, "CORP\\al"), hostd(900, "web01", 246)],
    ] {
        let (out, counts) = joined(reports);
        assert_eq!((out.len(), counts.merged), (1, 1));
        let Said::GuestOperation(said) = &out[0].said else { panic!() };
        assert_eq!((out[0].reporter.service, said.event), (Service::Hostd, Some(246)));
        assert_eq!((&said.account, &*said.also), (&stated("CORP\\al"), &[Service::Vpxd][..]));
        assert_eq!(out[0].time, at(0));
    }
}

#[test]
fn what_is_not_the_same_stays_apart() {
    let other = |change: fn(&mut GuestOperation)| {
        let mut report = vpxd(100, "web01", 77, "CORP\\al");
        if let Said::GuestOperation(said) = &mut report.said {
            change(said);
        }
        report
    };
    for second in [
        vpxd(2100, "web01", 77, "CORP\\al"),
        vpxd(100, "web02", 77, "CORP\\al"),
        hostd(100, "web01", 247),
        other(|said| said.is_refused = true),
        other(|said| said.operation = Operation::ListFiles),
    ] {
        assert_eq!(operations([hostd(0, "web01", 246), second.clone()]).len(), 2, "{second:?}");
    }
}

#[test]
fn clocks_that_are_known_to_be_off_do_not_part_them() {
    let mut behind = vpxd(0, "web01", 77, "CORP\\al");
    behind.stated = Some(at(0).minus(Duration::from_secs(600)));
    assert_eq!(operations([hostd(100, "web01", 246), behind]).len(), 1);
}

#[test]
fn each_tells_of_an_operation_once() {
    let reports = (0..10).flat_map(|n| {
        [hostd(n * 100, "web01", 246 + n), vpxd(n * 100 + 50, "web01", 77 + n, "CORP\\al")]
    });
    let (out, counts) = joined(reports);
    assert_eq!((out.len(), counts.merged), (10, 10));
}

#[test]
fn the_same_message_twice_is_one() {
    let late = Report { time: at(60_000), ..hostd(0, "web01", 246) };
    let (out, counts) = joined([hostd(0, "web01", 246), hostd(0, "web01", 246), late]);
    assert_eq!((out.len(), counts.repeated), (1, 2));
    // A hostd that was started anew counts anew.
    assert_eq!(operations([hostd(0, "web01", 246), hostd(60_000, "web01", 246)]).len(), 2);
}

#[test]
fn a_record_of_the_call_names_the_caller_where_only_one_called() {
    let reports = [audit(0, "root"), hostd(30, "web01", 246)];
    assert_eq!(caller(reports), known("root", Basis::Stated, ""));
    let two = operations([
        audit(0, "root"),
        audit(10, "eve"),
        hostd(30, "web01", 246),
        hostd(40, "web02", 247),
    ]);
    assert_eq!(two.len(), 2);
    assert!(two.iter().all(|said| said.account.is_none()), "{two:?}");
    let alone = operations([audit(0, "root")]);
    assert_eq!((&alone[0].vm, &alone[0].account), (&None, &stated("root")));
    let elsewhere = report(Service::Hostd, "esx2", 30, wrapped(operation(Some("x"), Some(1))));
    assert_eq!(operations([audit(0, "root"), elsewhere]).len(), 2);
}

#[test]
fn rather_somebody_than_vcenter() {
    let reports = [audit(0, "vpxuser"), hostd(10, "web01", 246), vpxd(20, "web01", 7, "CORP\\al")];
    assert_eq!(caller(reports), known("CORP\\al", Basis::Stated, ""));
}

#[test]
fn the_session_of_a_call_names_the_caller() {
    let mut called = hostd(10_000, "web01", 246);
    if let Said::GuestOperation(said) = &mut called.said {
        said.session = Some("52018116".into());
    }
    let logins = || {
        [
            login(0, "eve", "192.0.2.9", Some("52f0e556")),
            login(5000, "root", "192.0.2.1", Some("52018116")),
        ]
    };
    let reports = logins().into_iter().chain([called.clone()]);
    assert_eq!(caller(reports), known("root", Basis::Session, "192.0.2.1"));
    let ended = logout(7000, "root", "192.0.2.1", Some("52018116"));
    let reports = logins().into_iter().chain([ended, called]);
    assert_eq!(caller(reports), known("eve", Basis::OnlySession, "192.0.2.9"));
}

#[test]
fn the_only_one_who_is_logged_in_is_named_and_of_several_nobody() {
    let root = || login(0, "root", "192.0.2.1", None);
    let called = || hostd(10_000, "web01", 246);
    let only = known("root", Basis::OnlySession, "192.0.2.1");
    assert_eq!(caller([root(), called()]), only);
    assert_eq!(caller([root(), login(5, "dcui", "", None), called()]), only);
    assert_eq!(caller([called()]), None);
    assert_eq!(caller([login(10_001, "root", "192.0.2.1", None), called()]), None, "not yet");
    for other in ["eve", "vpxuser"] {
        assert_eq!(caller([root(), login(5, other, "192.0.2.9", None), called()]), None, "{other}");
    }
    let other = login(5, "eve", "192.0.2.9", None);
    let left = logout(9000, "eve", "192.0.2.9", None);
    assert_eq!(caller([root(), other.clone(), left, called()]), only);
    // A session that ends before the operation is passed on.
    let left = logout(10_500, "root", "192.0.2.1", None);
    assert_eq!(caller([root(), called(), left]), only);
    let again = login(20, "ROOT", "192.0.2.2", None);
    assert_eq!(caller([root(), again, called()]), known("root", Basis::OnlySession, ""));
    let elsewhere = session("esx2", 0, SessionChange::LoggedIn, "root", "192.0.2.1", None);
    assert_eq!(caller([elsewhere, called()]), None);
}

/// Fails when an operation of which vCenter's message is lost is nobody's, or anybody's.
#[test]
fn who_alone_worked_in_the_machine_just_before_or_after_is_named() {
    let lost = || hostd(31_000, "web01", 246);
    let of = |millis, vm, account| vpxd(millis, vm, millis, account);
    let caller_of_lost = |others: Vec<Report>| {
        let mut reports = others;
        reports.push(lost());
        reports.sort_by_key(|report| report.time);
        let operations = operations(reports);
        named(operations.iter().find(|operation| operation.event == Some(246)).unwrap())
    };
    let before = || of(2000, "web01", "CORP\\al");
    let beside = known("CORP\\al", Basis::Beside, "");
    assert_eq!(caller_of_lost(vec![before()]), beside);
    assert_eq!(
        caller_of_lost(vec![before(), of(33_500, "web01", "CORP\\AL")]),
        known("CORP\\AL", Basis::Beside, "")
    );
    assert_eq!(
        caller_of_lost(vec![of(33_500, "web01", "CORP\\al")]),
        known("CORP\\al", Basis::Beside, "")
    );
    for (others, why) in [
        (vec![], "nobody"),
        (vec![of(1000, "web02", "CORP\\al")], "another machine"),
        (vec![of(0, "web01", "CORP\\al")], "long ago"),
        (vec![before(), of(9000, "web01", "CORP\\eve")], "two of them"),
    ] {
        assert_eq!(caller_of_lost(others), None, "{why}");
    }
    let root = login(0, "root", "192.0.2.1", None);
    let on_the_host = known("root", Basis::OnlySession, "192.0.2.1");
    assert_eq!(caller_of_lost(vec![root, before()]), on_the_host);
}

#[test]
fn a_session_is_not_believed_in_for_ever() {
    let day = 24 * 3600 * 1000;
    let root = login(0, "root", "192.0.2.1", None);
    assert_eq!(caller([root, hostd(day, "web01", 246)]), None);
}

#[test]
fn the_client_of_an_account_that_is_stated_is_that_of_its_login() {
    let login = session("vcenter", 0, SessionChange::LoggedIn, "CORP\\AL", "192.0.2.7", None);
    let reports = [login.clone(), hostd(9000, "web01", 246), vpxd(9010, "web01", 7, "CORP\\al")];
    assert_eq!(caller(reports), known("CORP\\al", Basis::Stated, "192.0.2.7"));
    let other = session("vcenter", 1, SessionChange::LoggedIn, "CORP\\al", "192.0.2.8", None);
    let reports = [login, other, vpxd(9010, "web01", 7, "CORP\\al")];
    assert_eq!(caller(reports), known("CORP\\al", Basis::Stated, ""));
}

#[test]
fn a_login_that_is_told_twice_is_one() {
    let with_id = || login(0, "root", "192.0.2.1", Some("52f0e556"));
    let told = |reports: &[Report]| joined(reports.iter().cloned()).0.len();
    assert_eq!(told(&[with_id(), login(1, "root", "192.0.2.1", Some("52f0e556"))]), 1);
    assert_eq!(told(&[login(0, "root", "192.0.2.1", None), login(1, "root", "", Some("5"))]), 1);
    assert_eq!(told(&[with_id(), login(1, "root", "192.0.2.1", Some("11111111"))]), 2);
    assert_eq!(told(&[with_id(), login(1, "eve", "192.0.2.1", None)]), 2);
    assert_eq!(told(&[with_id(), logout(1, "root", "192.0.2.1", Some("52f0e556"))]), 2);
    assert_eq!(told(&[login(0, "root", "", None), login(3, "root", "", None)]), 2);
}

#[test]
fn only_so_many_wait_and_none_is_lost() {
    let reports = (0..MAX_WAITING as u64 + 500).map(|n| hostd(n / 1000, &format!("vm{n}"), n));
    let (out, counts) = joined(reports);
    assert_eq!(out.len(), MAX_WAITING + 500);
    assert!(counts.hurried > 0);
    assert!(out.is_sorted_by_key(|report| report.time));
}

#[test]
fn of_too_many_hosts_the_sessions_of_some_are_not_known() {
    let mut sessions = Sessions::default();
    let reporter = |n: u64| Reporter {
        service: Service::Hostd,
        host: Some(format!("esx{n}").into()),
        peer: None,
    };
    let Said::Session(root) = login(0, "root", "192.0.2.1", None).said else { panic!() };
    let day = Duration::from_secs(24 * 3600);
    for n in 0..5000 {
        sessions.note(&reporter(n), &root, at(n));
    }
    assert!(sessions.only(&reporter(4095), at(9000)).is_some());
    assert!(sessions.only(&reporter(4096), at(9000)).is_none());
    sessions.note(&reporter(4096), &root, at(9000).plus(day));
    assert!(sessions.only(&reporter(4096), at(9000).plus(day)).is_some(), "the others are old");
}

#[test]
fn of_more_sessions_than_are_known_nobody_is_alone() {
    let mut join = Join::default();
    const USERS: u64 = 300;
    for n in 0..USERS {
        join.take(login(n, &format!("user{n}"), "192.0.2.1", None));
    }
    // All but one have left.
    for n in 1..USERS {
        join.take(logout(10_000, &format!("user{n}"), "192.0.2.1", None));
    }
    join.take(hostd(20_000, "web01", 246));
    let mut last = std::iter::from_fn(|| join.pop_last());
    let said = last.find_map(|report| match report.said {
        Said::GuestOperation(said) => Some(said),
        _ => None,
    });
    assert_eq!(said.unwrap().account, None);
}

/// Reports of one operation, some of which a second may be of.
fn any_report() -> impl Strategy<Value = Report> {
    let account = prop_oneof![Just("root"), Just("eve"), Just("vpxuser")];
    let vm = prop_oneof![Just("web01"), Just("web02")];
    (0u64..8000, 0..5, vm, account, 0u64..1000).prop_map(|(millis, kind, vm, account, event)| {
        match kind {
            0 => hostd(millis, vm, event),
            1 => vpxd(millis, vm, event, account),
            2 => audit(millis, account),
            3 => login(millis, account, "192.0.2.1", None),
            _ => logout(millis, account, "192.0.2.1", None),
        }
    })
}

fn is_operation(report: &&Report) -> bool {
    matches!(report.said, Said::GuestOperation(_))
}

proptest! {
    #[test]
    fn the_order_of_a_pair_does_not_matter(
        first in 0u64..2000, second in 0u64..2000, swap: bool, login_at in 0u64..3000,
    ) {
        let arrived = |report: Report, millis: u64| Report { time: at(3000 + millis), ..report };
        let pair = [hostd(first, "web01", 246), vpxd(second, "web01", 7, "CORP\\al")];
        let [a, b] = if swap { [1, 0] } else { [0, 1] };
        let came = [arrived(pair[a].clone(), 0), arrived(pair[b].clone(), 10)];
        let told = operations([login(login_at, "root", "192.0.2.1", None)].into_iter().chain(came));
        let expected = GuestOperation {
            account: stated("CORP\\al"),
            also: vec![Service::Vpxd],
            ..operation(Some("web01"), Some(246))
        };
        prop_assert_eq!(told, vec![expected]);
    }

    #[test]
    fn none_is_lost_or_doubled_and_all_come_in_order(
        mut reports in prop::collection::vec(any_report(), 0..40),
    ) {
        reports.sort_by_key(|report| report.time);
        let (out, counts) = joined(reports.clone());
        let left = out.len() as u64 + counts.merged + counts.repeated;
        prop_assert_eq!(left, reports.len() as u64);
        prop_assert!(out.is_sorted_by_key(|report| report.time));
        let told = |service, reports: &[Report]| {
            let by = |report: &&Report| is_operation(report) && report.reporter.service == service;
            reports.iter().filter(by).count() as u64
        };
        let operations = out.iter().filter(is_operation).count() as u64;
        for service in [Service::Hostd, Service::Vpxd, Service::Audit] {
            prop_assert!(operations + counts.repeated >= told(service, &reports));
        }
        prop_assert_eq!(&joined(reports).0, &out);
    }
}
