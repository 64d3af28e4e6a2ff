use std::collections::HashSet;

use super::*;

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
    use egret_ebpf::{Key6, Slot};

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
        let block = index / BLOCK as usize * size_of::<u64>();
        kernels.word64(block).unwrap().store(1, std::sync::atomic::Ordering::Release);
    };
    set(0, 2, 5);
    set(255, 4, 6);
    set(100, 3, 7);
    table.scan();
    let told = |table: &mut Table<Key6>| {
        std::iter::from_fn(|| table.next()).map(|told| told.count.packets).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut table), [5, 6], "not what is just taken");
    set(255, 4, 10);
    set(100, 4, 1);
    assert!(table.next().is_none(), "the scan is over");
    table.scan();
    assert_eq!(told(&mut table), [1, 4]);
}

/// A slot may be taken anew between the glance at its counters and the look at all of it. If the
/// newcomer, who has counted nothing, were remembered, its record would be waited for in vain.
#[test]
fn nothing_waits_for_the_record_of_a_flow_that_has_counted_nothing() {
    use egret_ebpf::{Key4, Slot};

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
    table.scan();
    assert_eq!(table.next().map(|told| told.count.packets), Some(3));
}

/// A flow may have counted just what was told of the one before it in its slot, and nothing since:
/// the record of that one says that there is something to tell.
#[test]
fn a_flow_that_counted_as_much_as_the_one_before_is_told() {
    use egret_ebpf::{Key4, Slot};

    let shape = Shape { cpus: 1, rings: 1, sets4: 32, sets6: 1 };
    let size = BLOCK as usize * size_of::<Slot<Key4>>();
    let slots = crate::capture::xdp::model::memory(size);
    let [kernel, ours] = [0, 1].map(|_| Mapping::new(&slots, size).unwrap());
    let touched = blocks();
    let kernels = Arc::clone(&touched);
    let mut table = Table::<Key4>::new(Arc::new(ours), touched, shape, shape.sets4, 0);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    let take = |sequence| {
        kernel.word32(0).unwrap().store(sequence, relaxed);
        kernel.word64(std::mem::offset_of!(Slot<Key4>, count)).unwrap().store(3, relaxed);
        kernels.word64(0).unwrap().store(1, relaxed);
    };
    let told = |table: &mut Table<Key4>| {
        table.scan();
        std::iter::from_fn(|| table.next()).map(|told| told.count.packets).sum::<u64>()
    };
    take(2);
    assert_eq!(told(&mut table), 3);
    take(4);
    assert_eq!(told(&mut table), 0, "it looks as it did");
    let count = Count { packets: 3, ..Count::default() };
    let record = Evicted::<Key4> { sequence: 2, count, ..Evicted::default() };
    assert_eq!(table.evicted(&record), Ok(None));
    assert_eq!(told(&mut table), 3);
}
