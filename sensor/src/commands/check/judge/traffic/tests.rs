use std::time::Duration;

use super::super::super::finding::Level;
use super::super::testing::assert_finding;
use super::*;
use crate::mirror::Sequences;

/// What a good mirror shows.
fn good() -> Seen {
    Seen {
        how: "AF_PACKET ring".to_owned(),
        time: Duration::from_secs(10),
        frames: 1_000,
        wire_bytes: 1_000_000,
        of_others: 990,
        to_groups: 10,
        packets: 1_000,
        largest: 1500,
        tcp: Conversations { both: 100, client_only: 2, server_only: 1 },
        ..Seen::default()
    }
}

fn judged(seen: Seen) -> Vec<Finding> {
    judge(&Traffic { interface: "eth1".to_owned(), seen: Ok(seen) })
}

#[test]
fn a_good_mirror_is_ok_in_everything() {
    let findings = judged(good());
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
    let words = ["1,000 frames in 10s: 100 a second, 100.0 kB/s"];
    assert_finding(&findings, "mirror", Level::Ok, &words);
}

#[test]
fn a_mirror_that_samples_cuts_or_loses_is_named() {
    let sequences = |sent_bytes, gapped| Sequences {
        segments: 1000,
        seen_bytes: 1_000_000,
        sent_bytes,
        directions: 20,
        gapped,
    };
    let sampled = judged(Seen { sequences: sequences(9_900_000, 20), ..good() });
    assert_finding(&sampled, "sampled", Level::Problem, &["shows 1 in 10", "Sampling rate: 1"]);
    let lossy = judged(Seen { sequences: sequences(1_100_000, 0), ..good() });
    assert_finding(&lossy, "lost", Level::Note, &["9.1 % of the bytes of TCP"]);
    let cut = judged(Seen { cut_before: 300, ..good() });
    assert_finding(&cut, "cut", Level::Problem, &["300 packets, 30", "Mirrored packet length"]);
}

#[test]
fn silence_broadcasts_and_own_traffic_are_no_mirror() {
    let silent = judged(Seen { frames: 0, ..good() });
    assert_eq!(silent.len(), 2);
    let words = ["nothing arrived in 10s", "Port mirroring"];
    assert_finding(&silent, "mirror", Level::Problem, &words);
    let broadcasts = judged(Seen { of_others: 0, ..good() });
    let words = ["only broadcasts", "show monitor session"];
    assert_finding(&broadcasts, "mirror", Level::Problem, &words);
    let own = judged(Seen { of_others: 0, own: 990, ..good() });
    assert_finding(&own, "mirror", Level::Problem, &["this machine's own traffic"]);
}

#[test]
fn what_a_running_egret_ends_is_no_silent_mirror() {
    for unseen in [
        Seen { frames: 0, of_others: 0, ..good() },
        Seen { of_others: 0, ..good() },
        Seen { of_others: 0, own: 990, ..good() },
    ] {
        let findings = judged(Seen { program: Some(17), ..unseen });
        let words = ["XDP program (id 17)", "running Egret", "egret_capture_packets_total"];
        assert_finding(&findings, "mirror", Level::Note, &words);
    }
    // A program that lets frames pass hides nothing.
    let findings = judged(Seen { program: Some(17), ..good() });
    assert_finding(&findings, "mirror", Level::Ok, &[]);
}

#[test]
fn what_cannot_be_captured_says_why() {
    let traffic = Traffic { interface: "eth1".into(), seen: Err("no permission\n".into()) };
    let words = [r"no permission\n", "sudo egret check"];
    assert_finding(&judge(&traffic), "capture", Level::Problem, &words);
}

#[test]
fn copies_are_counted_and_their_cause_named() {
    let many = judged(Seen { copies: 500, ..good() });
    let words = ["500 packets came twice", "50 %", "mirror one side"];
    assert_finding(&many, "copies", Level::Problem, &words);
    assert_finding(&judged(Seen { copies: 3, ..good() }), "copies", Level::Note, &["0.3 %"]);
}

#[test]
fn a_missing_direction_is_named_by_its_side() {
    let with = |both, client_only, server_only| {
        judged(Seen { tcp: Conversations { both, client_only, server_only }, ..good() })
    };
    let words = ["90 %", "90 only the client's", "one-sided", "Traffic direction"];
    assert_finding(&with(10, 90, 0), "directions", Level::Problem, &words);
    assert_finding(&with(80, 5, 15), "directions", Level::Note, &["20 %", "some paths"]);
    assert_finding(&with(1, 1, 0), "directions", Level::Note, &["too few", "--seconds 60"]);
}

#[test]
fn losses_sizes_and_cuts() {
    let findings =
        judged(Seen { dropped: 1_000, truncated: 10, oversize: 20, largest: 65_160, ..good() });
    assert_finding(&findings, "dropped", Level::Problem, &["1,000 frames", "50 %"]);
    assert_finding(&findings, "truncated", Level::Note, &["1.0 %", "capture.snaplen"]);
    let words = ["20 packets, 2.0 %", "65,160", "ethtool -K eth1 gro off lro off", "mtu 9000"];
    assert_finding(&findings, "sizes", Level::Note, &words);
}

#[test]
fn vlans_tunnels_and_assets_are_told() {
    let findings = judged(Seen {
        vlans: (1..=12).map(|id| (id, u64::from(id))).collect(),
        tunnels: [("VXLAN", 5), ("ERSPAN", 2)].into(),
        closed_tunnels: [("GENEVE", 3)].into(),
        assets_seen: vec!["a".into()],
        assets_unseen: vec!["b\x1b".into()],
        discovered: 4,
        ..good()
    });
    let words = ["VLANs 12, 11, 10, 9, 8, 7, 6, 5, 4, 3 and 2 more"];
    assert_finding(&findings, "vlans", Level::Ok, &words);
    assert_finding(&findings, "tunnels", Level::Ok, &["ERSPAN 2, VXLAN 5", "inside"]);
    let words = ["GENEVE 3", "not looked into"];
    assert_finding(&findings, "closed_tunnels", Level::Note, &words);
    let words = ["1 of 2 named assets seen, 4 guests", r"not seen: b\x1b"];
    assert_finding(&findings, "assets_seen", Level::Note, &words);
}
