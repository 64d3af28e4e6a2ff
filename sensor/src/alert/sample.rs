//! An alert to test with.

use std::time::Duration;

use super::{
    Alert, Analytic, Asset, Compared, Destination, Evidence, Fact, Operations, SCHEMA, Severity,
    Status,
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
                },
            ),
            evidence(
                6.1,
                200,
                Fact::TlsSession {
                    community_id: "1:abc=".to_owned(),
                    bytes_out: 1_800_000_000,
                    usual_bytes_out: 4_000_000,
                    sessions: 12,
                    notes: vec!["odd_port".into(), "never_resolved".into()],
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
