//! Counting decoded packets to their flows, with nobody reading what the flows say.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a mistake here may stop the bench"
)]

mod common;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use egret::capture::BURST;
use egret::decode::{Packet, packet};
use egret::flow::{Observer, Table};
use egret_tests::bench::Kind;

fn captures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flow");
    group.sample_size(10);
    for (kind, scale) in [(Kind::Bulk, 0.05), (Kind::Small, 0.1), (Kind::TlsDns, 0.05)] {
        let capture = common::capture(kind, scale);
        let frames = common::frames(&capture);
        let packets: Vec<Packet<'_>> =
            frames.iter().filter_map(|frame| packet(frame).ok()).collect();
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.bench_function(kind.to_string(), |bencher| {
            bencher.iter_batched_ref(
                || Table::new(1 << 20).expect("there is memory for a table"),
                |table| packets.chunks(BURST).for_each(|burst| table.burst(burst, &mut Nobody)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// Reads nothing.
struct Nobody;

impl Observer for Nobody {}

criterion_group!(benches, captures);
criterion_main!(benches);
