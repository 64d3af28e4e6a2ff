//! Alerts to test with.

use std::time::Duration;

use egret_tests::traffic::HOSTILE;

use super::{
    Alert, Analytic, Asset, AuditEvent, Compared, Destination, Evidence, Fact, MirroredTraffic,
    Operations, SCHEMA, Severity, Status,
};
use crate::time::Timestamp;

const START: Timestamp = Timestamp::from_parts(1_795_183_082, 0);

/// A piece of evidence, seen `after` seconds.
pub(crate) fn evidence(weight: f64, after: u64, fact: Fact) -> Evidence {
    Evidence { time: START.plus(Duration::from_secs(after)), weight, fact }
}

/// An unexpected egress of `esxi-01`.
pub(crate) fn egress() -> Alert {
    Alert {
        schema: SCHEMA.into(),
        id: uuid::Uuid::from_u128(0x1234_5678),
        time: START.plus(Duration::from_secs(309)),
        sensor: "dc1-rack7".to_owned(),
        analytic: Analytic::AN1416,
        techniques: vec!["T1048.002".into()],
        title: "Unexpected TLS egress from an ESXi host".to_owned(),
        summary: "esxi-01 sent 1.8 GB to cdn.example (198.51.100.7:443), usually 4.0 MB."
            .to_owned(),
        severity: Severity::High,
        confidence: 0.974,
        asset: Asset {
            name: "esxi-01".to_owned(),
            role: "esxi".into(),
            address: "10.10.0.11".parse().ok(),
            mac: Some("00:50:56:6a:00:01".to_owned()),
        },
        destination: Some(Destination {
            address: "198.51.100.7".parse().unwrap(),
            port: 443,
            sni: Some("cdn.example".to_owned()),
            ja4: None,
        }),
        evidence: vec![
            evidence(
                1.5,
                0,
                Fact::VolumeSpike {
                    direction: "in".into(),
                    scope: "internal".into(),
                    window_seconds: 600,
                    observed_bytes: 2_000_000_000,
                    expected_bytes: 0,
                    score: 14.23,
                    until: None,
                    known_hours: None,
                },
            ),
            evidence(
                6.1,
                200,
                Fact::TlsSession {
                    community_id: "1:abc=".to_owned(),
                    bytes_out: 1_800_000_000,
                    usual_bytes_out: 4_000_000,
                    days: None,
                    sessions: 12,
                    notes: vec!["odd_port".into(), "never_resolved".into()],
                    source: None,
                    one_in: None,
                },
            ),
            evidence(
                -0.4,
                309,
                Fact::FirstSeenDestination {
                    destination: "cdn.example".to_owned(),
                    other_assets: 4,
                    hours_known: 0,
                },
            ),
        ],
        first_seen: START,
        last_seen: START.plus(Duration::from_secs(309)),
        count: 3,
        status: Status::Open,
        flow: None,
    }
}

/// The `number`th of many alerts.
pub(crate) fn numbered(number: u64) -> Alert {
    Alert { id: uuid::Uuid::from_u128(u128::from(number) << 64 | 1), ..egress() }
}

/// What an unexpected account did.
pub(crate) fn operations() -> Operations {
    Operations {
        finding: "unexpected_account".into(),
        account: Some("CORP\\eve".to_owned()),
        basis: Some("stated".into()),
        client: "10.20.0.66".parse().ok(),
        host: Some("vcsa01".to_owned()),
        sources: vec!["vpxd".into(), "hostd".into()],
        operations: vec![
            "StartProgramInGuest".to_owned(),
            "InitiateFileTransferFromGuest".to_owned(),
        ],
        vms: vec!["web-01".to_owned()],
        vm_count: 1,
        count: 12,
        scripts: 3,
        compared: None,
    }
}

/// Unexpected guest operations, of which logs tell and no packet.
pub(crate) fn guest_operations() -> Alert {
    let frequency = Operations {
        finding: "frequency".into(),
        compared: Some(Compared {
            observed: 30,
            expected: 2.5,
            window_seconds: 3600,
            probability: Some(1e-7),
        }),
        ..operations()
    };
    Alert {
        analytic: Analytic::AN0646,
        techniques: vec!["T1675".into()],
        title: "Unexpected guest operations on a VM".to_owned(),
        summary: "CORP\\eve ran 12 guest operations on web-01 from 10.20.0.66.".to_owned(),
        asset: Asset { name: "web-01".to_owned(), role: "guest".into(), address: None, mac: None },
        destination: None,
        evidence: vec![
            evidence(
                0.0,
                0,
                Fact::GuestOperation(Box::new(Operations {
                    finding: "operations".into(),
                    ..operations()
                })),
            ),
            evidence(4.0, 0, Fact::GuestOperation(Box::new(operations()))),
            evidence(3.2, 309, Fact::GuestOperation(Box::new(frequency))),
        ],
        ..egress()
    }
}

/// A change that makes a mirror.
pub(crate) fn change() -> AuditEvent {
    AuditEvent {
        finding: "change".into(),
        call: "CreateTrafficMirrorSession".to_owned(),
        action: "create".into(),
        object: "session".into(),
        source: "cloudtrail".into(),
        id: Some("tms-01".to_owned()),
        scope: Some("111122223333".to_owned()),
        principal: Some("arn:aws:iam::111122223333:role/eve".to_owned()),
        from: Some("203.0.113.5".to_owned()),
        sources: vec!["eni-0web".to_owned()],
        targets: vec!["tmt-evil".to_owned(), "198.51.100.7".to_owned()],
        wire_id: Some(7),
        late_seconds: Some(870),
        ..AuditEvent::default()
    }
}

/// Mirrored traffic that it leads to.
pub(crate) fn mirrored() -> MirroredTraffic {
    MirroredTraffic {
        source: "10.1.0.5".parse().unwrap(),
        destination: "198.51.100.7".parse().unwrap(),
        port: Some(4789),
        wrapping: "vxlan".into(),
        wire_id: Some(7),
        packets: 1000,
        bytes: 1_000_000,
        bytes_per_second: 100_000,
        copies: 20,
        inside: Some("10.1.0.5:40000 -> 10.1.0.6:443".to_owned()),
        witness: "packets".into(),
    }
}

/// A mirror that leaks: a log and packets tell of it.
pub(crate) fn mirror() -> Alert {
    let unapproved = AuditEvent { finding: "unapproved_destination".into(), ..change() };
    Alert {
        analytic: Analytic::AN1131,
        techniques: vec!["T1020.001".into()],
        title: "Mirror changed, and traffic goes to an unapproved destination".to_owned(),
        summary: "eve made the mirror tms-01 of eni-0web to tmt-evil.".to_owned(),
        severity: Severity::Critical,
        asset: Asset {
            name: "eni-0web".to_owned(),
            role: "other".into(),
            address: None,
            mac: None,
        },
        destination: Some(Destination {
            address: "198.51.100.7".parse().unwrap(),
            port: 4789,
            sni: None,
            ja4: None,
        }),
        evidence: vec![
            evidence(2.5, 0, Fact::AuditEvent(Box::new(change()))),
            evidence(4.0, 0, Fact::AuditEvent(Box::new(unapproved))),
            evidence(8.0, 12, Fact::MirroredTraffic(Box::new(mirrored()))),
        ],
        ..egress()
    }
}

/// Names that end lines, leave strings and fields, act on terminals, give orders to receivers, or are
/// very long.
pub(crate) fn hostile_names() -> Vec<String> {
    let of_bytes = HOSTILE.map(|name| String::from_utf8_lossy(name).into_owned());
    let others = [
        "",
        " ",
        "x\r\n<14>1 - evil - - - - forged",
        "a|b||c\\",
        "dst=10.0.0.1 act=blocked",
        r#"x"], destination = ["0.0.0.0/0"#,
        r#""},"forged":true,"x":{"y":""#,
        "{{ .Labels }} ${HOME} %s <script>alert(1)</script>",
        "*.com",
        "\u{85}\u{9b}31m\u{feff}",
        &"a".repeat(10_000),
        &"\u{202e}".repeat(4_000),
        &"\"\\\n".repeat(3_000),
    ];
    of_bytes.into_iter().chain(others.map(str::to_owned)).collect()
}

/// An alert that says `name` wherever a text of somebody else's stands in one.
pub(crate) fn saying(name: &str) -> Alert {
    let text = || name.to_owned();
    let facts = [
        Fact::TlsSession {
            community_id: text(),
            bytes_out: 1_800_000_000,
            usual_bytes_out: 4_000_000,
            days: None,
            sessions: 12,
            notes: vec![text().into()],
            source: None,
            one_in: None,
        },
        Fact::FirstSeenDestination { destination: text(), other_assets: 0, hours_known: 2 },
        Fact::DnsAnswer { query: text(), answer: text() },
        Fact::PortMatch { port: 1, formula: text(), probability: 0.0 },
        Fact::Formula { expression: text(), pairs: 0, misses: 0, next_port: None },
        Fact::Baseline { statement: text() },
        Fact::AuditEvent(Box::new(AuditEvent {
            finding: text().into(),
            call: text(),
            source: text().into(),
            id: Some(text()),
            principal: Some(text()),
            from: Some(text()),
            sources: vec![text()],
            targets: vec![text()],
            ..change()
        })),
        Fact::MirroredTraffic(Box::new(MirroredTraffic {
            wrapping: text().into(),
            inside: Some(text()),
            witness: text().into(),
            ..mirrored()
        })),
        Fact::GuestOperation(Box::new(Operations {
            account: Some(text()),
            host: Some(text()),
            operations: vec![text()],
            vms: vec![text()],
            ..operations()
        })),
        Fact::FirstSeen { what: text().into(), value: text(), other_assets: 2 },
    ];
    Alert {
        sensor: text(),
        title: format!("Upload to {name}"),
        summary: format!("esxi-01 sent 1.8 GB to {name}."),
        asset: Asset { name: text(), mac: Some(text()), ..egress().asset },
        destination: egress().destination.map(|to| Destination {
            sni: Some(text()),
            ja4: Some(text()),
            ..to
        }),
        evidence: facts.map(|fact| evidence(1.0, 0, fact)).to_vec(),
        ..egress()
    }
}
