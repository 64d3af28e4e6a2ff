//! More flows than the kernel's table holds: every packet is handed up, or counted to its flow, or
//! counted as one of which that could not be told. Asked of capture itself, with a small table.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use egret::capture::live::{Backend, Live, Opened, Settings, open};
use egret::capture::{Burst, Counts, Frame, Kernel, Progress, Scan, Source};
use egret_tests::flood::Flood;
use egret_tests::net::{Namespace, veth};

use super::turn;

/// Places for IPv4 in the kernel, both directions and all processors together.
const SLOTS: u32 = 65_536;
/// What was sent is read when nothing came for so long.
const QUIET: Duration = Duration::from_millis(500);
/// How often is told what was counted without packets.
const SCAN: Duration = Duration::from_secs(1);

/// What a source gave, of each flow and in all.
#[derive(Debug, Default)]
struct Taken {
    frames: u64,
    counted: u64,
    bytes: u64,
    /// Packets and bytes.
    flows: Vec<[u64; 2]>,
}

impl Taken {
    fn add(&mut self, flow: u32, packets: u64, bytes: u64) {
        self.bytes += bytes;
        if let Some(sums) = self.flows.get_mut(flow as usize) {
            sums[0] += packets;
            sums[1] += bytes;
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        let [a, b, c, d, ..] = frame.bytes[26..] else { panic!("a header") };
        let port = u16::from_be_bytes([frame.bytes[34], frame.bytes[35]]);
        self.add(Flood::flow_of([a, b, c, d], port), 1, frame.wire_len.into());
    }

    /// Takes what was counted without packets, all there is.
    fn counts(&mut self, source: &mut Live) {
        let mut counts = Counts::new();
        loop {
            source.counted(&mut counts);
            if counts.is_empty() {
                return;
            }
            for one in &counts {
                let IpAddr::V4(address) = one.source else { panic!("{one:?}") };
                assert_eq!((one.protocol, one.ports[1]), (17, 9000), "{one:?}");
                assert!(one.packets > 0 && one.since <= one.last, "{one:?}");
                self.counted += one.packets;
                self.add(Flood::flow_of(address.octets(), one.ports[0]), one.packets, one.bytes);
            }
        }
    }
}

/// Reads a source until all is sent and read, not before `pause` is over.
fn take(source: &mut Live, flows: u32, pause: Duration, sent: &AtomicBool) -> Taken {
    let mut taken = Taken { flows: vec![[0; 2]; flows as usize], ..Taken::default() };
    std::thread::sleep(pause);
    let (mut last, mut scanned) = (Instant::now(), Instant::now());
    let mut scan = Scan::Much;
    while !sent.load(Ordering::Acquire) || last.elapsed() < QUIET {
        let mut burst = Burst::new();
        let progress = source.burst(&mut burst).unwrap();
        burst.iter().for_each(|frame| taken.frame(frame));
        drop(burst);
        match progress {
            Progress::More => last = Instant::now(),
            Progress::Idle => std::thread::sleep(Duration::from_millis(1)),
            Progress::End => panic!("a live source never ends"),
        }
        if scanned.elapsed() >= SCAN {
            source.scan(scan);
            (scan, scanned) =
                (if scan == Scan::All { Scan::Much } else { Scan::All }, Instant::now());
        }
        taken.counts(source);
    }
    source.scan(Scan::All);
    taken.counts(source);
    taken
}

/// Sends a flood to an interface with that table; gives what the sources gave, and what the kernel's
/// half says. Fails when packets and bytes are not those that the driver took.
fn flood(flood: Flood, pause: Duration) -> (Taken, Kernel) {
    let [sender, receiver] = ["sender", "receiver"].map(Namespace::new);
    veth((&sender, "t0"), (&receiver, "t1"));
    let settings =
        Settings { backend: Some(Backend::Xdp), snaplen: 65_535, workers: 2, slots: Some(SLOTS) };
    let Opened { mut sources, backend, why } = receiver.enter(|| open("t1", &settings)).unwrap();
    assert_eq!(backend, Backend::Xdp, "{why}");
    let sent = AtomicBool::new(false);
    let start = Instant::now();
    let taken: Vec<Taken> = std::thread::scope(|scope| {
        let read = |source| scope.spawn(|| take(source, flood.flows, pause, &sent));
        let readers: Vec<_> = sources.iter_mut().map(read).collect();
        flood.send(&sender, "t0");
        sent.store(true, Ordering::Release);
        eprintln!("{} frames sent in {:.1?}", flood.frames, start.elapsed());
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    let mut all = Taken { flows: vec![[0; 2]; flood.flows as usize], ..Taken::default() };
    for one in taken {
        all.frames += one.frames;
        all.counted += one.counted;
        all.bytes += one.bytes;
        for (sum, one) in all.flows.iter_mut().flatten().zip(one.flows.as_flattened()) {
            *sum += one;
        }
    }
    let kernel = sources.iter().find_map(|source| source.stats().kernel).unwrap();
    let totals = kernel.totals;
    eprintln!("{} frames, {} counted; {kernel:?}", all.frames, all.counted);
    let driver = driver_took(&receiver, "t1");
    assert_eq!(driver, flood.frames, "what the driver took is what was sent");
    assert_eq!(totals.packets, driver, "packets that the program saw");
    assert_eq!(totals.bytes, driver * Flood::LENGTH);
    assert_eq!(totals.duplicates, 0, "no two are alike");
    assert_eq!(all.frames, totals.handed);
    assert_eq!(all.frames + all.counted + totals.unattributed, driver, "each is one of these");
    assert_eq!(all.bytes + totals.unattributed_bytes, driver * Flood::LENGTH, "their bytes");
    (all, kernel)
}

/// Frames that XDP was given at an interface, by the driver's own count.
fn driver_took(namespace: &Namespace, interface: &str) -> u64 {
    let mut ethtool = namespace.command("ethtool");
    let text = egret_tests::net::run(ethtool.args(["-S", interface]));
    let count = |line: &str| {
        let (name, value) = line.trim().split_once(": ")?;
        let is_it = name.starts_with("rx_queue_") && name.ends_with("_xdp_packets");
        is_it.then(|| value.parse::<u64>().unwrap())
    };
    text.lines().filter_map(count).sum()
}

/// Fails when a packet is lost or counted twice while flows take each other's places in the table,
/// which happens millions of times here, or is counted to another flow.
#[test]
fn a_table_that_is_far_too_small_loses_nothing() {
    let Some(_turn) = turn(&[]) else { return };
    let flood_of = Flood { flows: 1_000_000, run: 5, frames: 20_000_000 };
    let (taken, kernel) = flood(flood_of, Duration::ZERO);
    let totals = kernel.totals;
    assert!(kernel.slots >= u64::from(SLOTS), "{kernel:?}");
    assert!(totals.evicted > 1_000_000, "{kernel:?}");
    let mut short = 0;
    for (flow, [packets, bytes]) in (0..).zip(&taken.flows) {
        let sent = flood_of.frames_of(flow);
        assert!(*packets <= sent, "{packets} of {sent} packets of flow {flow}");
        assert_eq!(*bytes, packets * Flood::LENGTH, "flow {flow}");
        short += sent - packets;
    }
    assert_eq!(short, totals.unattributed, "only what is counted as unattributed is missing");
}

/// Fails when a ring without room loses counts together with the packets that were to be read.
#[test]
fn a_ring_that_overflows_costs_reading_and_no_counts() {
    let Some(_turn) = turn(&[]) else { return };
    let flood_of = Flood { flows: 500_000, run: 3, frames: 3_000_000 };
    let (_, kernel) = flood(flood_of, Duration::from_secs(3));
    let totals = kernel.totals;
    assert!(totals.ring_full > 0, "{totals:?}");
    assert!(totals.overflow + totals.unattributed > 0, "{totals:?}");
}
