//! Reading DNS messages as resolvers send them.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use egret::decode::dns::message;
use egret::event::DnsTransport;
use egret_tests::dns::{Data, Record, query, rcode, response, rtype};

const NAME: &str = "www.example.com";

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dns");
    for (name, bytes) in [
        ("query", query(1, NAME, rtype::A)),
        ("two addresses", response(1, NAME, rtype::A, rcode::NO_ERROR, &addresses(NAME, 2))),
        ("alias, four addresses", response(1, NAME, rtype::A, rcode::NO_ERROR, &aliased(4))),
        ("alias, 24 addresses", response(1, NAME, rtype::A, rcode::NO_ERROR, &aliased(24))),
    ] {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| message(black_box(&bytes), DnsTransport::Udp));
        });
    }
    group.finish();
}

fn aliased(count: u8) -> Vec<Record> {
    let alias = Data::Cname("edge.example.net".to_owned());
    let mut records = vec![Record { name: NAME.to_owned(), ttl: 300, data: alias }];
    records.extend(addresses("edge.example.net", count));
    records
}

fn addresses(name: &str, count: u8) -> Vec<Record> {
    (1..=count)
        .map(|last| Record {
            name: name.to_owned(),
            ttl: 60,
            data: Data::A([192, 0, 2, last].into()),
        })
        .collect()
}

criterion_group!(benches, messages);
criterion_main!(benches);
