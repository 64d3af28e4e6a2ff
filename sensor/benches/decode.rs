//! Decoding frames, by what a capture is made of.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a mistake here may stop the bench"
)]

mod common;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use egret::decode::duplicates::Duplicates;
use egret::decode::{packet, packet_unless};
use egret_tests::bench::Kind;

fn captures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for (kind, scale) in [(Kind::Bulk, 0.01), (Kind::Small, 0.002), (Kind::TlsDns, 0.005)] {
        let capture = common::capture(kind, scale);
        let frames = common::frames(&capture);
        group.throughput(Throughput::Elements(frames.len() as u64));
        group.bench_function(kind.to_string(), |bencher| {
            bencher.iter(|| {
                for frame in &frames {
                    let _ = black_box(packet(frame));
                }
            });
        });
        group.bench_function(format!("{kind}, copies left out"), |bencher| {
            let mut duplicates = Duplicates::default();
            bencher.iter(|| {
                for frame in &frames {
                    let is_copy = |ip| duplicates.is_copy(ip, frame.time);
                    let _ = black_box(packet_unless(frame, is_copy));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, captures);
criterion_main!(benches);
