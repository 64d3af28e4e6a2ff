//! The same traffic by packets and by what an exporter made of them.

use egret_tests::meter::{self, Meter};

use super::*;
use crate::alert::Alert;
use crate::decode::Packet;
use crate::detect::tests::packets::{Watched, hello, packet};
use crate::event::Reporter;

/// Lengths of frames that segmentation offload has put together, and of acknowledgements.
const LONG: u32 = 14_014;
const SHORT: u32 = 66;

fn watched() -> Watched {
    let mut config = config(Duration::ZERO);
    config.assets.push(Asset { name: "files".into(), ..config.assets[0].clone() });
    config.assets[2].addresses = vec![format!("{SERVER}/32").parse().unwrap()];
    Watched::new(&config)
}

/// `count` long frames over `seconds`, with an acknowledgement for each tenth.
fn bulk<'a>(
    start: f64,
    seconds: f64,
    count: u32,
    ends: [&str; 2],
    ports: [u16; 2],
) -> Vec<Packet<'a>> {
    let [from, to] = ends;
    let mut frames = Vec::new();
    for n in 0..count {
        let at = start + seconds * f64::from(n) / f64::from(count);
        frames.push(packet(at, [from, to], ports, LONG, b""));
        if n % 10 == 9 {
            let back = [ports[1], ports[0]];
            frames.push(packet(at + 1e-4, [to, from], back, SHORT, b""));
        }
    }
    frames
}

/// 560 MB are pulled together in 5 min, and 280 MB leave in 4.
fn staged(hello: &[u8]) -> Vec<Packet<'_>> {
    let mut frames = bulk(0.0, 300.0, 40_000, [SERVER, GUEST], [445, 50_000]);
    let out = [GUEST, DROP];
    frames.push(packet(400.0, out, [50_001, 443], hello.len() as u32 + 54, hello));
    frames.extend(bulk(400.1, 240.0, 20_000, out, [50_001, 443]));
    frames
}

/// What an exporter that counts each `one_in`th packet tells.
fn by_records(packets: &[Packet<'_>], one_in: usize) -> Watched {
    let picked = packets.iter().step_by(one_in).map(|packet| meter::Packet {
        time: packet.time.as_nanos(),
        from: (packet.source, packet.ports[0]),
        to: (packet.destination, packet.ports[1]),
        protocol: packet.protocol,
        bytes: u64::from(packet.wire_len) - LINK,
        flags: packet.tcp.map_or(0, |tcp| tcp.flags),
    });
    let mut watched = watched();
    for flow in Meter::records(picked) {
        let [first, last] = flow.span.map(Timestamp::from_nanos);
        let record = FlowRecord {
            from: flow.from,
            to: flow.to,
            protocol: flow.protocol,
            first,
            last,
            sent: Traffic { packets: flow.packets, bytes: flow.bytes },
            received: None,
            tcp_flags: Some(flow.flags),
            one_in: (one_in > 1).then_some(one_in as f64),
            is_forward: None,
            is_blocked: false,
        };
        let reporter = Reporter { service: Service::Ipfix, host: None, peer: None };
        let said = Said::Exported(Box::new(record));
        watched.engine.report(&Report { time: last, stated: None, reporter, said });
        watched.note();
    }
    watched.finish()
}

fn spike(alert: &Alert) -> f64 {
    let spike = alert.evidence.iter().find_map(|piece| match piece.fact {
        Fact::VolumeSpike { observed_bytes, .. } => Some(observed_bytes as f64),
        _ => None,
    });
    spike.unwrap_or_else(|| panic!("{alert:#?}"))
}

fn is_near(one: f64, other: f64, within: f64) -> bool {
    (one / other - 1.0).abs() <= within
}

/// Fails when records and packets of the same traffic do not come to the same volumes and the same alert.
#[test]
fn the_same_traffic_by_packets_and_by_records_is_the_same_to_detection() {
    let hello = hello();
    let packets = staged(&hello);
    let seen = watched().see(&packets, 64);
    let expected = seen.alerts.last().unwrap();
    assert!(expected.severity >= Severity::High, "{expected:#?}");
    for (one_in, within) in [(1, 0.0), (100, 0.02)] {
        let told = by_records(&packets, one_in);
        for asset in ["guest", "files"] {
            let [seen, told] = [&seen, &told].map(|watched| moved(&watched.engine, asset));
            for (seen, told) in seen.into_iter().zip(told) {
                // Of few packets a sample says little.
                let few = if one_in > 1 { 1_000_000.0 } else { 0.0 };
                let is_same =
                    is_near(told as f64, seen as f64, within) || seen.abs_diff(told) as f64 <= few;
                assert!(is_same, "{asset}, 1 in {one_in}: {told} for {seen}");
            }
        }
        let alert = told.alerts.last().unwrap();
        assert_eq!(alert.severity, expected.severity, "1 in {one_in}: {alert:#?}");
        assert_eq!(alert.asset.name, expected.asset.name);
        let place = |alert: &Alert| alert.destination.as_ref().map(|to| (to.address, to.port));
        assert_eq!(place(alert), place(expected));
        assert!(is_near(spike(alert), spike(expected), 0.03), "{alert:#?}");
        let ids = |alerts: &[Alert]| {
            let ids: std::collections::BTreeSet<_> = alerts.iter().map(|alert| alert.id).collect();
            ids.len()
        };
        assert_eq!((ids(&told.alerts), ids(&seen.alerts)), (1, 1));
    }
}
