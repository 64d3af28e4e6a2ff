use super::*;

#[test]
fn what_is_read_back_is_written_the_same() {
    let mut alert = sample::egress();
    let facts = [
        Fact::DnsAnswer { query: "a.example".into(), answer: "10.1.2.3".into() },
        Fact::PortMatch { port: 1, formula: "a*b".into(), probability: 0.1 + 0.2 },
        Fact::Formula { expression: "a*b".into(), pairs: 4, misses: 1, next_port: None },
        Fact::Formula { expression: "a*b".into(), pairs: 4, misses: 1, next_port: Some(6) },
        Fact::Connection {
            community_id: "1:x=".into(),
            address: "2001:db8::1".parse().unwrap(),
            port: 513,
            protocol: "tcp".into(),
            source: None,
        },
        Fact::Connection {
            community_id: "1:x=".into(),
            address: "2001:db8::1".parse().unwrap(),
            port: 513,
            protocol: "tcp".into(),
            source: Some("nsx".into()),
        },
        Fact::GuestOperation(Box::new(sample::operations())),
        Fact::GuestOperation(Box::default()),
        Fact::AuditEvent(Box::new(sample::change())),
        Fact::AuditEvent(Box::default()),
        Fact::MirroredTraffic(Box::new(sample::mirrored())),
        Fact::Baseline { statement: "\u{202e}\"\n".into() },
        Fact::TlsSession {
            community_id: "1:y=".into(),
            bytes_out: u64::MAX,
            usual_bytes_out: 0,
            days: Some(30),
            sessions: 1,
            notes: vec![],
            source: None,
            one_in: None,
        },
        Fact::SlowEgress { observed_bytes: 1, expected_bytes: 0, score: 20.5, bound: 20.0 },
        Fact::FirstSeen { what: "port".into(), value: "8443".into(), other_assets: 3 },
    ];
    for (weight, fact) in (1..).zip(facts) {
        alert.evidence.push(sample::evidence(0.1 * f64::from(weight), 1, fact));
    }
    let same = |alert: &Alert| {
        let written = serde_json::to_string(alert).unwrap();
        let read: Alert = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        written
    };
    for status in Status::ALL {
        same(&Alert { status, ..alert.clone() });
    }
    (alert.asset.mac, alert.asset.address) = (None, None);
    let gre = alert.destination.take().map(|to| Destination { port: 0, ..to });
    for destination in [gre, None] {
        let written = same(&Alert { destination, ..alert.clone() });
        assert!(!written.contains(r#""port":0"#), "{written}");
    }
}
