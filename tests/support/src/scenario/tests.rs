use std::collections::BTreeSet;
use std::net::IpAddr;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};

use super::*;

mod harsh;

/// A record of a capture file.
struct Record {
    time: u64,
    wire_len: usize,
    bytes: Vec<u8>,
}

fn small(seed: u64) -> Plan {
    Plan { sessions_per_day: 30.0, ..Plan::evaluation(seed, 11, 30, 12) }
}

fn capture(plan: &Plan) -> (Truth, Vec<u8>) {
    let mut scenario = plan.play();
    let mut file = Vec::new();
    scenario.write_capture(&mut file).unwrap();
    (scenario.truth, file)
}

fn records(file: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut rest = &file[24..];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let time = u64::from(word(0)) * 1_000_000 + u64::from(word(4));
        let (length, wire_len) = (word(8) as usize, word(12) as usize);
        let bytes = rest[16..16 + length].to_vec();
        records.push(Record { time, wire_len, bytes });
        rest = &rest[16 + length..];
    }
    records
}

/// Source and destination address, destination port and whether a TCP segment opens a
/// conversation; checks the checksums of frames captured whole.
fn read(record: &Record) -> (IpAddr, IpAddr, u16, bool) {
    let sliced = LaxSlicedPacket::from_ethernet(&record.bytes).unwrap();
    let cut = record.bytes.len() < record.wire_len;
    assert!(cut || sliced.stop_err.is_none(), "{:?}", sliced.stop_err);
    let (from, to): (IpAddr, IpAddr) = match sliced.net.unwrap() {
        LaxNetSlice::Ipv4(v4) => {
            let header = v4.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            (v4.header().source_addr().into(), v4.header().destination_addr().into())
        }
        LaxNetSlice::Ipv6(v6) => {
            (v6.header().source_addr().into(), v6.header().destination_addr().into())
        }
        other => panic!("{other:?}"),
    };
    match sliced.transport.unwrap() {
        TransportSlice::Tcp(tcp) => {
            let right = match (from, to) {
                (IpAddr::V4(from), IpAddr::V4(to)) => {
                    tcp.calc_checksum_ipv4(from.octets(), to.octets()).unwrap()
                }
                (IpAddr::V6(from), IpAddr::V6(to)) => {
                    tcp.calc_checksum_ipv6(from.octets(), to.octets()).unwrap()
                }
                other => panic!("{other:?}"),
            };
            assert!(cut || tcp.checksum() == right);
            (from, to, tcp.destination_port(), tcp.syn() && !tcp.ack())
        }
        TransportSlice::Udp(udp) => (from, to, udp.destination_port(), false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() {
    let (_, one) = capture(&small(5));
    let (_, same) = capture(&small(5));
    let (_, other) = capture(&small(6));
    assert!(one == same);
    assert!(one != other);
}

#[test]
fn frames_are_whole_in_order_and_within_the_days() {
    let (truth, file) = capture(&small(5));
    let records = records(&file);
    assert!(records.len() > 10_000);
    assert!(records.is_sorted_by_key(|record| record.time));
    for record in &records {
        read(record);
        assert!((truth.start.0..truth.end.0).contains(&(record.time * 1000)));
    }
}

#[test]
fn leaving_something_out_moves_nothing_else() {
    let frames = |plan: &Plan| -> BTreeSet<(u64, Vec<u8>)> {
        let (_, file) = capture(plan);
        records(&file).into_iter().map(|record| (record.time, record.bytes)).collect()
    };
    let all = frames(&small(5));
    for less in [
        Plan { attacks: Vec::new(), ..small(5) },
        Plan { hard_negatives: false, ..small(5) },
        Plan { attacks: vec![AttackKind::Pieces], ..small(5) },
        Plan { new_places_per_day: 0.0, ..small(5) },
    ] {
        let less = frames(&less);
        assert!(less.len() < all.len());
        assert!(less.is_subset(&all), "{} of {}", less.difference(&all).count(), less.len());
    }
}

#[test]
fn the_truth_is_what_is_in_the_frames() {
    let (truth, file) = capture(&small(7));
    assert_eq!(truth.attacks.len(), AttackKind::ALL.len());
    check_truth(&truth, &records(&file));
}

/// Whether each attack's bytes and connections are in the frames.
fn check_truth(truth: &Truth, records: &[Record]) {
    for attack in &truth.attacks {
        assert!(attack.first > truth.learned && attack.last < truth.end, "{attack:?}");
        if attack.analytic == "AN0646" || attack.kind.ends_with("_logged") {
            continue;
        }
        let (mut bytes, mut opened) = (0, Vec::new());
        for record in records {
            if !(attack.first.0 / 1000..=attack.last.0 / 1000).contains(&record.time) {
                continue;
            }
            let (from, to, port, opens) = read(record);
            let ours = attack.asset.addresses.contains(&from)
                && attack.destinations.contains(&truth::Destination { address: to, port });
            if ours {
                bytes += record.wire_len as u64;
                opened.extend(opens.then_some(record.time));
            }
        }
        assert_eq!(bytes, attack.bytes_out, "{}", attack.kind);
        let planted: Vec<u64> = attack.connections.iter().map(|time| time.0 / 1000).collect();
        assert_eq!(opened, planted, "{}", attack.kind);
    }
}

#[test]
fn exfiltrations_are_of_the_order_of_what_was_staged_and_beacons_call_often_enough() {
    for seed in 0..6 {
        let truth = small(seed).play().truth;
        for attack in &truth.attacks {
            match attack.analytic.as_str() {
                "AN0731" => assert!(attack.connections.len() >= 8, "{attack:?}"),
                _ if attack.kind == "exfiltration.drip" => {}
                _ if attack.kind.starts_with("exfiltration") => {
                    assert!(attack.bytes_out > 30_000_000, "{attack:?}");
                }
                "AN1416" if attack.operations.is_some() => {
                    assert!(attack.bytes_out > 5_000_000, "{attack:?}");
                }
                _ => assert!(attack.bytes_out < 2_000_000, "{attack:?}"),
            }
        }
    }
}

#[test]
fn the_truth_survives_being_written() {
    let truth = small(5).play().truth;
    let text = serde_json::to_string(&truth).unwrap();
    let read: Truth = serde_json::from_str(&text).unwrap();
    assert_eq!(text, serde_json::to_string(&read).unwrap());
    assert!(text.contains("\"start\":\"2026-03-"), "{}", &text[..80]);
}

/// The file's lines, each once.
fn log(plan: &Plan) -> (Truth, Vec<String>) {
    let mut scenario = plan.play();
    let lines = scenario.journal.lines().into_iter().map(|line| line.text).collect();
    (scenario.truth, lines)
}

#[test]
fn every_operation_of_an_attack_is_in_the_log() {
    let (truth, lines) = log(&small(7));
    let text = lines.join("\n");
    for attack in truth.attacks.iter().filter(|attack| attack.operations.is_some()) {
        let operations = attack.operations.as_ref().unwrap();
        for vm in &operations.vms {
            assert!(text.contains(&format!(" performed on Virtual machine {vm}.")), "{attack:?}");
        }
        let account = operations.account.as_ref();
        assert!(
            account.is_none_or(|account| text.contains(&format!(" [{account}] "))),
            "{attack:?}"
        );
        assert!(attack.analytic == "AN1416" || attack.connections.len() >= 5, "{attack:?}");
    }
}

#[test]
fn most_lines_are_about_nothing_and_hosts_name_no_account() {
    let (truth, lines) = log(&small(7));
    let is_told =
        |line: &&String| line.contains(" Guest operation ") && line.contains(" performed on ");
    assert!(lines.iter().filter(is_told).count() * 2 < lines.len());
    assert!(truth.operations > 50);
    let by_host =
        |line: &&String| is_told(line) && line.contains(" sub=Vimsvc.ha-eventmgr] Event ");
    assert!(lines.iter().filter(by_host).all(|line| !line.contains("svc-")));
}

#[test]
fn where_only_hosts_send_there_is_no_vcenter() {
    let plan = Plan::hosts_only(3, 4, 60, 24);
    let (truth, lines) = log(&plan);
    assert!(lines.iter().all(|line| !line.contains(" vpxd ") && !line.contains("api.call")));
    assert_eq!(truth.attacks.len(), plan.attacks.len());
    assert!(
        truth.attacks.iter().all(|attack| attack.operations.as_ref().unwrap().account.is_none())
    );
}

#[test]
fn every_leak_of_a_mirror_is_in_the_records_and_the_frames() {
    let mut scenario = Plan::mirrors(3, 1, 48).play();
    let mut file = Vec::new();
    scenario.write_capture(&mut file).unwrap();
    let records = records(&file);
    let told = String::from_utf8(scenario.trail.file()).unwrap() + &scenario.trail.lines();
    assert!(scenario.truth.attacks.len() > 10 && scenario.truth.changes > 0);
    for attack in &scenario.truth.attacks {
        let planted = attack.mirror.as_ref().unwrap();
        assert!(planted.records.iter().all(|id| told.contains(id.as_str())), "{attack:?}");
        assert!(!planted.records.is_empty() || planted.packets > 0, "{attack:?}");
        let goes_there = |record: &&Record| {
            let sliced = LaxSlicedPacket::from_ethernet(&record.bytes).unwrap();
            let Some(LaxNetSlice::Ipv4(v4)) = sliced.net else { panic!("{sliced:?}") };
            let to = IpAddr::from(v4.header().destination_addr());
            attack.destinations.iter().any(|known| known.address == to)
        };
        let sent = records.iter().filter(goes_there).count() as u64;
        assert_eq!(sent, planted.packets, "{}", attack.kind);
    }
}
