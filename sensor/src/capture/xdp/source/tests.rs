use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};

use proptest::prelude::*;

use super::*;
use crate::capture::xdp::model::{CPU, Kernel, Stop, add};

/// What a reader was told.
#[derive(Default)]
struct Heard {
    sums: HashMap<u8, (u64, u64)>,
    counted: HashMap<u8, u64>,
}

impl Heard {
    /// One burst, and some of what is to be told behind it; whether there was anything.
    fn turn(&mut self, fast: &mut Fast) -> bool {
        let mut burst = Burst::new();
        let progress = fast.burst(&mut burst);
        for frame in &burst {
            let (flow, before) = frame.bytes.split_first().unwrap();
            let before = u64::from_ne_bytes(before.try_into().unwrap());
            let told = self.counted.get(flow).copied().unwrap_or(0);
            assert!(told >= before, "{told} of {before} were told when a SYN came");
            add(&mut self.sums, *flow, 1, frame.wire_len.into());
        }
        drop(burst);
        let mut counts = Counts::new();
        fast.counted(&mut counts);
        counts.iter().for_each(|counted| self.hear(counted));
        progress == Progress::More || !counts.is_empty()
    }

    fn hear(&mut self, counted: &Counted) {
        let std::net::IpAddr::V4(source) = counted.source else { panic!("{counted:?}") };
        assert!(counted.since <= counted.last);
        let [10, 0, 0, flow] = source.octets() else { panic!("{counted:?}") };
        add(&mut self.sums, flow, counted.packets, counted.bytes);
        *self.counted.entry(flow).or_default() += counted.packets;
    }

    fn everything(&mut self, fast: &mut Fast) {
        for _ in 0..2 {
            fast.scan(Scan::All);
            while self.turn(fast) {}
        }
    }

    fn check(mut self, kernel: &Kernel) {
        for (flow, (packets, bytes)) in &kernel.overflow {
            add(&mut self.sums, *flow, *packets, *bytes);
        }
        assert_eq!(self.sums, kernel.sent);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Packet { flow: u8, length: u32, syn: bool, stop: Stop },
    Scan(Scan),
    Turn,
}

fn step() -> impl Strategy<Value = Step> {
    let stop = prop_oneof![Just(Stop::Submitted), Just(Stop::Odd), Just(Stop::Never)];
    let flow = (1..12_u8, prop_oneof![Just(0), Just(CPU)]).prop_map(|(flow, cpu)| flow + cpu);
    let scan = prop_oneof![Just(Scan::Much), Just(Scan::All)].prop_map(Step::Scan);
    let packet = (flow, 60..200_000_u32, prop::bool::weighted(0.1), stop)
        .prop_map(|(flow, length, syn, stop)| Step::Packet { flow, length, syn, stop });
    prop_oneof![6 => packet, 1 => scan, 2 => Just(Step::Turn)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The heart: whatever the order of counting, giving way, scanning and reading, and however small
    /// the ring, each packet and each byte is told exactly once, to the flow that sent it.
    #[test]
    fn what_is_told_is_what_was_sent(
        steps in prop::collection::vec(step(), 0..400),
        ring in prop_oneof![Just(4096_usize), Just(1 << 16)],
        sequence in prop_oneof![Just(0_u32), Just(u32::MAX - 5)],
    ) {
        let mut kernel = Kernel::new(ring, sequence);
        let mut fast = Fast::new(kernel.parts()).unwrap();
        let mut heard = Heard::default();
        for step in steps {
            match step {
                Step::Packet { flow, length, syn, stop } => kernel.packet(flow, length, syn, stop),
                Step::Scan(scan) => fast.scan(scan),
                Step::Turn => drop(heard.turn(&mut fast)),
            }
        }
        kernel.finish();
        heard.everything(&mut fast);
        prop_assert_eq!(fast.stats().invalid, 0);
        heard.check(&kernel);
    }
}

/// The same with a kernel that does not wait.
#[test]
fn what_is_told_is_what_was_sent_also_meanwhile() {
    for ring in [1 << 13, 1 << 20] {
        let mut kernel = Kernel::new(ring, 0);
        let mut fast = Fast::new(kernel.parts()).unwrap();
        let (mut heard, ended) = (Heard::default(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = 1_u64;
                for _ in 0..100_000 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let bits = random >> 32;
                    let flow = 1 + (bits % 11).min(bits >> 8 & 15) as u8;
                    let length = 60 + (bits >> 16 & 1023) as u32;
                    let (cpu, syn) = ((bits >> 27 & 1) as u8, bits >> 12 & 63 == 0);
                    kernel.packet(flow + cpu * CPU, length, syn, Stop::Never);
                }
                ended.store(true, Release);
            });
            let mut scan = Scan::All;
            while !ended.load(Acquire) {
                scan = if scan == Scan::All { Scan::Much } else { Scan::All };
                fast.scan(scan);
                for _ in 0..3 {
                    heard.turn(&mut fast);
                }
            }
        });
        heard.everything(&mut fast);
        assert_eq!(fast.stats().invalid, 0);
        heard.check(&kernel);
    }
}

#[test]
fn what_a_connection_had_counted_is_told_before_the_syn_of_the_next() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    let mut heard = Heard::default();
    for length in [100, 200, 300] {
        kernel.packet(1, length, false, Stop::Never);
        kernel.packet(2, length, false, Stop::Never);
    }
    kernel.packet(1, 60, true, Stop::Never);
    while heard.turn(&mut fast) {}
    assert_eq!(heard.sums.get(&1), Some(&(4, 660)));
    assert_eq!(heard.counted.get(&1), Some(&2));
    heard.everything(&mut fast);
    heard.check(&kernel);
}

#[test]
fn frames_say_where_their_direction_is_marked_read() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let parts = kernel.parts();
    let slots = Arc::clone(&parts.slots4);
    let mut fast = Fast::new(parts).unwrap();
    kernel.packet(CPU + 7, 60, false, Stop::Never);
    let mut burst = Burst::new();
    assert_eq!(fast.burst(&mut burst), Progress::More);
    let frame = *burst.first().unwrap();
    assert_eq!((frame.wire_len, frame.link), (60, crate::capture::LinkType::ETHERNET));
    frame.mark.unwrap().enough();
    let enough: Vec<_> = (0..32)
        .filter(|slot| View::<Key4>::new(&slots, *slot).unwrap().read_enough().load(Acquire) == 2)
        .collect();
    // Processor 1's part begins with slot 16, ring 1's share of it with 24, its second set with 28.
    assert_eq!((enough.as_slice(), kernel.sequence(28)), (&[28][..], 2));
}

#[test]
fn records_that_make_no_sense_are_counted_and_skipped() {
    use crate::capture::xdp::model::bytes_of;
    use egret_ebpf::Count;

    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    let head = Handed { kind: kind::PACKET, captured: 100, ..Handed::default() };
    let foreign = |index| {
        let count = Count { packets: 1, ..Count::default() };
        Evicted::<Key4> { kind: kind::EVICTED_4, index, count, ..Evicted::default() }
    };
    kernel.ring.push(&[]);
    kernel.ring.push(&[9, 0, 0, 0]);
    kernel.ring.push(&[1, 0, 0, 0]);
    kernel.ring.push(bytes_of(&head));
    kernel.ring.push(&bytes_of(&foreign(24))[..71]);
    kernel.ring.push(bytes_of(&foreign(0)));
    kernel.ring.push(bytes_of(&foreign(u32::MAX)));
    let nowhere = Handed { captured: 0, slot: 1 << 20, version: 4, ..head };
    kernel.ring.push(bytes_of(&nowhere));
    let mut burst = Burst::new();
    assert_eq!(fast.burst(&mut burst), Progress::More);
    assert_eq!(burst.len(), 1);
    assert!(burst.first().unwrap().mark.is_none());
    drop(burst);
    assert_eq!(fast.stats().invalid, 7);
    assert_eq!(fast.burst(&mut Burst::new()), Progress::Idle);
}

#[test]
fn it_waits_longer_the_longer_nothing_comes() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    let waits: Vec<_> = (0..6)
        .map(|_| {
            fast.burst(&mut Burst::new());
            fast.patience().as_millis()
        })
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 20, 20]);
    kernel.packet(1, 60, false, Stop::Never);
    fast.burst(&mut Burst::new());
    assert_eq!(fast.patience(), SHORTEST);
}

#[test]
fn what_is_not_read_yet_is_later_than_what_was() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    kernel.packet(1, 60, false, Stop::Never);
    let far = Timestamp::MAX;
    assert_eq!(fast.quiet_since(far), Timestamp::ZERO);
    let mut burst = Burst::new();
    fast.burst(&mut burst);
    let time = burst.first().unwrap().time;
    drop(burst);
    assert_eq!(fast.quiet_since(far), far.minus(HELD_BACK));
    kernel.packet(2, 60, false, Stop::Never);
    assert_eq!(fast.quiet_since(far), time.minus(HELD_BACK));
}

/// Who is too slow to hear of all slots within a second still hears of the last ones.
#[test]
fn what_is_being_told_is_not_begun_anew() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    for flow in [1, 1, CPU + 1, CPU + 1] {
        kernel.packet(flow, 60, false, Stop::Never);
    }
    let told = |fast: &mut Fast| fast.next().map(|counted| counted.source.to_string());
    fast.scan(Scan::All);
    assert_eq!(told(&mut fast).as_deref(), Some("10.0.0.1"));
    kernel.packet(1, 60, false, Stop::Never);
    fast.scan(Scan::All);
    assert_eq!(told(&mut fast), Some(format!("10.0.0.{}", CPU + 1)));
    let mut counts = Counts::new();
    fast.counted(&mut counts);
    assert!(counts.is_empty(), "{counts:?}");
    fast.scan(Scan::All);
    assert_eq!(told(&mut fast).as_deref(), Some("10.0.0.1"));
}

/// Fails when volumes miss what was counted before a tick ended because a scan was still under way.
#[test]
fn a_scan_for_all_that_had_to_wait_is_the_next_one() {
    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    for length in [300_000, 300_000] {
        kernel.packet(1, length, false, Stop::Never);
    }
    for _ in 0..2 {
        kernel.packet(2, 60, false, Stop::Never);
    }
    let told = |fast: &mut Fast| {
        let mut counts = Counts::new();
        fast.counted(&mut counts);
        counts.iter().map(|counted| counted.bytes).collect::<Vec<_>>()
    };
    fast.scan(Scan::Much);
    fast.scan(Scan::All);
    assert_eq!(told(&mut fast), [300_000]);
    fast.scan(Scan::Much);
    assert_eq!(told(&mut fast), [60]);
}

#[test]
fn a_burst_ends_when_as_much_gave_way_as_can_be_told_behind_it() {
    use crate::capture::xdp::model::bytes_of;
    use egret_ebpf::Count;

    let mut kernel = Kernel::new(1 << 16, 0);
    let mut fast = Fast::new(kernel.parts()).unwrap();
    for sequence in 1..=40 {
        let count = Count { packets: 1, bytes: 60, ..Count::default() };
        let sequence = 2 * sequence;
        kernel.ring.push(bytes_of(&Evicted::<Key4> {
            kind: kind::EVICTED_4,
            index: 12,
            sequence,
            count,
            ..Evicted::default()
        }));
    }
    let mut counts = Counts::new();
    for told in [32, 8] {
        assert_eq!(fast.burst(&mut Burst::new()), Progress::More);
        fast.counted(&mut counts);
        assert_eq!(counts.len(), told);
    }
    assert_eq!(fast.burst(&mut Burst::new()), Progress::Idle);
    fast.counted(&mut counts);
    assert!(counts.is_empty());
}
