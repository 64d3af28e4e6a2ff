use crate::alert::{Fact, Severity};
use crate::detect::tests::{DAY, HOUR, JA4, MINUTE, Scene, about, at_least};

const NIGHT: u64 = 2 * DAY + 3 * HOUR;
const NOON: u64 = 2 * DAY + 12 * HOUR;

fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.routine(6, 3);
    scene
}

#[test]
fn routine_is_silent() {
    assert_eq!(at_least(Severity::Low, &scene().run()), Vec::<String>::new());
}

#[test]
fn exfiltration_after_staging_is_found_whatever_its_size() {
    for megabytes in [30, 100, 500, 3000] {
        let mut scene = scene();
        let bytes = megabytes * 1_000_000;
        scene.inside(
            NOON,
            "10.0.0.20",
            "10.1.0.3",
            300,
            (bytes * 2).max(60_000_000).min(bytes * 12),
        );
        scene.visit(NOON + 15 * MINUTE, "10.1.0.3", "drop.evil.example", "203.0.113.9", 600, bytes);
        let told = scene.run();
        let found = about(&told, "10.1.0.3");
        assert_eq!(found.len(), 1, "{megabytes} MB: {told:#?}");
        assert!(found[0].at < NOON + 25 * MINUTE, "while it uploads");
        if megabytes >= 100 {
            assert!(found[0].severity >= Severity::High, "{megabytes} MB: {:?}", found[0]);
        }
        let spike = found[0].alert.evidence.iter().any(|piece| {
            matches!(piece.fact, Fact::VolumeSpike { observed_bytes, .. } if observed_bytes > 50_000_000)
        });
        assert!(spike, "the spike is shown");
        assert_eq!(told.len(), 1, "nobody else");
    }
}

#[test]
fn an_upload_in_pieces_is_one() {
    let mut scene = scene();
    scene.inside(NOON, "10.0.0.20", "10.1.0.3", 300, 400_000_000);
    for piece in 0..40 {
        let at = NOON + 10 * MINUTE + piece * 40;
        let name = format!("p{piece}.evil.example");
        scene.visit(at, "10.1.0.3", &name, "203.0.113.9", 30, 5_000_000);
    }
    let told = scene.run();
    assert_eq!(told.len(), 1, "{:?}", at_least(Severity::Low, &told));
    assert!(told[0].severity >= Severity::High);
    assert!(told[0].alert.count <= 4, "few updates: {}", told[0].alert.count);
}

#[test]
fn a_first_upload_of_up_to_100_megabytes_alone_is_no_alert_and_a_huge_one_not_high() {
    for (megabytes, most) in [(10, None), (100, None), (2000, Some(Severity::Medium))] {
        let mut scene = scene();
        scene.visit(
            NOON,
            "10.1.0.3",
            "new.saas.example",
            "203.0.113.9",
            600,
            megabytes * 1_000_000,
        );
        let told = scene.run();
        assert_eq!(told.iter().map(|told| told.worst).max(), most, "{megabytes} MB: {told:#?}");
    }
}

#[test]
fn a_file_that_is_fetched_and_sent_on_is_never_high() {
    for (megabytes, most) in [(20, None), (90, Some(Severity::Medium))] {
        let mut scene = scene();
        let bytes = megabytes * 1_000_000;
        scene.inside(NOON, "10.0.0.20", "10.1.0.3", 60, bytes);
        scene.visit(NOON + 5 * MINUTE, "10.1.0.3", "t.example", "203.0.113.9", 60, bytes);
        let told = scene.run();
        assert_eq!(told.iter().map(|told| told.worst).max(), most, "{megabytes} MB: {told:#?}");
    }
}

/// Fails when an alert names the conversation that went to a place first, and not that which carried
/// what is told of.
#[test]
fn the_conversation_that_carries_most_is_the_one_that_is_named() {
    let mut scene = scene();
    scene.visit(NOON - HOUR, "10.1.0.3", "a.evil.example", "203.0.113.8", 30, 200_000);
    scene.inside(NOON, "10.0.0.20", "10.1.0.3", 300, 900_000_000);
    scene.visit(NOON + 600, "10.1.0.3", "b.evil.example", "203.0.113.9", 300, 600_000_000);
    let told = scene.run();
    assert_eq!(told.len(), 1, "{told:#?}");
    let destination = told[0].alert.destination.as_ref().unwrap();
    assert_eq!(destination.address, "203.0.113.9".parse::<std::net::IpAddr>().unwrap());
    assert_eq!(destination.sni.as_deref(), Some("b.evil.example"));
}

#[test]
fn a_tiny_visit_after_a_backup_is_nothing() {
    let mut scene = scene();
    scene.inside(NIGHT, "10.0.0.20", "10.1.0.3", 1200, 8_000_000_000);
    scene.visit(NIGHT + 25 * MINUTE, "10.1.0.3", "new.example", "203.0.113.9", 20, 300_000);
    assert_eq!(at_least(Severity::Low, &scene.run()), Vec::<String>::new());
}

#[test]
fn a_nightly_backup_and_its_report_to_the_vendor_are_silent() {
    let mut scene = Scene::new();
    scene.routine(6, 4);
    for day in 0..4 {
        let at = day * DAY + 2 * HOUR;
        scene.inside(at, "10.0.0.20", "10.1.0.3", 1200, 5_000_000_000 + day * 100_000_000);
        scene.visit(
            at + 21 * MINUTE,
            "10.1.0.3",
            "report.backup.example",
            "203.0.113.9",
            60,
            30_000_000,
        );
    }
    assert_eq!(at_least(Severity::Low, &scene.run()), Vec::<String>::new());
}

#[test]
fn a_roll_out_is_told_once_at_most_and_taken_back() {
    let mut scene = scene();
    for guest in 1..=6u8 {
        let client = format!("10.1.0.{guest}");
        let at = NOON + u64::from(guest) * 20 * MINUTE;
        scene.visit(at, &client, "in.logs.example", "203.0.113.9", 900, 300_000_000);
    }
    let told = scene.run();
    assert!(told.len() <= 2, "{:?}", at_least(Severity::Low, &told));
    assert!(told.iter().all(|told| told.worst <= Severity::Medium));
    assert!(told.iter().all(|told| told.severity <= Severity::Low), "taken back: {told:#?}");
}

#[test]
fn staged_uploads_from_several_guests_do_not_excuse_each_other() {
    let mut scene = scene();
    for guest in 1..=4u8 {
        let client = format!("10.1.0.{guest}");
        let at = NOON + u64::from(guest) * 20 * MINUTE;
        scene.inside(at, "10.0.0.20", &client, 300, 500_000_000);
        scene.visit(at + 8 * MINUTE, &client, "in.evil.example", "203.0.113.9", 600, 300_000_000);
    }
    let told = scene.run();
    assert_eq!(told.iter().filter(|told| told.severity >= Severity::High).count(), 4, "{told:#?}");
}

#[test]
fn an_upload_to_a_usual_cloud_is_measured_against_the_habit_there() {
    for (bytes, found) in [(80_000_000, false), (200_000_000, true), (900_000_000, true)] {
        let mut scene = Scene::new();
        scene.routine(6, 3);
        for day in 0..3 {
            for hour in 8..18 {
                let at = day * DAY + hour * HOUR + 40 * MINUTE;
                scene.visit(at, "10.1.0.3", "sync.cloud.example", "198.51.100.4", 60, 2_000_000);
            }
        }
        scene.inside(NOON + 12 * MINUTE, "10.0.0.20", "10.1.0.3", 300, bytes.max(60_000_000));
        scene.visit(NOON + 20 * MINUTE, "10.1.0.3", "up.cloud.example", "198.51.100.4", 600, bytes);
        let told = scene.run();
        assert_eq!(!about(&told, "10.1.0.3").is_empty(), found, "{bytes}: {told:#?}");
    }
}

#[test]
fn a_usual_name_at_an_address_dns_never_gave_for_it_is_not_the_usual_place() {
    let mut scene = scene();
    scene.inside(NOON, "10.0.0.20", "10.1.0.3", 300, 200_000_000);
    let sni = Some("www.usual-1.example");
    scene.hello(NOON + 10 * MINUTE, "10.1.0.3", "203.0.113.9", sni, 300, 60_000_000);
    let told = scene.run();
    let found = about(&told, "10.1.0.3");
    assert_eq!(found.len(), 1);
    assert!(found[0].severity >= Severity::High, "{found:#?}");
    let noted = found[0].alert.evidence.iter().any(|piece| {
        matches!(&piece.fact, Fact::TlsSession { notes, .. } if notes.iter().any(|note| note == "sni_not_in_dns"))
    });
    assert!(noted);
}

#[test]
fn management_is_approved_or_high_at_the_hello() {
    let mut scene = scene();
    scene.visit(NOON, "10.0.0.11", "depot.vmware.com", "198.51.200.1", 30, 9_000_000);
    scene.visit(NOON + HOUR, "10.0.0.11", "c2.evil.example", "203.0.113.9", 30, 2_000);
    let told = scene.run();
    assert_eq!(told.len(), 1, "{:?}", at_least(Severity::Low, &told));
    assert_eq!((&*told[0].asset, told[0].at), ("esxi-01", NOON + HOUR + 1));
    assert!(told[0].severity >= Severity::High);
    let destination = told[0].alert.destination.as_ref().unwrap();
    assert_eq!(destination.ja4.as_deref(), Some(JA4));
}

#[test]
fn an_approved_name_that_dns_contradicts_is_not_approved() {
    let mut scene = scene();
    scene.visit(NOON, "10.0.0.11", "depot.vmware.com", "198.51.200.1", 30, 9_000);
    let sni = Some("depot.vmware.com");
    scene.hello(NOON + HOUR, "10.0.0.11", "203.0.113.9", sni, 30, 2_000);
    let told = scene.run();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].at, NOON + HOUR);
}

#[test]
fn an_approved_name_on_another_port_is_worth_a_look_only() {
    let mut scene = scene();
    scene.configure(|config| config.approve[0].ports = vec![8443]);
    scene.visit(NOON, "10.0.0.11", "depot.vmware.com", "198.51.200.1", 30, 9_000);
    let told = scene.run();
    assert_eq!(told.iter().map(|told| told.worst).collect::<Vec<_>>(), [Severity::Medium]);
}

#[test]
fn what_learn_taught_a_management_component_is_known() {
    let mut scene = Scene::new();
    for hour in [0, 4, 8, 12, 30, 36] {
        scene.visit(hour * HOUR, "10.0.0.11", "telemetry.example", "198.51.100.4", 30, 4_000);
    }
    assert_eq!(at_least(Severity::Low, &scene.run()), Vec::<String>::new());
}

#[test]
fn while_learning_management_is_watched_and_a_guest_needs_much_more() {
    let mut scene = Scene::unlearned();
    scene.routine(6, 1);
    scene.visit(10 * HOUR, "10.0.0.11", "c2.evil.example", "203.0.113.9", 30, 2_000);
    scene.visit(11 * HOUR, "10.1.0.2", "big.example", "203.0.113.10", 300, 900_000_000);
    scene.inside(12 * HOUR, "10.0.0.20", "10.1.0.3", 300, 3_000_000_000);
    scene.visit(12 * HOUR + 600, "10.1.0.3", "drop.example", "203.0.113.11", 300, 2_000_000_000);
    let told = scene.run();
    let assets: Vec<_> = told.iter().map(|told| (&*told.asset, told.severity)).collect();
    assert_eq!(assets[0].0, "esxi-01");
    assert!(assets[0].1 >= Severity::High);
    assert_eq!(assets[1..], [("10.1.0.3", Severity::Medium)]);
    assert!(told[1].alert.confidence <= 0.6);
}

#[test]
fn a_drip_to_a_new_place_adds_up_over_days() {
    let mut scene = Scene::new();
    scene.routine(3, 10);
    for day in 2..10 {
        for hour in 0..24 {
            let at = day * DAY + hour * HOUR + 1800;
            scene.visit(at, "10.1.0.2", "slow.example", "203.0.113.9", 60, 4_000_000);
        }
    }
    let told = scene.run();
    assert_eq!(about(&told, "10.1.0.2").len(), 1, "{told:#?}");
}

#[test]
fn a_guest_is_watched_on_its_ipv6_addresses_alike() {
    let mut scene = scene();
    scene.inside(NOON, "fd00::14", "fd00::3", 300, 900_000_000);
    scene.visit(NOON + 15 * MINUTE, "fd00::3", "drop.example", "2001:db8:9::9", 600, 400_000_000);
    let told = scene.run();
    assert_eq!(about(&told, "10.1.0.3").len(), 1, "one asset by its MAC: {told:#?}");
}

#[test]
fn through_a_proxy_inside_it_is_egress_all_the_same() {
    let mut scene = scene();
    let drop = ["drop.evil.example:443", "drop.evil.example"];
    scene.inside(NOON, "10.0.0.20", "10.1.0.3", 300, 600_000_000);
    scene.proxied(NOON + 15 * MINUTE, "10.1.0.3", drop, 600, [300_000_000, 20_000]);
    scene.proxied(NOON + HOUR, "10.0.0.11", ["c2.evil.example:443", "x"], 30, [2_000, 2_000]);
    scene.proxied(NOON + HOUR, "10.0.0.11", ["203.0.113.9:443", "x"], 30, [2_000, 2_000]);
    let told = scene.run();
    let guest = about(&told, "10.1.0.3");
    assert_eq!(guest.len(), 1, "{told:#?}");
    assert!(guest[0].severity >= Severity::High, "{guest:#?}");
    let destination = guest[0].alert.destination.as_ref().unwrap();
    assert_eq!(destination.sni.as_deref(), Some("drop.evil.example"));
    assert_eq!((destination.address, destination.port), ("10.0.0.8".parse().unwrap(), 3128));
    let summary = &guest[0].alert.summary;
    assert!(summary.contains("TLS to drop.evil.example through the proxy 10.0.0.8"), "{summary}");
    let management = about(&told, "esxi-01");
    assert_eq!(management.len(), 2, "by name and by address: {told:#?}");
    assert!(
        management.iter().all(|told| told.severity >= Severity::High && told.at == NOON + HOUR)
    );
}

#[test]
fn what_a_proxy_is_asked_for_is_approved_usual_or_inside_like_anything_else() {
    let mut scene = scene();
    let esxi = |scene: &mut Scene, authority: &str, sni: &str| {
        scene.proxied(NOON, "10.0.0.11", [authority, sni], 30, [2_000_000, 2_000]);
    };
    esxi(&mut scene, "depot.vmware.com:443", "depot.vmware.com");
    esxi(&mut scene, "10.0.0.20:443", "backup.example");
    esxi(&mut scene, "[fd00::20]:443", "backup.example");
    esxi(&mut scene, "vcenter:443", "vcenter");
    scene.resolve(NOON - 60, "10.0.0.11", "vcenter.corp.example", "10.0.0.20");
    esxi(&mut scene, "vcenter.corp.example:443", "vcenter.corp.example");
    let usual = ["www.usual-1.example:443", "www.usual-1.example"];
    scene.proxied(NOON, "10.1.0.3", usual, 60, [2_000_000, 20_000]);
    assert_eq!(at_least(Severity::Low, &scene.run()), Vec::<String>::new());
}

#[test]
fn an_approved_or_usual_name_in_the_hello_does_not_excuse_what_the_proxy_was_asked_for() {
    let mut scene = scene();
    let fronted = ["drop.evil.example:443", "depot.vmware.com"];
    scene.proxied(NOON, "10.0.0.11", fronted, 30, [2_000, 2_000]);
    let told = scene.run();
    assert_eq!(told.len(), 1);
    assert!(told[0].severity >= Severity::High);
    assert!(told[0].alert.summary.contains("drop.evil.example"), "{}", told[0].alert.summary);
}

#[test]
fn what_comes_through_a_proxy_is_not_pulled_together_inside() {
    let update = ["update.usual-1.example:443", "update.usual-1.example"];
    for (proxied, found) in [(true, false), (false, true)] {
        let mut scene = scene();
        if proxied {
            scene.proxied(NOON, "10.1.0.3", update, 300, [20_000, 900_000_000]);
        } else {
            scene.inside(NOON, "10.0.0.20", "10.1.0.3", 300, 900_000_000);
        }
        let at = NOON + 15 * MINUTE;
        scene.visit(at, "10.1.0.3", "drop.evil.example", "203.0.113.9", 300, 70_000_000);
        assert_eq!(!about(&scene.run(), "10.1.0.3").is_empty(), found, "{proxied}");
    }
}
