use std::collections::HashSet;

use super::*;

#[test]
fn rings_share_the_table_out_and_each_knows_its_own() {
    let shape = Shape { cpus: 3, rings: 4, sets4: 5, sets6: 1 };
    let slots = Arc::new(Mapping::new(&crate::capture::xdp::model::memory(64), 64).unwrap());
    let mut seen = HashSet::new();
    for ring in 0..shape.rings {
        let table = Table::<egret_ebpf::Key4>::new(Arc::clone(&slots), shape, shape.sets4, ring);
        for place in 0..table.shadows.len() {
            let index = table.share.index(place);
            assert_eq!(table.share.place(index), Some(place));
            assert!(seen.insert(index), "{index} is two rings'");
            let (cpu, set) = (index / 40, index % 40 / 2);
            assert!(cpu < shape.cpus && set / shape.sets4 == ring);
        }
        let foreign = (0..120).filter(|index| table.share.place(*index).is_none()).count();
        assert_eq!(foreign, 90);
    }
    assert_eq!(seen.len(), 120);
}
