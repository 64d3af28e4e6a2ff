//! From packets to alerts: what must be known before ten seconds are over.

use egret_tests::quic;

use super::*;
use crate::alert::Fact;
use crate::decode::{Packet, Tcp, sample, tcp_flags};
use crate::flow::Table;
use crate::observe::{Reader, Sink, Wanted};

const GUEST: &str = "10.1.0.3";
/// Lengths of packets that segmentation offload has put together.
const LENGTH: u32 = 60_000;

/// An engine that notes when an alert is new or changed.
pub(in crate::detect) struct Watched {
    pub(in crate::detect) engine: Engine,
    pub(in crate::detect) alerts: Vec<Alert>,
}

impl Watched {
    pub(in crate::detect) fn new(config: &Config) -> Self {
        Self { engine: Engine::new(config, None, None), alerts: Vec::new() }
    }

    /// What it has told when all was seen of these packets, which come in bursts of some size.
    pub(in crate::detect) fn see(mut self, packets: &[Packet<'_>], burst: usize) -> Self {
        let (mut table, mut reader) = (Table::new(64).unwrap(), Reader::new(Wanted::ForDetectors));
        for packets in packets.chunks(burst) {
            table.burst(packets, &mut reader.observing(&mut self));
        }
        table.finish(&mut reader.observing(&mut self));
        self.finish()
    }

    /// With what it has to say in the end.
    pub(in crate::detect) fn finish(mut self) -> Self {
        self.engine.finish();
        self.note();
        self
    }

    pub(in crate::detect) fn note(&mut self) {
        self.alerts.extend(self.engine.drain_alerts());
    }
}

impl Sink for Watched {
    fn event(&mut self, event: Event) {
        self.engine.event(&event);
        self.note();
    }
}

/// 300 MB that are pulled together in 2 s and, after these datagrams or segments, leave
/// in 2 s.
fn staged(protocol: u8, first: &[Vec<u8>]) -> Vec<Packet<'_>> {
    let (pull, leave) = (["10.0.0.20", GUEST], [GUEST, "203.0.113.9"]);
    let packet = |at, ends, ports, payload| packet(at, ends, ports, LENGTH, payload);
    let sent = |at, payload| Packet { protocol, ..packet(at, leave, [50_001, 443], payload) };
    let mut packets = Vec::new();
    packets.extend((0..5000).map(|n| packet(f64::from(n) * 4e-4, pull, [445, 50_000], b"")));
    packets.extend(first.iter().map(|payload| sent(3.0, payload)));
    packets.extend((1..5000).map(|n| sent(3.0 + f64::from(n) * 4e-4, b"")));
    if protocol == protocol::UDP {
        packets
            .iter_mut()
            .filter(|packet| packet.protocol == protocol)
            .for_each(|packet| packet.tcp = None);
    }
    packets
}

/// A ClientHello of TLS 1.2 for `a.example`, in a record.
pub(in crate::detect) fn hello() -> Vec<u8> {
    let sni = b"\0\0\0\x0e\0\x0c\0\0\x09a.example";
    let body = [&[3, 3][..], &[7; 32], b"\0\0\x02\x13\x01\x01\0\0\x12", sni].concat();
    let length = body.len() as u8;
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// A segment in a frame of `length` bytes.
pub(in crate::detect) fn packet<'a>(
    at: f64,
    ends: [&str; 2],
    ports: [u16; 2],
    length: u32,
    payload: &'a [u8],
) -> Packet<'a> {
    let [source, destination] = ends.map(|end| Scene::end(end, 0));
    Packet {
        time: Timestamp::from_nanos(time(0).as_nanos() + (at * 1e9) as u64),
        wire_len: length,
        macs: Some([source, destination].map(|end| end.mac.unwrap())),
        source: source.address,
        destination: destination.address,
        ports,
        payload_wire_len: length - 54,
        ..sample::packet(Some(Tcp { sequence: 1, flags: tcp_flags::ACK }), payload)
    }
}

/// The alerts that packets in bursts of some size raise.
fn alerts(packets: &[Packet<'_>], burst: usize) -> Vec<Alert> {
    let mut config = Config::default();
    config.baseline.learning = Duration::ZERO;
    Watched::new(&config).see(packets, burst).alerts
}

#[test]
fn what_was_pulled_together_seconds_ago_is_known_when_it_begins_to_leave() {
    let hello = [hello()];
    let packets = staged(protocol::TCP, &hello);
    let told = alerts(&packets, 64);
    let first = &told[0];
    let after = first.time.since(time(3)).as_secs_f64();
    assert!(after < 0.25, "{after} s after the hello");
    let mut pulled = None;
    for piece in &first.evidence {
        match piece.fact {
            Fact::VolumeSpike { observed_bytes, .. } => pulled = Some(observed_bytes),
            Fact::TlsSession { bytes_out, .. } => assert!(bytes_out < 32_000_000, "{bytes_out}"),
            _ => {}
        }
    }
    assert!(pulled.is_some_and(|pulled| pulled > 290_000_000), "{pulled:?}");
    let last = told.last().unwrap();
    assert!(last.severity >= Severity::High && last.id == first.id, "{last:?}");
    let json = |told: &[Alert]| serde_json::to_string(told).unwrap();
    for burst in [1, 7, 63] {
        assert_eq!(json(&alerts(&packets, burst)), json(&told), "bursts of {burst}");
    }
}

/// A session over QUIC is judged by its name and its flow's volume, as one over TCP is.
#[test]
fn an_upload_over_quic_is_an_upload() {
    let mut rng = egret_tests::rng::Rng::new(1);
    let hello = quic::client_hello(&mut rng, "drop.evil.example", true);
    let (id, initials) = (b"first id", quic::Initials::client(quic::V1, b"first id"));
    let parts = [(0, &hello[..1000]), (1000, &hello[1000..])];
    let datagrams = parts.map(|(at, part)| initials.datagram(id, b"", 0, &quic::crypto(at, part)));
    let told = alerts(&staged(protocol::UDP, &datagrams), 64);
    let last = told.last().unwrap();
    assert!(last.severity >= Severity::High, "{last:?}");
    let destination = last.destination.as_ref().unwrap();
    assert_eq!((destination.sni.as_deref(), destination.port), (Some("drop.evil.example"), 443));
    assert!(last.summary.contains(" over QUIC to drop.evil.example"), "{}", last.summary);
    assert!(!serde_json::to_string(last).unwrap().contains("TCP"));
    let bytes_out = last.evidence.iter().find_map(|piece| match piece.fact {
        Fact::TlsSession { bytes_out, .. } => Some(bytes_out),
        _ => None,
    });
    assert!(bytes_out.is_some_and(|bytes| bytes > 250_000_000), "{bytes_out:?}");
}
