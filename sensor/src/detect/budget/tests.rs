use super::*;
use crate::alert::sample::{self, numbered};

const START: u64 = 1_800_000_000;

/// An alert of a guest whose evidence comes to so much, so many hours from the start.
fn alert(number: u64, hours: u64, score: f64) -> Alert {
    let severity = if score >= statistics::HIGH { Severity::High } else { Severity::Medium };
    let time = Timestamp::from_parts(START + hours * 3600, 0);
    let fact = Fact::Baseline { statement: String::new() };
    let evidence = vec![sample::evidence(score, 1, fact)];
    let mut alert = Alert { time, severity, confidence: 0.9, evidence, ..numbered(number) };
    alert.asset.role = "guest".into();
    alert
}

fn pass(budget: &mut Budget, mut alert: Alert) -> Alert {
    budget.pass(&mut alert, 20);
    alert
}

/// A budget of which much more than that was spent at the start.
fn spent() -> Budget {
    let mut budget = Budget::new(SiteBudget::default());
    for number in 1..=40 {
        assert_eq!(pass(&mut budget, alert(number, 0, 9.0)).status, Status::Open);
    }
    budget
}

/// Fails when what is weak goes on to be told, what is strong is not, or a week forgets nothing.
#[test]
fn beyond_the_budget_the_weak_are_held_back_for_a_week() {
    let mut budget = Budget::new(SiteBudget::default());
    let first = pass(&mut budget, alert(1, 0, 0.1));
    assert_eq!((first.status, first.evidence.len()), (Status::Open, 1), "told as it is");
    let second = pass(&mut budget, alert(2, 1, 0.6));
    assert_eq!(second.status, Status::Suppressed);
    let Some(Evidence { weight, fact: Fact::Baseline { statement }, .. }) = second.evidence.last()
    else {
        panic!("the reason is evidence");
    };
    assert_eq!(*weight, -0.7, "ln 2: twice the budget");
    assert!(
        statement.contains("told 1 alert within a week") && statement.contains("where 1 may be")
    );
    assert!(second.confidence < 0.5);
    assert_eq!(pass(&mut budget, alert(3, 2, 0.8)).status, Status::Open);
    assert_eq!(pass(&mut budget, alert(4, 3, 1.0)).status, Status::Suppressed, "ln 3");
    let spending = budget.spending(Timestamp::from_parts(START + 4 * 3600, 0), 20);
    assert_eq!((spending.told, spending.held, spending.allowed), ([2, 0], 2, [1.0, 1.0]));

    let mut budget = spent();
    assert_eq!(pass(&mut budget, alert(90, 1, 2.9)).status, Status::Suppressed);
    assert_eq!(pass(&mut budget, alert(91, 1, 3.0)).status, Status::Open, "never more than 3");
    assert_eq!(pass(&mut budget, alert(92, 7 * 24 + 2, 0.1)).status, Status::Open);
}

#[test]
fn a_larger_site_may_tell_more_and_one_analytic_spends_nothing_of_another() {
    let mut budget = Budget::new(SiteBudget::default());
    for number in 0..5 {
        let mut one = alert(number, 0, 0.1);
        budget.pass(&mut one, 500);
        assert_eq!(one.status, Status::Open);
    }
    let mut other = Alert { analytic: Analytic::AN0731, ..alert(5, 0, 0.1) };
    let mut sixth = alert(6, 0, 0.1);
    budget.pass(&mut other, 500);
    budget.pass(&mut sixth, 500);
    assert_eq!((other.status, sixth.status), (Status::Open, Status::Suppressed));
}

/// Fails when a budget that decoys have spent hides what policy forbids.
#[test]
fn what_policy_forbids_is_told_whatever_was_spent() {
    let rule = |finding: &'static str| {
        let group = crate::alert::Operations { finding: finding.into(), ..sample::operations() };
        let fact = Fact::GuestOperation(Box::new(group));
        let evidence = vec![sample::evidence(0.1, 1, fact)];
        Alert { analytic: Analytic::AN0646, evidence, ..alert(100, 1, 0.1) }
    };
    let mut management = alert(100, 1, 0.1);
    management.asset.role = "esxi".into();
    let exempt = [
        management,
        Alert { severity: Severity::Critical, ..alert(100, 1, 0.1) },
        Alert { analytic: Analytic::AN1131, ..alert(100, 1, 0.1) },
        rule("vm_not_authorised"),
    ];
    for before in exempt {
        let mut budget = spent();
        let after = pass(&mut budget, before.clone());
        assert_eq!(after.status, Status::Open);
        assert_eq!(after.severity, before.severity);
        assert_eq!(after.evidence.len(), before.evidence.len());
        assert_eq!(budget.count(Analytic::AN1416, START, false), 40, "it spends nothing");
    }
    let mut budget = spent();
    let odd = rule("odd_hour");
    for number in 200..203 {
        pass(&mut budget, Alert { id: numbered(number).id, ..odd.clone() });
    }
    assert_eq!(pass(&mut budget, odd).status, Status::Suppressed, "a matter of statistics");
}

/// Fails when an alert that was held back is so for ever, or is told with every packet.
#[test]
fn what_was_held_back_is_told_once_its_evidence_is_enough() {
    let mut budget = spent();
    let weak = alert(50, 1, 1.0);
    assert!(!budget.admits(weak.id, 9.0), "it was not raised yet");
    pass(&mut budget, weak.clone());
    assert!(!budget.admits(weak.id, 2.9));
    assert!(budget.admits(weak.id, 3.1));
    let told = pass(&mut budget, alert(50, 1, 3.1));
    assert_eq!((told.status, told.severity), (Status::Open, Severity::Medium));
    assert!(!budget.admits(told.id, 3.2));
    assert!(budget.admits(told.id, 6.1), "then it is high as well");
    assert_eq!(pass(&mut budget, alert(50, 1, 6.1)).severity, Severity::High);
    assert!(!budget.admits(told.id, 99.0));
    // Its last word is no other alert.
    assert_eq!(pass(&mut budget, alert(50, 20, 0.5)).status, Status::Open);

    pass(&mut budget, alert(51, 1, 1.0));
    budget.tick(Timestamp::from_parts(START + 8 * 86_400, 0), 20);
    assert!(budget.admits(numbered(51).id, 1.0), "a week later there is room");
}

#[test]
fn a_second_high_alert_needs_more_to_be_high() {
    let mut budget = Budget::new(SiteBudget { alerts: 100.0, high: 1.0 });
    assert_eq!(pass(&mut budget, alert(1, 0, 3.1)).severity, Severity::High);
    let second = pass(&mut budget, alert(2, 0, 3.1));
    assert_eq!((second.severity, second.status), (Severity::Medium, Status::Open));
    assert!(budget.admits(second.id, 3.7));
    assert_eq!(pass(&mut budget, alert(3, 0, 3.7)).severity, Severity::High);
}

#[test]
fn an_incident_does_not_count_and_a_false_alarm_does() {
    let mut budget = Budget::new(SiteBudget::default());
    pass(&mut budget, alert(1, 0, 5.0));
    budget.judge(&[(numbered(1).id, Verdict::Harmless)]);
    assert_eq!(pass(&mut budget, alert(2, 1, 0.1)).status, Status::Suppressed);
    budget.judge(&[(numbered(1).id, Verdict::Incident)]);
    assert_eq!(pass(&mut budget, alert(3, 1, 0.1)).status, Status::Open);
    let spending = budget.spending(Timestamp::from_parts(START, 0), 20);
    assert_eq!(spending.judged, [(Verdict::Harmless, 0), (Verdict::Incident, 1)]);
}

#[test]
fn a_flood_is_bounded_and_survives_being_kept() {
    let mut budget = Budget::new(SiteBudget { alerts: 1e9, high: 1e9 });
    for number in 0..MAX_ALERTS as u64 + 10 {
        pass(&mut budget, alert(number, number / 1000, 1.0));
    }
    assert_eq!(budget.save().len(), MAX_ALERTS);
    assert!(!budget.save().contains_key(&numbered(0).id), "the oldest gave way");
    let kept = serde_json::to_string(budget.save()).unwrap();
    let mut later = Budget::new(SiteBudget::default());
    later.restore(&serde_json::from_str(&kept).unwrap());
    assert_eq!(later.save(), budget.save());
}
