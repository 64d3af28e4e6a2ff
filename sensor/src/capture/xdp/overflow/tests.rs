use std::collections::HashMap;

use super::*;
use crate::capture::xdp::model;

const MAP_UPDATE: libc::c_long = 2;
const PER_CPU_HASH: u32 = 5;

/// A map as the program has it.
fn map() -> io::Result<OwnedFd> {
    model::map(PER_CPU_HASH, size_of::<Key6>(), size_of::<Count>(), 4096, 0)
}

/// Processors there may ever be.
fn cpus() -> usize {
    let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap();
    possible.trim().rsplit(['-', ',']).next().unwrap().parse::<usize>().unwrap() + 1
}

fn put(map: &OwnedFd, key: &Key6, values: &[Count]) {
    let attributes: [u64; 4] = [
        map.as_raw_fd() as u64,
        std::ptr::from_ref(key).expose_provenance() as u64,
        values.as_ptr().expose_provenance() as u64,
        0,
    ];
    model::bpf(MAP_UPDATE, &attributes).unwrap();
}

/// A flow by its number, over IPv4.
fn key(flow: u32) -> Key6 {
    let mut source = [0; 16];
    source[10..12].fill(0xff);
    source[12..].copy_from_slice(&flow.to_be_bytes());
    Key6 { source, destination: source, protocol: 17, ..Key6::default() }
}

fn taken(overflow: &mut Overflow) -> HashMap<[u8; 16], Count> {
    let told: Vec<_> = std::iter::from_fn(|| overflow.next()).collect();
    let flows = told.len();
    let told: HashMap<_, _> =
        told.into_iter().map(|told| (told.key.0.source, told.count)).collect();
    assert_eq!(told.len(), flows, "a flow comes once");
    told
}

#[test]
fn all_flows_and_all_processors_are_taken_out_and_nothing_twice() {
    let (old, new) = match (map(), map()) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => {
            return egret_tests::skip(format!("no BPF map can be made: {error}"));
        }
    };
    let (cpus, flows) = (cpus(), 3000);
    for flow in 0..flows {
        let values: Vec<_> = (0..cpus as u64)
            .map(|cpu| Count {
                packets: u64::from(flow) + cpu,
                bytes: 100 * (u64::from(flow) + cpu),
                first: 1000 - cpu,
                last: 2000 + cpu,
                tcp_flags: 1 << cpu,
                handed: 0,
            })
            .collect();
        put(&old, &key(flow), &values);
    }
    put(&new, &key(1), &vec![Count { packets: 1, bytes: 60, ..Count::default() }; cpus]);
    let control = model::memory(size_of::<Control>());
    let control = Arc::new(Mapping::new(&control, size_of::<Control>()).unwrap());
    let epoch = || control.word32(4).unwrap().load(Relaxed);
    let mut overflow = Overflow::new([old, new], Arc::clone(&control), cpus);

    overflow.scan(0);
    assert_eq!((epoch(), taken(&mut overflow).len()), (0, 0), "nothing has come");
    overflow.scan(7);
    let told = taken(&mut overflow);
    assert!(overflow.failure().is_none(), "{:?}", overflow.failure());
    assert_eq!((epoch(), told.len()), (1, flows as usize));
    let above = (cpus * (cpus - 1) / 2) as u64;
    for flow in 0..flows {
        let count = told[&key(flow).source];
        let packets = u64::from(flow) * cpus as u64 + above;
        assert_eq!((count.packets, count.bytes), (packets, 100 * packets), "{flow}");
        assert_eq!((count.last, count.tcp_flags >> (cpus - 1)), (1999 + cpus as u64, 1));
    }
    overflow.scan(7);
    assert_eq!((epoch(), taken(&mut overflow).len()), (1, 0), "nothing new has come");
    overflow.scan(8);
    assert_eq!((epoch(), taken(&mut overflow).len()), (0, 1));
    overflow.scan(9);
    assert_eq!(taken(&mut overflow).len(), 0, "all was taken the first time");
}

#[test]
fn a_map_that_cannot_be_read_is_told_once_and_does_not_stop_anything() {
    let maps = [model::memory(1), model::memory(1)];
    let control = model::memory(size_of::<Control>());
    let control = Arc::new(Mapping::new(&control, size_of::<Control>()).unwrap());
    let mut overflow = Overflow::new(maps, control, 1);
    overflow.scan(1);
    assert!(overflow.next().is_none());
    assert!(overflow.failure().is_some());
}
