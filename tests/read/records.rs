//! Flow records in logs: the same traffic by packets, by VPC flow logs and by connection tracking.

use std::fmt::Write;
use std::fs;

use egret_tests::meter::{Flow, Meter, Packet};
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic, end, path};
use serde_json::Value;

use super::{directory, egret};

const CONFIG: &str = r#"
[baseline]
learning = "0s"

[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.20.9.11"]

[[asset]]
name = "app-01"
role = "guest"
address = ["10.20.0.11"]
"#;

/// A guest pulls 3 GB and sends 2 GB of it outside; a host opens a session to outside.
fn story() -> Vec<u8> {
    let guest = |port| end("10.20.0.11", port);
    let mut traffic = Traffic::default();
    let mut pull = traffic.tcp(START, path(guest(50_000), end("10.0.8.10", 445)));
    pull.bulk(false, 3_000_000_000, 200 * SECOND);
    pull.close();
    let drop = path(guest(50_001), end("203.0.113.9", 443));
    traffic.tls(START + 600 * SECOND, drop, "drop.example", [2_000_000_000, 50_000], 200 * SECOND);
    let host = path(end("10.20.9.11", 50_002), end("203.0.113.77", 443));
    traffic.tls(START + 300 * SECOND, host, "c2.example", [40_000, 2_000], 20 * SECOND);
    traffic.pcap()
}

/// The TCP packets of a capture file, as an exporter meters them.
fn packets(capture: &[u8]) -> Vec<Packet> {
    let number = |at: usize| {
        let bytes: [u8; 4] = capture[at..at + 4].try_into().unwrap();
        u64::from(u32::from_le_bytes(bytes))
    };
    let unit = if number(0) == 0xa1b2_3c4d { 1 } else { 1000 };
    let (mut at, mut packets) = (24, Vec::new());
    while at < capture.len() {
        let length = number(at + 8) as usize;
        let ip = &capture[at + 16 + 14..at + 16 + length];
        let wide = |at: usize| u16::from_be_bytes([ip[at], ip[at + 1]]);
        let address = |at: usize| <[u8; 4]>::try_from(&ip[at..at + 4]).unwrap().into();
        assert_eq!((ip[0], ip[9]), (0x45, 6), "TCP over IPv4 without options");
        packets.push(Packet {
            time: number(at) * SECOND + number(at + 4) * unit,
            from: (address(12), wide(20)),
            to: (address(16), wide(22)),
            protocol: ip[9],
            bytes: wide(2).into(),
            flags: ip[33],
        });
        at += 16 + length;
    }
    packets
}

/// Lines of a VPC flow log with TCP flags; ACK is told beside SYN only.
fn flow_log(flows: &[Flow]) -> String {
    let mut log =
        "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start \
        end action log-status tcp-flags\n"
            .to_owned();
    for flow in flows {
        let [first, last] = flow.span.map(|time| time / SECOND);
        let flags = if flow.flags & 2 == 0 { flow.flags & !16 } else { flow.flags };
        // Cumulative flags of a client have no ACK in these logs.
        let flags = if flow.to.1 == flow.to.1.min(flow.from.1) { flags & !16 } else { flags };
        let (from, to) = (flow.from, flow.to);
        writeln!(
            log,
            "5 eni-0a {} {} {} {} {} {} {} {first} {last} ACCEPT OK {flags}",
            from.0, to.0, from.1, to.1, flow.protocol, flow.packets, flow.bytes
        )
        .unwrap();
    }
    log
}

/// What connection tracking tells at each connection's end.
fn conntrack(packets: &[Packet]) -> String {
    let mut ended: Vec<(Packet, [[u64; 2]; 2], u64)> = Vec::new();
    for packet in packets {
        let is_same = |(first, ..): &&mut (Packet, _, _)| {
            [(first.from, first.to), (first.to, first.from)].contains(&(packet.from, packet.to))
        };
        let known = match ended.iter_mut().find(is_same) {
            Some(known) => known,
            None => {
                ended.push((*packet, [[0; 2]; 2], 0));
                ended.last_mut().unwrap()
            }
        };
        let counted = &mut known.1[usize::from(packet.from != known.0.from)];
        *counted = [counted[0] + 1, counted[1] + packet.bytes];
        known.2 = packet.time;
    }
    ended.sort_by_key(|(.., last)| *last);
    let mut log = String::new();
    for (Packet { time, from, to, .. }, [[packets, bytes], [replies, back]], last) in ended {
        let at = jiff::Timestamp::from_nanosecond(last.into()).unwrap().strftime("%FT%TZ");
        let lasted = (last - time) / SECOND;
        let (a, b, here, there) = (from.0, to.0, from.1, to.1);
        writeln!(
            log,
            "<30>1 {at} fw1 conntrack - - - [DESTROY] tcp      6 src={a} dst={b} sport={here} \
             dport={there} packets={packets} bytes={bytes} src={b} dst={a} sport={there} \
             dport={here} packets={replies} bytes={back} [ASSURED] delta-time={lasted}"
        )
        .unwrap();
    }
    log
}

/// The last state of each alert: asset, severity, where to; and whose records show it.
fn told(alerts: &[Value]) -> Vec<[String; 5]> {
    let mut told: Vec<[String; 5]> = Vec::new();
    for alert in alerts.iter().filter(|line| line["analytic"] == "AN1416") {
        let session = alert["evidence"].as_array().unwrap();
        let session = session.iter().find(|piece| piece["kind"] == "tls_session").unwrap();
        let text = |value: &Value| value.to_string().trim_matches('"').to_owned();
        let line = [
            text(&alert["asset"]["name"]),
            text(&alert["severity"]),
            text(&alert["destination"]["address"]),
            text(&alert["destination"]["port"]),
            text(&session["source"]),
        ];
        told.retain(|known| known[0] != line[0]);
        told.push(line);
    }
    told.sort();
    told
}

/// Fails when logs of the same traffic do not raise the alerts that its packets raise, or do not say that
/// only they show it.
#[test]
fn logs_of_traffic_raise_the_alerts_that_its_packets_raise() {
    let capture = story();
    let packets = packets(&capture);
    let directory = directory("a.pcap", &capture);
    let put =
        |name: &str, content: String| fs::write(directory.path().join(name), content).unwrap();
    put("egret.toml", CONFIG.to_owned());
    put("flow.log", flow_log(&Meter::records(packets.iter().copied())));
    put("fw.log", conntrack(&packets));
    let run = |inputs: &str| {
        let run = egret().within(&directory).args("read").args(inputs);
        told(&run.args("--config egret.toml --json").run().done().json())
    };
    let seen = run("a.pcap");
    let ends: Vec<_> = seen.iter().map(|[asset, _, to, port, _]| [&**asset, to, port]).collect();
    assert_eq!(ends, [["app-01", "203.0.113.9", "443"], ["esxi-01", "203.0.113.77", "443"]]);
    for (inputs, by) in [("--audit flow.log", "flow_log"), ("--syslog fw.log", "netfilter")] {
        let sourced = seen.iter().cloned().map(|mut line| {
            line[4] = by.to_owned();
            line
        });
        assert_eq!(run(inputs), sourced.collect::<Vec<_>>(), "{by}");
    }
    let both = egret().within(&directory).args("read a.pcap --audit flow.log --config egret.toml");
    let records = both.run().done();
    let [records] = records.summary("records")[..] else { panic!("{records:?}") };
    assert!(records.ends_with(" shown by packets") && !records.contains("counted"), "{records}");
}
