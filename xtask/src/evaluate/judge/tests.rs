//! How alerts are joined with what was planted.

use egret_tests::scenario::truth;

use super::*;

const START: u64 = 1_772_409_600_000_000_000;

fn asset() -> truth::Asset {
    truth::Asset { name: "app-02".into(), addresses: vec!["10.20.0.12".parse().unwrap()] }
}

fn destination(address: &str) -> truth::Destination {
    truth::Destination { address: address.parse().unwrap(), port: 443 }
}

fn attack(kind: &str, analytic: &str) -> Attack {
    Attack {
        kind: kind.into(),
        analytic: analytic.into(),
        required: true,
        asset: asset(),
        first: Time(START),
        last: Time(START + 600_000_000_000),
        connections: (0..3).map(|n| Time(START + n * 60_000_000_000)).collect(),
        destinations: vec![destination("198.51.100.7")],
        sni: Some("www.new.example".into()),
        bytes_out: 1,
        operations: None,
        mirror: None,
        evasion: None,
        prepared: None,
        exfiltration: None,
        beacon: None,
    }
}

fn line(id: &str, seconds: u64, analytic: &str, severity: &str, address: &str) -> String {
    format!(
        r#"{{"id":"{id}","time":"{}","analytic":"{analytic}","severity":"{severity}","confidence":0.9,"summary":"s","asset":{{"name":"10.20.0.12","role":"guest","address":"10.20.0.12"}},"destination":{{"address":"{address}","port":443}},"count":1}}"#,
        Time(START + seconds * 1_000_000_000)
    )
}

fn verdict(attacks: Vec<Attack>, lines: &[String]) -> Verdict {
    let truth = Truth {
        seed: 1,
        start: Time(START - DAY),
        learned: Time(START - DAY),
        end: Time(START + DAY),
        attacks,
        hard_negatives: vec![
            harmless_thing("level_shift", None),
            harmless_thing("sharded_service", None),
            harmless_thing("crash_dump", Some("192.0.2.9")),
        ],
        operations: 0,
        changes: 0,
        assets: 20,
        harsh: Vec::new(),
    };
    let subject = Subject {
        name: "estate-1".into(),
        days: Days::Everyday,
        usual: Vec::new(),
        held: Vec::new(),
    };
    judge(subject, truth, &alerts(&lines.join("\n")).unwrap())
}

fn harmless_thing(kind: &str, address: Option<&str>) -> HardNegative {
    HardNegative {
        kind: kind.into(),
        asset: asset(),
        first: Time(START),
        destination: address.map(destination),
        sni: None,
        bytes_out: 20_000_000,
    }
}

fn harmless(verdict: &Verdict) -> usize {
    verdict.alerts.iter().filter(|alert| matches!(alert.about, About::Harmless(_))).count()
}

#[test]
fn the_delay_is_that_of_the_first_line_that_counts_and_the_severity_the_last_ones() {
    let verdict = verdict(
        vec![attack("exfiltration.one_session", "AN1416")],
        &[
            line("a", 5, "AN1416", "low", "198.51.100.7"),
            line("b", 6, "AN1416", "low", "192.0.2.1"),
            line("a", 70, "AN1416", "medium", "198.51.100.7"),
            line("a", 90, "AN1416", "critical", "198.51.100.7"),
        ],
    );
    let found = verdict.outcomes[0].clone().unwrap();
    assert_eq!((found.delay, found.connections, found.alerts), (70.0, 2, 1));
    assert_eq!(found.severity, Severity::Critical);
    assert_eq!(harmless(&verdict), 1, "another destination is another story");
}

#[test]
fn a_second_alert_about_an_attack_is_a_duplicate_and_not_false() {
    let verdict = verdict(
        vec![attack("exfiltration.pieces", "AN1416")],
        &[
            line("a", 5, "AN1416", "high", "198.51.100.7"),
            line("b", 90, "AN1416", "high", "198.51.100.7"),
        ],
    );
    assert_eq!(verdict.outcomes[0].clone().unwrap().alerts, 2);
    assert_eq!(harmless(&verdict), 0);
}

#[test]
fn too_early_too_late_or_too_low_finds_nothing() {
    let early = Time(START - 1_000_000_000).to_string();
    let late = Time(START + 4_300_000_000_000).to_string();
    let made = |time: &str| {
        line("a", 0, "AN1416", "high", "198.51.100.7").replace(&Time(START).to_string(), time)
    };
    for (line, missed) in [
        (made(&early), Missed::Unnoticed),
        (made(&late), Missed::Unnoticed),
        (line("a", 0, "AN1416", "low", "198.51.100.7"), Missed::TooLow(Severity::Low)),
    ] {
        let verdict = verdict(vec![attack("exfiltration.pieces", "AN1416")], &[line]);
        assert_eq!(verdict.outcomes, [Err(missed)]);
    }
}

#[test]
fn what_the_other_analytic_says_about_an_attack_is_related_not_false() {
    let verdict = verdict(
        vec![attack("dns_port.apt12", "AN0731")],
        &[line("a", 5, "AN1416", "medium", "198.51.100.7")],
    );
    assert_eq!(verdict.alerts[0].about, About::Related);
    assert_eq!(verdict.outcomes, [Err(Missed::ByAnother("AN1416".into()))]);
}

/// Who was called at night is not called back.
#[test]
fn a_false_alert_has_the_highest_severity_it_ever_had_and_its_cause() {
    let verdict = verdict(
        Vec::new(),
        &[
            line("a", 5, "AN1416", "medium", "192.0.2.9"),
            line("a", 90, "AN1416", "low", "192.0.2.9"),
        ],
    );
    let [alert] = &verdict.alerts[..] else { panic!("one alert") };
    let cause = Cause { kind: "crash_dump".into(), bytes: Some(20_000_000) };
    assert_eq!(alert.about, About::Harmless(Some(cause)));
    assert_eq!(alert.severity, Severity::Medium);
}

#[test]
fn a_false_alert_is_laid_to_what_its_analytic_could_have_stumbled_over() {
    let verdict = verdict(
        Vec::new(),
        &[
            line("a", 5, "AN1416", "medium", "192.0.2.1"),
            line("b", 5, "AN0731", "medium", "192.0.2.1"),
            line("c", 5, "AN0646", "medium", "192.0.2.1"),
        ],
    );
    let causes: Vec<Option<&str>> = verdict
        .alerts
        .iter()
        .map(|alert| match &alert.about {
            About::Harmless(cause) => cause.as_ref().map(|cause| cause.kind.as_str()),
            about => panic!("{about:?}"),
        })
        .collect();
    assert_eq!(causes, [Some("level_shift"), Some("sharded_service"), None]);
}

/// What is said of a place while it is made to look usual is about the attack.
#[test]
fn an_attack_begins_with_its_preparation_and_its_delay_with_the_first_byte() {
    let mut prepared = attack("exfiltration.preseeded", "AN1416");
    prepared.prepared = Some(Time(START - HOUR));
    prepared.exfiltration = Some(truth::Exfiltration {
        size: 1,
        duration: 1,
        first_byte: Time(START + 2_000_000_000),
        staged: 0,
    });
    let early = line("a", 0, "AN1416", "high", "198.51.100.7")
        .replace(&Time(START).to_string(), &Time(START - HOUR / 2).to_string());
    let late = line("a", 12, "AN1416", "high", "198.51.100.7");
    for (line, delay) in [(early, 0.0), (late, 10.0)] {
        let verdict = verdict(vec![prepared.clone()], &[line]);
        assert_eq!(verdict.outcomes[0].clone().unwrap().delay, delay);
    }
}

#[test]
fn what_was_held_back_is_no_find_and_told_as_the_reason() {
    let printed = format!(
        "{{\"an\":\"alert\"}}\n{{\"alerts\":{{}},\"suppressed\":[{},{}]}}\n",
        held_alert("10.20.0.12", START + 1_000_000_000),
        held_alert("10.20.0.13", START + 1_000_000_000),
    );
    let truth = verdict(vec![attack("exfiltration.pieces", "AN1416")], &[]).truth;
    let held = held(&printed).unwrap();
    let subject = Subject { name: "e".into(), days: Days::Everyday, usual: Vec::new(), held };
    let verdict = judge(subject, truth, &[]);
    assert_eq!(verdict.outcomes, [Err(Missed::HeldBack)]);
    assert_eq!(verdict.held, [2, 1]);
}

fn held_alert(asset: &str, time: u64) -> String {
    let time = Time(time);
    format!(r#"{{"analytic":"AN1416","time":"{time}","asset":"{asset}","summary":"s"}}"#)
}
