//! Reading log messages: most say nothing that is asked for.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use egret::intake::{Origin, Reader};
use egret::time::Timestamp;

const MESSAGES: [(&str, &str); 4] = [
    (
        "hostd, irrelevant",
        "<166>2026-11-20T14:03:11.123Z esxi-01.example Hostd[2099494]: [Originator@6876 sub=Vimsvc.TaskManager opID=11111111-22 sid=52f0e556 user=vpxuser] Task Completed : haTask-ha-host-vim.HostSystem.acquireCimServicesTicket-1234567 Status success",
    ),
    (
        "vmkernel, irrelevant",
        "<181>2026-11-20T14:03:11.123Z esxi-01.example vmkernel: cpu12:2097853)ScsiDeviceIO: 4167: Cmd(0x45d94) 0x1a, CmdSN 0x1 from world 0 to dev failed",
    ),
    (
        "vpxd, irrelevant",
        "<14>1 2026-11-20T14:03:11.123456+00:00 vcsa vpxd 4711 - -  2026-11-20T14:03:11.123Z info vpxd[04711] [Originator@6876 sub=vpxLro opID=11111111] [VpxLRO] -- FINISH lro-1204873",
    ),
    (
        "hostd, guest operation",
        "<166>2026-11-20T14:03:11.123Z esxi-01.example Hostd[2099494]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 246 : Guest operation Start Program performed on Virtual machine app-01.",
    ),
];

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("syslog");
    let arrival = Some(Timestamp::from_parts(1_795_183_391, 200_000_000));
    let origin = Origin { arrival, peer: Some([10, 10, 0, 11].into()) };
    for (name, message) in MESSAGES {
        let mut reader = Reader::default();
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| {
            bencher.iter(|| reader.read(black_box(&origin), black_box(message.as_bytes())));
        });
    }
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
