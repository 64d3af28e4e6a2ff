use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use crate::alert::{Alert, Fact, Operations, Severity};
use crate::baseline::Baseline;
use crate::config::{BusinessHours, Maintenance};
use crate::detect::Engine;
use crate::detect::tests::{DAY, HOUR, MINUTE, MONDAY, time};
use crate::event::Operation;
use logs::{Logs, Told};

mod logs;

const SVC: Option<&str> = Some("CORP\\svc-deploy");
/// The Monday after two weeks, when all is learned.
const LATER: u64 = MONDAY + 14 * DAY;

fn findings(alert: &Alert) -> BTreeMap<String, Operations> {
    let groups = alert.evidence.iter().filter_map(|piece| match &piece.fact {
        Fact::GuestOperation(group) => Some((group.finding.to_string(), (**group).clone())),
        _ => None,
    });
    groups.collect()
}

fn summaries(told: &Told) -> Vec<&str> {
    told.iter().map(|(alert, _)| alert.summary.as_str()).collect()
}

/// The only alert there is.
fn only(told: &Told) -> &Alert {
    assert_eq!(told.len(), 1, "{:#?}", summaries(told));
    &told[0].0
}

#[test]
fn automation_in_working_hours_is_silent_for_weeks() {
    for mut logs in [Logs::strict(), Logs::new(|_| {})] {
        logs.automation(SVC, 10, 10);
        // New machines, and one script that ends after hours.
        for day in [10, 11, 14, 16, 18] {
            let at = MONDAY + day * DAY + 9 * HOUR;
            logs.script(at, SVC, &format!("app-new-{day}"));
        }
        logs.automation(SVC, 19, 10);
        logs.script(MONDAY + 15 * DAY + 19 * HOUR - 5, SVC, "app-01");
        assert_eq!(summaries(&logs.run()), Vec::<&str>::new());
    }
}

#[test]
fn an_unexpected_account_is_one_alert_that_names_who_where_and_what() {
    let mut logs = Logs::strict();
    logs.config.guest_operations.vms = Vec::new();
    logs.automation(SVC, 12, 5);
    for minute in [0, 3, 40] {
        logs.script(LATER + 10 * HOUR + minute * MINUTE, Some("CORP\\eve"), "WEB-01");
    }
    let told = logs.run();
    let alert = only(&told);
    assert_eq!((alert.severity, alert.confidence), (Severity::Medium, 0.88));
    assert_eq!((alert.asset.name.as_str(), &*alert.asset.role), ("web-01.corp.example", "guest"));
    assert_eq!(alert.asset.address, "10.1.0.3".parse().ok());
    let found = findings(alert);
    assert_eq!(found["operations"].account.as_deref(), Some("CORP\\eve"));
    assert_eq!(found["operations"].basis.as_deref(), Some("stated"));
    assert_eq!((found["operations"].count, found["operations"].scripts), (21, 3));
    assert!(found.contains_key("unexpected_account"), "{found:#?}");
    for part in
        ["CORP\\eve ran 21 guest operations (", "on WEB-01 from 10.20.0.5", "not one of those"]
    {
        assert!(alert.summary.contains(part), "{part}: {}", alert.summary);
    }
    assert_eq!(alert.count, 2, "raised, and its last word");
}

/// Without a list, who was there while the estate was learned is expected.
#[test]
fn a_new_account_is_told_once_the_estate_is_learned() {
    let mut logs = Logs::new(|_| {});
    logs.automation(SVC, 12, 5);
    logs.automation(Some("root"), 2, 1);
    logs.script(LATER + 10 * HOUR, Some("CORP\\eve"), "app-01");
    let told = logs.run();
    assert_eq!(only(&told).severity, Severity::Medium);
    assert!(findings(only(&told)).contains_key("first_seen_account"));
}

#[test]
fn use_at_three_at_night_is_told_by_hours_and_by_habit() {
    for (mut logs, finding) in
        [(Logs::strict(), "outside_business_hours"), (Logs::new(|_| {}), "odd_hour")]
    {
        logs.automation(SVC, 12, 5);
        logs.script(LATER + 3 * HOUR, SVC, "app-01");
        let told = logs.run();
        assert_eq!(only(&told).severity, Severity::Medium, "{}", only(&told).summary);
        assert!(findings(only(&told)).contains_key(finding), "{}", only(&told).summary);
    }
}

#[test]
fn business_hours_count_from_a_scripts_beginning_and_not_in_maintenance() {
    let mut logs = Logs::strict();
    logs.script(LATER + 19 * HOUR + 30, SVC, "app-01");
    assert_eq!(logs.run().len(), 1);
    let window = |account: &str| Maintenance {
        from: time(LATER + 19 * HOUR),
        to: time(LATER + 23 * HOUR),
        accounts: vec![account.to_owned()],
    };
    logs.config.guest_operations.maintenance = vec![window("CORP\\other")];
    assert_eq!(logs.run().len(), 1, "it is for another account");
    logs.config.guest_operations.maintenance.push(window("CORP\\svc-deploy"));
    assert_eq!(summaries(&logs.run()), Vec::<&str>::new());
}

#[test]
fn a_burst_far_above_the_own_habit_is_told_with_both_numbers() {
    let mut logs = Logs::new(|config| config.threshold.count = 10_000);
    logs.automation(SVC, 12, 5);
    for script in 0..50 {
        logs.script(LATER + 10 * HOUR + script * 60, SVC, &format!("app-{:02}", script % 5));
    }
    let told = logs.run();
    let found = findings(only(&told));
    let compared = found["frequency"].compared.unwrap();
    assert!(compared.observed >= 50 && compared.expected <= 12.0, "{compared:?}");
    assert!(compared.probability.unwrap() < 1e-4);
    assert!(!found.contains_key("threshold"));
    assert!(only(&told).severity >= Severity::Medium);
}

#[test]
fn the_hard_limit_holds_without_history_and_counts_no_polls() {
    let mut logs = Logs::new(|_| {});
    logs.automation(SVC, 12, 1);
    let mut polled = logs.clone();
    for poll in 0..110 {
        polled.does(LATER + 10 * HOUR + poll * 5, SVC, "app-00", Operation::ListProcesses);
    }
    assert_eq!(summaries(&polled.run()), Vec::<&str>::new());
    for file in 0..30 {
        logs.does(LATER + 10 * HOUR + file, SVC, "app-00", Operation::FileTransferToGuest);
    }
    let told = logs.run();
    let limit = findings(only(&told))["threshold"].compared.unwrap();
    assert_eq!((limit.observed, limit.expected, limit.window_seconds), (30, 20.0, 600));
}

#[test]
fn a_vm_that_is_not_authorised_is_told() {
    let mut logs = Logs::strict();
    logs.automation(SVC, 12, 5);
    logs.script(LATER + 10 * HOUR, SVC, "dc-01");
    let told = logs.run();
    assert_eq!(only(&told).asset.name, "dc-01");
    assert_eq!(only(&told).asset.address, None);
    assert_eq!(findings(only(&told))["vm_not_authorised"].vms, ["dc-01"]);
}

#[test]
fn a_reader_that_takes_files_out_is_told_and_one_who_always_did_is_not() {
    let mut logs = Logs::new(|_| {});
    let reader = Some("CORP\\monitor");
    logs.automation(SVC, 19, 3);
    for day in (0..19).filter(|day| day % 7 < 5) {
        for hour in 8..18 {
            logs.does(MONDAY + day * DAY + hour * HOUR, reader, "app-01", Operation::ListFiles);
        }
    }
    assert_eq!(summaries(&logs.run()), Vec::<&str>::new());
    for file in 0..15 {
        let at = LATER + 10 * HOUR + 20 + file * 20;
        logs.does(at, reader, "app-01", Operation::FileTransferFromGuest);
    }
    let told = logs.run();
    let pulled = &findings(only(&told))["files_pulled"];
    assert_eq!((pulled.count, pulled.account.as_deref()), (15, reader));
    assert!(only(&told).title.contains("files taken out"));
}

#[test]
fn refused_credentials_and_then_accepted_ones_are_told() {
    let mut logs = Logs::new(|_| {});
    logs.automation(SVC, 12, 3);
    let at = LATER + 10 * HOUR;
    for attempt in 0..5 {
        logs.says(at + attempt * 20, SVC, "app-01", Operation::StartProgram, true);
    }
    logs.script(at + 200, SVC, "app-01");
    let told = logs.run();
    assert_eq!(findings(only(&told))["refused_credentials"].count, 5);
    assert!(only(&told).summary.contains("then they were accepted"), "{}", only(&told).summary);
}

#[test]
fn a_guest_alias_is_a_reason_of_its_own() {
    let mut logs = Logs::strict();
    logs.automation(SVC, 12, 3);
    logs.does(LATER + 10 * HOUR, SVC, "app-01", Operation::AddAlias);
    let told = logs.run();
    assert!(findings(only(&told)).contains_key("guest_alias"));
}

#[test]
fn hostd_alone_says_account_unknown_and_still_knows_hours_rates_and_machines() {
    let mut logs =
        Logs::new(|config| config.business_hours = BusinessHours::parse("Mon-Fri 07:00-19:00"));
    logs.automation(None, 19, 5);
    assert_eq!(summaries(&logs.run()), Vec::<&str>::new());
    for vm in 0..40 {
        logs.script(LATER + 3 * HOUR + vm * 30, None, &format!("app-{vm:02}"));
    }
    let told = logs.run();
    let alert = only(&told);
    assert_eq!((alert.asset.name.as_str(), &*alert.asset.role), ("esxi-01", "esxi"));
    assert_eq!(alert.asset.address, "10.0.0.11".parse().ok());
    assert!(alert.summary.starts_with("An account unknown, on esxi-01, ran "), "{}", alert.summary);
    let found = findings(alert);
    assert!(found.values().all(|group| group.account.is_none() && group.basis.is_none()));
    let names: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    for finding in ["frequency", "outside_business_hours", "threshold", "first_seen_vm"] {
        assert!(names.contains(finding), "{finding}: {names:?}");
    }
    assert!(alert.severity >= Severity::High);
}

#[test]
fn vcenters_own_account_on_a_host_is_nobody() {
    let mut logs = Logs::strict();
    logs.script(LATER + 10 * HOUR, Some("vpxuser"), "app-01");
    assert_eq!(summaries(&logs.run()), Vec::<&str>::new());
}

#[test]
fn what_an_earlier_run_learned_is_known_after_a_restart() {
    let mut logs = Logs::new(|_| {});
    logs.automation(SVC, 12, 5);
    let mut engine = Engine::new(&logs.config, None, None);
    assert!(logs.run_with(&mut engine).is_empty());
    let kept = serde_json::to_string(&engine.baseline()).unwrap();
    let kept: Baseline = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, engine.baseline());
    let mut later = Logs::new(|_| {});
    later.script(LATER + 10 * HOUR, SVC, "app-01");
    later.script(LATER + 10 * HOUR, Some("CORP\\eve"), "app-01");
    later.script(LATER + DAY + 3 * HOUR, SVC, "app-01");
    let told = later.run_with(&mut Engine::new(&later.config, None, Some(kept)));
    let mut found: Vec<_> = told
        .iter()
        .flat_map(|(alert, _)| findings(alert).into_keys())
        .filter(|finding| finding != "operations")
        .collect();
    found.sort();
    assert_eq!(
        found,
        ["files_pulled", "first_seen_account", "odd_hour"],
        "{:#?}",
        summaries(&told)
    );
}

#[test]
fn teaching_takes_all_for_usual_and_nights_that_are_told_do_not() {
    let nights = |logs: &mut Logs| {
        (0..14).for_each(|day| logs.script(MONDAY + day * DAY + 3 * HOUR, SVC, "app-01"));
    };
    let mut logs = Logs::strict();
    nights(&mut logs);
    assert_eq!(logs.run().len(), 14, "every night is an episode");
    let mut engine = Engine::new(&logs.config, Some(Duration::from_secs(10 * DAY)), None);
    let told = logs.run_with(&mut engine);
    assert!(told.iter().all(|(alert, _)| alert.first_seen >= time(MONDAY + 10 * DAY)));
}

#[test]
fn a_flood_of_accounts_is_bounded_and_counted() {
    let mut logs = Logs::new(|_| {});
    for account in 0..5000 {
        logs.does(account, Some(&format!("CORP\\u{account}")), "app-01", Operation::ListFiles);
    }
    let mut engine = Engine::new(&logs.config, None, None);
    logs.run_with(&mut engine);
    let known = engine.baseline().operators.len();
    assert!(known <= 1024 && engine.forgotten() as usize + known == 5000, "{known}");
}

#[test]
fn switched_off_and_on_it_knows_what_it_knew_and_forgets_what_it_is_told_to() {
    let mut logs = Logs::new(|_| {});
    logs.automation(SVC, 12, 3);
    let mut engine = Engine::new(&logs.config, None, None);
    logs.run_with(&mut engine);
    let known = engine.baseline().operators;
    let mut off = logs.config.clone();
    off.guest_operations.enabled = false;
    engine.reconfigure(&off);
    assert_eq!(engine.baseline().operators, known);
    engine.reconfigure(&logs.config);
    assert_eq!(engine.baseline().operators, known);
    assert!(engine.forget("svc-deploy@corp", None));
    assert!(engine.baseline().operators.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Fails when what is told depends on which of two messages of the same time was read first.
    #[test]
    fn the_order_of_reports_of_the_same_time_does_not_matter(seed in 0u64..1 << 32) {
        let mut logs = Logs::strict();
        logs.config.baseline.learning = Duration::from_secs(DAY);
        let mut mixed = seed | 1;
        let mut next = |most: u64| {
            mixed = mixed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (mixed >> 33) % most
        };
        let operations = [
            Operation::StartProgram,
            Operation::ListProcesses,
            Operation::FileTransferFromGuest,
            Operation::ListFiles,
        ];
        for second in 0..120u64 {
            for _ in 0..next(4) {
                let account = [SVC, Some("CORP\\eve"), None][next(3) as usize];
                let vm = ["app-01", "dc-01"][next(2) as usize];
                let at = LATER + 3 * HOUR + second * 40;
                logs.does(at, account, vm, operations[next(4) as usize].clone());
            }
        }
        let mut other = logs.clone();
        other.reports.reverse();
        let last = |told: &Told| -> Vec<_> {
            let state = |alert: &Alert| {
                let evidence = serde_json::to_string(&alert.evidence).unwrap();
                (alert.id, alert.severity, alert.summary.clone(), evidence)
            };
            told.iter().map(|(alert, _)| state(alert)).collect()
        };
        prop_assert_eq!(last(&logs.run()), last(&other.run()));
    }
}
