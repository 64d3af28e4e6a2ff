use std::collections::HashSet;
use std::sync::atomic::AtomicU64;

use egret_ebpf::{Key4, Slot};
use proptest::prelude::*;

use super::*;

const PACKETS: usize = offset_of!(Slot<Key4>, count.packets);
const BYTES: usize = offset_of!(Slot<Key4>, count.bytes);

/// Words for as many blocks as any table here has.
fn blocks() -> Arc<Mapping> {
    Arc::new(Mapping::new(&crate::capture::xdp::model::memory(64), 64).unwrap())
}

#[test]
fn rings_share_the_table_out_and_each_knows_its_own() {
    let shape = Shape { cpus: 3, rings: 4, sets4: 5, sets6: 1 };
    let slots = Arc::new(Mapping::new(&crate::capture::xdp::model::memory(64), 64).unwrap());
    let mut seen = HashSet::new();
    for ring in 0..shape.rings {
        let (slots, touched) = (Arc::clone(&slots), blocks());
        let table = Table::<egret_ebpf::Key4>::new(slots, touched, shape, shape.sets4, ring);
        for place in 0..table.shadows.len() {
            let index = table.share.index(place);
            assert_eq!(table.share.place(index), Some(place));
            assert!(seen.insert(index), "{index} is two rings'");
            let (cpu, set) = (index / 80, index % 80 / 4);
            assert!(cpu < shape.cpus && set / shape.sets4 == ring);
        }
        let foreign = (0..240).filter(|index| table.share.place(*index).is_none()).count();
        assert_eq!(foreign, 180);
    }
    assert_eq!(seen.len(), 240);
}

/// What is stored through one mapping of a real table is read through another.
#[test]
fn the_kernels_own_table_is_mapped_and_scanned() {
    use egret_ebpf::Key6;

    const ARRAY: u32 = 2;
    const MAPPABLE: u32 = 1 << 10;
    let shape = Shape { cpus: 2, rings: 1, sets4: 1, sets6: 64 };
    let slot = size_of::<Slot<Key6>>();
    let map = match crate::capture::xdp::model::map(ARRAY, 4, 2 * slot, 128, MAPPABLE) {
        Err(error) => return egret_tests::skip(format!("no BPF map can be made: {error}")),
        Ok(map) => map,
    };
    let [kernel, ours] = [0, 1].map(|_| Mapping::new(&map, 256 * slot).unwrap());
    assert!(Mapping::new(&map, 257 * slot).is_err(), "more than there is");
    let touched = blocks();
    let kernels = Arc::clone(&touched);
    let mut table = Table::<Key6>::new(Arc::new(ours), touched, shape, shape.sets6, 0);
    let counts = std::mem::offset_of!(Slot<Key6>, count);
    let set = |index: usize, sequence: u32, packets: u64| {
        let start = index * slot;
        kernel.word64(start + counts).unwrap().store(packets, std::sync::atomic::Ordering::Relaxed);
        kernel.word32(start).unwrap().store(sequence, std::sync::atomic::Ordering::Release);
        let block = index / BLOCK as usize * size_of::<Touched>();
        kernels.word32(block).unwrap().store(1, std::sync::atomic::Ordering::Release);
    };
    set(0, 2, 5);
    set(255, 4, 6);
    set(100, 3, 7);
    table.scan(Scan::All);
    let told = |table: &mut Table<Key6>| {
        std::iter::from_fn(|| table.next()).map(|told| told.count.packets).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut table), [5, 6], "not what is just taken");
    set(255, 4, 10);
    set(100, 4, 1);
    assert!(table.next().is_none(), "the scan is over");
    table.scan(Scan::All);
    assert_eq!(told(&mut table), [1, 4]);
}

/// A slot may be taken anew between the glance at its counters and the look at all of it. If the
/// newcomer, who has counted nothing, were remembered, its record would be waited for in vain.
#[test]
fn nothing_waits_for_the_record_of_a_flow_that_has_counted_nothing() {
    let shape = Shape { cpus: 1, rings: 1, sets4: 1, sets6: 1 };
    let size = 2 * size_of::<Slot<Key4>>();
    let slots = crate::capture::xdp::model::memory(size);
    let [kernel, ours] = [0, 1].map(|_| Mapping::new(&slots, size).unwrap());
    let mut table = Table::<Key4>::new(Arc::new(ours), blocks(), shape, shape.sets4, 0);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    kernel.word32(0).unwrap().store(4, relaxed);
    assert_eq!(table.look(0), None);
    kernel.word32(0).unwrap().store(6, relaxed);
    kernel.word64(std::mem::offset_of!(Slot<Key4>, count)).unwrap().store(3, relaxed);
    table.scan(Scan::All);
    assert_eq!(table.next().map(|told| told.count.packets), Some(3));
}

/// A table of one block, and the program that counts in it.
struct OneBlock {
    slots: Mapping,
    touched: Arc<Mapping>,
    table: Table<Key4>,
}

impl OneBlock {
    fn new() -> Self {
        let shape = Shape { cpus: 1, rings: 1, sets4: BLOCK as usize / 4, sets6: 1 };
        let size = BLOCK as usize * size_of::<Slot<Key4>>();
        let memory = crate::capture::xdp::model::memory(size);
        let [slots, ours] = [0, 1].map(|_| Mapping::new(&memory, size).unwrap());
        let touched = blocks();
        let table = Table::new(Arc::new(ours), Arc::clone(&touched), shape, shape.sets4, 0);
        Self { slots, touched, table }
    }

    fn word(&self, slot: usize, field: usize) -> &AtomicU64 {
        self.slots.word64(slot * size_of::<Slot<Key4>>() + field).unwrap()
    }

    /// A flow takes a slot; what the record tells that goes up before.
    fn take(&mut self, slot: usize) -> Option<Told<Key4>> {
        let sequence = self.slots.word32(slot * size_of::<Slot<Key4>>()).unwrap();
        let [packets, bytes] = [PACKETS, BYTES].map(|field| self.word(slot, field).load(Relaxed));
        let before = sequence.load(Relaxed);
        let record = Evicted::<Key4> {
            index: slot as u32,
            sequence: before,
            count: Count { packets, bytes, ..Count::default() },
            ..Evicted::default()
        };
        for field in [PACKETS, BYTES] {
            self.word(slot, field).store(0, Relaxed);
        }
        sequence.store(before + 2, Relaxed);
        if packets > 0 { self.table.evicted(&record).unwrap() } else { None }
    }

    fn count(&self, slot: usize, length: u64) {
        let before = self.word(slot, BYTES).fetch_add(length, Relaxed);
        self.word(slot, PACKETS).fetch_add(1, Relaxed);
        self.touched.word32(0).unwrap().store(1, Relaxed);
        if (before ^ (before + length)) >= MUCH {
            self.touched.word32(4).unwrap().store(1, Relaxed);
        }
    }

    /// Packets and bytes that a scan tells, a slot after the other.
    fn told(&mut self, scan: Scan) -> Vec<(u64, u64)> {
        self.table.scan(scan);
        let told = std::iter::from_fn(|| self.table.next());
        told.map(|told| (told.count.packets, told.count.bytes)).collect()
    }
}

/// A flow may have counted just what was told of the one before it in its slot, and nothing since:
/// the record of that one says that there is something to tell.
#[test]
fn a_flow_that_counted_as_much_as_the_one_before_is_told() {
    let mut block = OneBlock::new();
    block.take(0);
    block.count(0, 60);
    assert_eq!(block.told(Scan::All), [(1, 60)]);
    block.slots.word32(0).unwrap().store(4, Relaxed);
    block.touched.word32(0).unwrap().store(1, Relaxed);
    assert_eq!(block.told(Scan::All), [], "it looks as it did");
    let count = Count { packets: 1, bytes: 60, ..Count::default() };
    let record = Evicted::<Key4> { sequence: 2, count, ..Evicted::default() };
    assert_eq!(block.table.evicted(&record), Ok(None));
    assert_eq!(block.told(Scan::All), [(1, 60)]);
}

/// Fails when half a million flows of a few packets are told each second, when one that moves much
/// waits with them, or when what waits is forgotten.
#[test]
fn only_much_is_told_at_once_and_the_rest_by_a_scan_for_all() {
    let mut block = OneBlock::new();
    for slot in [3, 70] {
        block.take(slot);
        block.count(slot, 60);
    }
    assert_eq!(block.told(Scan::Much), []);
    block.count(70, MUCH);
    assert_eq!(block.told(Scan::Much), [(2, MUCH + 60)]);
    block.count(70, 100);
    assert_eq!(block.told(Scan::Much), []);
    assert_eq!(block.told(Scan::All), [(1, 60), (1, 100)]);
    assert_eq!(block.told(Scan::All), []);
    let told = [(); 8].map(|()| {
        block.count(3, MUCH / 4);
        block.told(Scan::Much).iter().map(|(packets, _)| packets).sum::<u64>()
    });
    assert_eq!(told, [0, 0, 0, 4, 0, 0, 0, 4], "when a multiple is passed, and all up to there");
}

/// Fails when what the kernel counts is asked for in vain: a look at each slot costs.
#[test]
fn a_block_where_nothing_was_counted_is_not_looked_at() {
    let mut block = OneBlock::new();
    block.take(9);
    block.count(9, MUCH);
    let [any, much] = [0, 4].map(|field| block.touched.word32(field).unwrap().swap(0, Relaxed));
    assert_eq!((any, much), (1, 1));
    assert_eq!(block.told(Scan::Much), []);
    assert_eq!(block.told(Scan::All), []);
}

proptest! {
    /// Whatever is told when, each packet and each byte is told once.
    #[test]
    fn no_scan_loses_what_it_leaves_out(
        steps in prop::collection::vec((0_u8..10, 0_usize..6, 60..3 * MUCH / 2), 0..200),
    ) {
        let mut block = OneBlock::new();
        for slot in 0..6 {
            block.take(slot);
        }
        let (mut sent, mut told) = ((0, 0), Vec::new());
        for (what, slot, length) in steps {
            match what {
                0 => told.extend(block.take(slot).map(|told| (told.count.packets, told.count.bytes))),
                1 => told.extend(block.told(Scan::All)),
                2 | 3 => told.extend(block.told(Scan::Much)),
                _ => {
                    block.count(slot, length);
                    sent = (sent.0 + 1, sent.1 + length);
                }
            }
        }
        told.extend(block.told(Scan::All));
        let sum = told.iter().fold((0, 0), |sum, told| (sum.0 + told.0, sum.1 + told.1));
        prop_assert_eq!(sum, sent);
    }
}
