use super::*;
use crate::fleet::Health;

const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

#[test]
fn what_is_not_as_it_should_be_is_refused_by_its_reason() {
    let good = Health { site: "dc1".into(), sensor: "a".into(), ..Health::default() };
    let good = serde_json::to_string(&good).unwrap();
    let reason = |text: &str| {
        let read = read::<Health>(text.as_bytes(), "dc1.a", NOW);
        read.map_or_else(|refused| refused.reason(), |_| "taken")
    };
    assert_eq!(reason(&good), "taken");
    let large = format!("{good}{}", " ".repeat(Health::LARGEST));
    let newer = r#"{"schema":"egret.health/2","all":"else"}"#;
    let deep = "[".repeat(10_000);
    for (text, why) in [
        (large.as_str(), "size"),
        ("", "form"),
        ("{}", "form"),
        (deep.as_str(), "form"),
        (&good.replace("\"packets\":0", "\"packets\":-1"), "form"),
        (newer, "schema"),
        (&good.replace("egret.health/1", "egret.alert/1"), "schema"),
        (&good.replace("dc1", "dc2"), "sender"),
    ] {
        assert_eq!(reason(text), why, "{text:.80}");
    }
}

/// Fails when a label is counted that the metric does not have.
#[test]
fn every_reason_is_one_that_metrics_know() {
    let all = [
        Refused::TooLarge { bytes: 2, most: 1 },
        Refused::Syntax(String::new()),
        Refused::Schema { found: String::new(), known: "egret.health/1" },
        Refused::Sender { said: String::new(), expected: String::new() },
        Refused::Bounds("names"),
        Refused::Future,
        Refused::Misplaced,
        Refused::Flood,
    ];
    let reasons: std::collections::BTreeSet<_> = all.iter().map(Refused::reason).collect();
    assert_eq!(reasons, Refused::REASONS.into_iter().collect());
}
