use super::super::tests::World;
use super::*;

/// A label of random letters.
fn label(n: u64, length: usize) -> String {
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let letter = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 33) as u8 % 26)
    };
    (0..length).map(letter).collect()
}

#[test]
fn a_burst_of_random_names_that_do_not_exist_is_told_of() {
    let mut world = World::new();
    for n in 0..120 {
        world.dns(100 + n, "10.1.0.1", &format!("{}.com", label(n, 14)), 3, &[]);
    }
    assert_eq!(world.names(), ["nxdomain_burst"]);
    assert_eq!(world.alerts()[0].severity, Severity::Medium);
}

#[test]
fn mistyped_names_search_lists_and_slow_probes_are_none() {
    let mut world = World::new();
    for n in 0..200 {
        // A search list: below one domain.
        world.dns(100 + n, "10.1.0.1", &format!("{}.corp.example.com", label(n, 14)), 3, &[]);
        world.dns(100 + n, "10.1.0.1", &format!("shop{}.com", n % 10), 3, &[]);
        // Three at a time, as browsers do.
        world.dns(10_000 + n / 3 * 1000, "10.1.0.1", &format!("{}.com", label(n, 12)), 3, &[]);
    }
    world.is_quiet();
}

#[test]
fn many_long_names_below_one_domain_are_told_of_whether_they_exist_or_not() {
    for code in [0, 3] {
        let mut world = World::new();
        for n in 0..200 {
            let name = format!("{}.t.example.net", label(n, 40));
            world.dns(
                100 + n,
                "10.1.0.1",
                &name,
                code,
                if code == 0 { &["203.0.113.9"] } else { &[] },
            );
        }
        assert_eq!(world.names(), ["long_names"]);
        let alert = world.alerts()[0];
        assert!(alert.summary.contains("below example.net"), "{}", alert.summary);
    }
}

#[test]
fn a_few_long_names_or_one_again_and_again_are_none() {
    let mut world = World::new();
    for n in 0..400 {
        let name = format!("{}.cdn.example.net", label(n % 20, 40));
        world.dns(100 + n, "10.1.0.1", &name, 0, &["203.0.113.9"]);
    }
    world.is_quiet();
}

#[test]
fn a_name_of_a_hidden_service_is_told_of_at_once() {
    let mut world = World::new();
    world.dns(100, "10.1.0.1", "onion.example.com", 3, &[]);
    world.dns(100, "10.1.0.1", "www.onion.", 0, &[]);
    assert_eq!(world.short(), [("hidden_service".into(), Severity::Medium, "10.1.0.1".into())]);
}

#[test]
fn a_name_that_leads_to_ever_other_networks_is_told_of_and_one_that_returns_is_not() {
    let mut world = World::new();
    for n in 0..40 {
        let to = [format!("198.{}.0.7", n % 6), format!("198.{}.0.8", (n + 1) % 6)];
        world.dns(100 + n * 60, "10.1.0.1", "www.cdn.example", 0, &[&to[0], &to[1]]);
    }
    world.is_quiet();
    for n in 0..20 {
        let to = format!("{}.{}.0.7", 20 + n, 7 * n);
        world.dns(5000 + n * 60, "10.1.0.1", "flux.example", 0, &[&to]);
    }
    assert_eq!(world.names(), ["rotating_answers"]);
}

#[test]
fn a_labels_entropy_is_in_bits_a_letter() {
    assert_eq!(entropy("aaaa"), 0.0);
    assert_eq!(entropy("abcdabcd"), 2.0);
    for word in ["mailserver", "documentation", "my-long-service-in-eu-west-1", "wintermute"] {
        assert!(!is_random(word), "{word}");
    }
    let made = (0..100).filter(|n| is_random(&label(*n, 16))).count();
    assert!(made > 75, "{made}");
    assert!(is_random("6e3b0c44298fc1c149afbf4c8996fb92427ae41e"));
}
