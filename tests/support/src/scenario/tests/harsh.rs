use std::collections::BTreeSet;

use super::*;

/// Two days of a harsh estate with these attacks, after one of learning.
fn harsh(seed: u64, attacks: &[AttackKind]) -> Plan {
    let plan = Plan::harsh(seed, 40, 72, 24);
    Plan { sessions_per_day: 12.0, noise_per_day: 5.0, attacks: attacks.to_vec(), ..plan }
}

fn written(plan: &Plan) -> (Truth, Vec<u8>) {
    let mut file = Vec::new();
    let (_, truth) = plan.begin().write_capture(&mut file).unwrap();
    (truth, file)
}

#[test]
fn days_written_one_after_another_are_the_days_played_at_once() {
    let (truth, one_by_one) = written(&small(5));
    let (at_once, whole) = capture(&small(5));
    assert!(one_by_one == whole);
    let text = |truth: &Truth| serde_json::to_string(truth).unwrap();
    assert_eq!(text(&truth), text(&at_once));
}

#[test]
fn evasions_are_in_the_frames_and_named() {
    let evasions = [
        AttackKind::SlowGrowth,
        AttackKind::Preseeded,
        AttackKind::SpoofedAnswer,
        AttackKind::BackupShaped,
        AttackKind::LongDrip,
        AttackKind::DnsPortDecoys(Formula::Multipliers),
        AttackKind::DnsPortSpoofed(Formula::Apt12),
    ];
    let (truth, file) = capture(&harsh(3, &evasions));
    check_truth(&truth, &records(&file));
    assert_eq!(truth.attacks.len(), evasions.len());
    for attack in &truth.attacks {
        assert!(attack.evasion.is_some(), "{attack:?}");
        assert_eq!(
            attack.prepared.is_some(),
            attack.kind.contains("preseeded") || attack.kind.contains("spoofed_answer")
        );
        assert_eq!(attack.exfiltration.is_some(), attack.analytic == "AN1416", "{attack:?}");
    }
    let decoys = truth.attacks.iter().find(|attack| attack.kind.ends_with("_decoys")).unwrap();
    assert!(decoys.beacon.as_ref().unwrap().decoys.len() > decoys.connections.len());
}

#[test]
fn an_exfiltration_is_as_large_and_as_slow_as_it_says() {
    let extents: Vec<Extent> =
        Extent::grid().filter(|extent| extent.bytes <= 1_000_000_000).collect();
    assert!(Extent::grid().count() > 40);
    let sized: Vec<AttackKind> = extents.into_iter().map(AttackKind::Sized).collect();
    let plan = Plan { hours: 120, sessions_per_day: 0.0, ..harsh(4, &sized) };
    let truth = plan.play().truth;
    assert_eq!(truth.attacks.len(), sized.len());
    for attack in &truth.attacks {
        let known = attack.exfiltration.as_ref().unwrap();
        let extent = sized.iter().find_map(|kind| match kind {
            AttackKind::Sized(extent) if known.size.abs_diff(extent.bytes) < 200 => {
                let near = extent.seconds * 85 / 100..extent.seconds * 110 / 100 + 2;
                near.contains(&known.duration).then_some(extent)
            }
            _ => None,
        });
        assert!(extent.is_some(), "{known:?}");
        let least = known.size..known.size + known.size / 20 + 1_000_000;
        assert!(least.contains(&attack.bytes_out) && known.staged >= known.size, "{attack:?}");
    }
}

#[test]
fn harsh_estates_have_every_variant() {
    let truth = harsh(5, &[]).play().truth;
    let noted: BTreeSet<&str> = truth.hard_negatives.iter().map(|known| &*known.kind).collect();
    for kind in [
        "level_shift",
        "autocorrelation",
        "migration",
        "moved_backup",
        "patch_day",
        "first_upload",
        "saas_rollout",
        "shipper_rollout",
        "peer_to_peer",
        "sharded_service",
    ] {
        assert!(noted.contains(kind), "{kind} of {noted:?}");
    }
    assert!(truth.harsh.len() > 12 && truth.attacks.is_empty());
}

#[test]
fn a_mirror_that_lies_loses_and_doubles_and_invents_nothing() {
    let plan = harsh(6, &[]);
    let (_, whole) = capture(&plan);
    let whole: Vec<_> =
        records(&whole).into_iter().map(|record| (record.time, record.bytes)).collect();
    let (_, seen) = written(&plan);
    let seen: Vec<_> =
        records(&seen).into_iter().map(|record| (record.time, record.bytes)).collect();
    let different: BTreeSet<_> = seen.iter().collect();
    let sent: BTreeSet<_> = whole.iter().collect();
    assert!(different.is_subset(&sent));
    assert!(different.len() < sent.len() && seen.len() > different.len() * 101 / 100);
}

#[test]
fn odd_ports_have_openings_and_answers_only() {
    let plan = Plan { sessions_per_day: 12.0, ..Plan::odd_ports(7, 40, 24, 12) };
    let (truth, file) = written(&plan);
    let records = records(&file);
    assert!(truth.attacks.is_empty() && records.len() > 10_000);
    let tcp = records.iter().filter(|record| record.bytes.len() < 100);
    let (opened, all) = tcp.fold((0, 0), |(opened, all), record| {
        let (.., port, opens) = read(record);
        (opened + usize::from(opens), all + usize::from(port != 53))
    });
    assert!(opened > 1000 && all < opened * 6, "{opened} of {all}");
}

#[test]
fn some_log_lines_come_up_to_a_minute_late() {
    let plan = Plan { noise_per_day: 200.0, ..harsh(8, &[]) };
    let lines = plan.begin().journal().lines();
    let mut latest = 0;
    let late: Vec<u64> = lines
        .iter()
        .map(|line| {
            latest = latest.max(line.time);
            latest - line.time
        })
        .filter(|late| *late > 0)
        .collect();
    assert!(late.len() * 100 > lines.len() && late.len() * 5 < lines.len(), "{}", late.len());
    assert!(late.iter().all(|late| *late <= 60 * SECOND));
}
