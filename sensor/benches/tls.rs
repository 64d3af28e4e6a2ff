//! Reading a ClientHello, and making a session of it.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use egret::decode::progress::Progress;
use egret::decode::tls::{Extent, Fingerprints, client_hello};
use egret::event::Carrier;
use egret::time::Timestamp;
use egret_tests::bench::hello;
use egret_tests::rng::Rng;

fn hellos(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tls");
    for (name, client, post_quantum) in [
        ("browser, post-quantum", hello::Client::Browser, true),
        ("browser", hello::Client::Browser, false),
        ("openssl", hello::Client::OpenSsl, false),
        ("tls 1.2", hello::Client::Old, false),
    ] {
        let bytes = hello::client(&mut Rng::new(1), client, Some("www.example.com"), post_quantum);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            let (mut scratch, mut fingerprints) = (Vec::new(), Fingerprints::default());
            bencher.iter(|| match client_hello(black_box(&bytes), Extent::Growing, &mut scratch) {
                Progress::Complete { value, .. } => {
                    Some(value.session(Carrier::Tcp, Timestamp::ZERO, &mut fingerprints))
                }
                Progress::NeedMore(_) | Progress::Refused(_) => None,
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hellos);
criterion_main!(benches);
