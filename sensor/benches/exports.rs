//! Flow records, as a distributed switch sends them: read alone, and up to what detection makes of them.

#![allow(clippy::expect_used, reason = "a mistake here may stop the bench")]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use egret::config::{Asset, Config, Role};
use egret::detect::Engine;
use egret::intake::flows::Reader;
use egret::time::Timestamp;

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1)), 2055);
const SENT: u32 = 1_795_183_391;
/// Records that come in a second.
const RECORDS: u32 = 50_000;
/// Hosts that are watched.
const ASSETS: u32 = 1000;
/// What a distributed switch tells of a conversation.
const FIELDS: [(u16, u16); 18] = [
    (8, 4),
    (12, 4),
    (1, 8),
    (2, 8),
    (152, 8),
    (153, 8),
    (7, 2),
    (11, 2),
    (10, 4),
    (14, 4),
    (4, 1),
    (136, 1),
    (6, 1),
    (5, 1),
    (53, 1),
    (61, 1),
    (210, 1),
    (58, 2),
];

fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &(4 + body.len() as u16).to_be_bytes(), body].concat()
}

fn ipfix(sent: u32, sets: &[u8]) -> Vec<u8> {
    let length = 16 + sets.len() as u16;
    let head = [&10_u16.to_be_bytes()[..], &length.to_be_bytes(), &sent.to_be_bytes()].concat();
    [&head[..], &[0; 8], sets].concat()
}

/// What a distributed switch says first.
fn template() -> Vec<u8> {
    let mut fields = [256_u16.to_be_bytes(), (FIELDS.len() as u16).to_be_bytes()].concat();
    for (id, length) in FIELDS {
        fields.extend([id.to_be_bytes(), length.to_be_bytes()].concat());
    }
    ipfix(SENT, &set(2, &fields))
}

/// Records that fit a datagram.
fn fitting() -> u32 {
    1400 / FIELDS.iter().map(|(_, length)| u32::from(*length)).sum::<u32>()
}

/// What went from one end to the other in the minute before `sent`, in 40 packets.
fn record(sent: u32, from: ([u8; 4], u16), to: ([u8; 4], u16)) -> Vec<u8> {
    let millis = |ago: u32| (u64::from(sent - ago) * 1000).to_be_bytes();
    let mut record = [from.0, to.0].concat();
    record.extend([20_000_u64.to_be_bytes(), 40_u64.to_be_bytes(), millis(60), millis(1)].concat());
    record.extend([from.1.to_be_bytes(), to.1.to_be_bytes()].concat());
    record.extend([0, 0, 0, 1, 0, 0, 0, 2, 6, 1, 0x1b, 0, 64, 0, 0, 0, 7]);
    record
}

/// A datagram of as many records as fit, each between two other ends.
fn datagram() -> Vec<u8> {
    let of = |number: u32| {
        let [_, _, high, low] = number.to_be_bytes();
        let from = ([10, 0, high, low], 0xc000 + number as u16);
        record(SENT, from, ([203, 0, 113, 9], 443))
    };
    ipfix(SENT, &set(256, &(0..fitting()).flat_map(of).collect::<Vec<_>>()))
}

fn reading(criterion: &mut Criterion) {
    let (data, records) = (datagram(), u64::from(fitting()));
    let arrival = Timestamp::from_parts(SENT.into(), 0);
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    reader.read(arrival, PEER, &template(), &mut reports);
    let mut group = criterion.benchmark_group("exports");
    group.throughput(Throughput::Elements(records));
    group.bench_function("ipfix", |bencher| {
        bencher.iter(|| {
            reports.clear();
            reader.read(arrival, PEER, black_box(&data), &mut reports);
            assert_eq!(reports.len() as u64, records);
        });
    });
    group.finish();
}

/// A second's datagrams: every conversation is new and told in two records, one for each direction; a
/// quarter of them goes outside.
fn second(number: u32) -> Vec<Vec<u8>> {
    let sent = SENT + number;
    let of = |number: u32| {
        let conversation = number / 2;
        let [_, _, high, low] = (conversation % ASSETS).to_be_bytes();
        let [_, second, third, fourth] = conversation.to_be_bytes();
        let port = 0x8000 + (conversation.wrapping_mul(7) + sent * 31) as u16 % 0x7000;
        let client = ([10, 0, high, low], port);
        let server = match conversation / ASSETS % 4 {
            0 => ([203, second, third, fourth], 443),
            _ => ([10, 1, 0, fourth], 445),
        };
        if number.is_multiple_of(2) {
            record(sent, client, server)
        } else {
            record(sent, server, client)
        }
    };
    let all: Vec<u32> = (0..RECORDS).collect();
    let datagram = |numbers: &[u32]| {
        ipfix(sent, &set(256, &numbers.iter().copied().flat_map(of).collect::<Vec<_>>()))
    };
    all.chunks(fitting() as usize).map(datagram).collect()
}

/// An engine that judges what so many hosts move.
fn engine() -> Engine {
    let mut config = Config::default();
    config.baseline.learning = Duration::ZERO;
    for number in 0..ASSETS {
        let [_, _, high, low] = number.to_be_bytes();
        let address = format!("10.0.{high}.{low}/32").parse().expect("an address");
        config.assets.push(Asset {
            name: format!("host-{number}").into(),
            role: if number.is_multiple_of(10) { Role::Esxi } else { Role::Guest },
            addresses: vec![address],
            macs: Vec::new(),
            host: None,
        });
    }
    Engine::new(&config, None, None)
}

fn detecting(criterion: &mut Criterion) {
    let (mut reader, mut engine, mut reports) = (Reader::default(), engine(), Vec::new());
    reader.read(Timestamp::from_parts(SENT.into(), 0), PEER, &template(), &mut reports);
    let mut group = criterion.benchmark_group("exports");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS.into()));
    let (mut number, mut alerts) = (0, 0);
    group.bench_function("detected", |bencher| {
        let next = || {
            number += 1;
            (Timestamp::from_parts((SENT + number).into(), 0), second(number))
        };
        let take = |(arrival, datagrams): (Timestamp, Vec<Vec<u8>>)| {
            for datagram in &datagrams {
                reader.read(arrival, PEER, black_box(datagram), &mut reports);
                reports.drain(..).for_each(|report| engine.report(&report));
                alerts += engine.drain_alerts().count();
            }
        };
        bencher.iter_batched(next, take, BatchSize::PerIteration);
    });
    group.finish();
    eprintln!("{number} seconds, {alerts} alerts: {:?}", engine.flow_records());
    assert_eq!(engine.flow_records().counted, u64::from(number) * u64::from(RECORDS));
}

criterion_group!(benches, reading, detecting);
criterion_main!(benches);
