//! Reading flow records: datagrams as a distributed switch, a router and a switch send them.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use egret::intake::flows::Reader;
use egret::time::Timestamp;

const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1)), 2055);
const SENT: u32 = 1_795_183_391;
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

fn ipfix(sets: &[u8]) -> Vec<u8> {
    let length = 16 + sets.len() as u16;
    let head = [&10_u16.to_be_bytes()[..], &length.to_be_bytes(), &SENT.to_be_bytes()].concat();
    [&head[..], &[0; 8], sets].concat()
}

/// A template and a datagram of as many records as fit, each between two other ends.
fn exports() -> (Vec<u8>, Vec<u8>, u64) {
    let mut fields = [256_u16.to_be_bytes(), (FIELDS.len() as u16).to_be_bytes()].concat();
    for (id, length) in FIELDS {
        fields.extend([id.to_be_bytes(), length.to_be_bytes()].concat());
    }
    let length: u16 = FIELDS.iter().map(|(_, length)| length).sum();
    let count = 1400 / length;
    let mut data = Vec::new();
    let millis = |ago: u64| ((u64::from(SENT) - ago) * 1000).to_be_bytes();
    for number in 0..count {
        let [high, low] = number.to_be_bytes();
        data.extend([10, 0, high, low, 203, 0, 113, 9]);
        data.extend(1500_u64.to_be_bytes());
        data.extend(3_u64.to_be_bytes());
        data.extend([millis(60), millis(1)].concat());
        data.extend([0xc0, low, 1, 187, 0, 0, 0, 1, 0, 0, 0, 2, 6, 1, 0x1b, 0, 64, 0, 0, 0, 7]);
    }
    (ipfix(&set(2, &fields)), ipfix(&set(256, &data)), count.into())
}

fn reading(criterion: &mut Criterion) {
    let (template, data, records) = exports();
    let arrival = Timestamp::from_parts(SENT.into(), 0);
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    reader.read(arrival, PEER, &template, &mut reports);
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

criterion_group!(benches, reading);
criterion_main!(benches);
