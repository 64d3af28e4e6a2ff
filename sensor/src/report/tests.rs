use super::*;
use crate::alert::Analytic;

fn summary() -> Summary {
    let start = Timestamp::from_parts(1_795_183_391, 0);
    Summary {
        packets: 1_234_567,
        wire_bytes: 9_800_000_000,
        refused: BTreeMap::from([(("ip", "bad_version"), 2), (("ethernet", "truncated"), 1_010)]),
        flows: 12_345,
        flow_evictions: 0,
        capture: Some((start, start.plus(Duration::from_secs(86_400)))),
        client_hellos: 1_234,
        snis: 1_200,
        cut_hellos: 3,
        refused_hellos: 0,
        dns_responses: 1,
        dns_answers: 9_012,
        logs: intake::Counts { understood: 12, irrelevant: 3_000, ..intake::Counts::default() },
        audit: audit::Counts { understood: 6, irrelevant: 2, ..audit::Counts::default() },
        flow_records: FlowRecords { counted: 1_500, shown: 20, ..FlowRecords::default() },
        assets: vec![
            AssetCount { role: Role::Esxi, configured: 2, discovered: 0 },
            AssetCount { role: Role::Vcenter, configured: 0, discovered: 0 },
            AssetCount { role: Role::Guest, configured: 2, discovered: 18 },
        ],
        alerts: BTreeMap::from([(Severity::High, 2), (Severity::Low, 1)]),
        held: vec![HeldAlert {
            analytic: Analytic::AN1416,
            time: start,
            asset: "app-01".to_owned(),
            summary: "app-01 sent 150.0 MB over TLS to cdn\x1b[2J".to_owned(),
        }],
        wall: Duration::from_millis(2_300),
        mirrored: vec![MirroredPair {
            pair: Pair {
                kind: Some(TunnelKind::Vxlan),
                id: Some(77),
                source: [10, 0, 0, 5].into(),
                destination: [203, 0, 113, 9].into(),
                port: Some(4789),
                interface: None,
            },
            traffic: Traffic { packets: 1_200, bytes: 800_000 },
            copies: 1_100,
        }],
        notes: vec!["monday.pcap: cut in the middle of a packet\nfake line".to_owned()],
    }
}

#[test]
fn people_read_aligned_lines() {
    assert_eq!(
        summary().text().to_string(),
        "\
alerts   2 high, 1 low
held     1 weak alert, beyond detect.site_budget
         AN1416: app-01 sent 150.0 MB over TLS to cdn\\x1b[2J
capture  2026-11-20 14:03:11 to 2026-11-21 14:03:11 UTC, 1d
read     1,234,567 packets, 9.8 GB, in 2.30s: 536,768 packets/s, 4.3 GB/s
refused  1,012 packets
         1,010 ethernet: truncated
         2 ip: bad version
flows    12,345 conversations
TLS      1,234 ClientHellos, 1,200 with a server name, 3 cut off
DNS      1 response, 9,012 answers
logs     3,012 messages, 12 understood, 0 unreadable
audit    8 records, 6 understood
records  1,500 counted, 20 shown by packets
assets   2 esxi, 20 guest (18 discovered)
mirrored 10.0.0.5 to 203.0.113.9 in vxlan 77: 1,200 packets, 800.0 kB, 1,100 of them seen bare, too
note     monday.pcap: cut in the middle of a packet\\nfake line
"
    );
}

#[test]
fn an_empty_reading_says_so_and_divides_by_nothing() {
    let text = Summary::default().text().to_string();
    assert!(text.contains("alerts   none\n"));
    assert!(text.contains("capture  no packets\n"));
    assert!(text.contains("read     0 packets, 0 B, in 0s: 0 packets/s, 0 B/s\n"));
    assert!(text.contains("refused  nothing\n"));
    assert!(text.contains("assets   none: name them as [[asset]] in the config"));
}

#[test]
fn many_notes_are_cut_and_counted() {
    let notes = (0..20).map(|i| format!("file {i}")).collect();
    let text = Summary { notes, ..Summary::default() }.text().to_string();
    assert_eq!(text.matches("note ").count(), 8);
    assert!(text.ends_with("         and 12 more; all are in --json\n"));
}

#[test]
fn machines_read_one_object() {
    let json = summary().json();
    assert_eq!(json["event_type"], "summary");
    assert_eq!(json["bytes"], 9_800_000_000_u64);
    assert_eq!(json["refused"]["ethernet"]["truncated"], 1_010);
    assert_eq!(json["capture_start"], "2026-11-20T14:03:11.000000Z");
    assert_eq!(json["capture_seconds"], 86_400.0);
    assert_eq!(json["assets"]["guest"]["discovered"], 18);
    assert_eq!(json["log_messages"], 3_012);
    assert_eq!(json["audit_records"], 8);
    assert_eq!(json["flow_records"]["shown_by_packets"], 20);
    assert_eq!(json["mirrored"][0]["dest_ip"], "203.0.113.9");
    assert_eq!(json["alerts"]["critical"], 0);
    assert_eq!(json["suppressed"][0]["analytic"], "AN1416");
    assert_eq!(json["packets_per_second"], 536_768);
    assert!(!json.to_string().contains('\n'));
    assert!(Summary::default().json()["capture_start"].is_null());
}
