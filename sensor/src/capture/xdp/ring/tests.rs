use proptest::prelude::*;

use super::*;
use crate::capture::xdp::model::{self, Writer};

const SIZE: usize = 4096;

fn ends(start: u64) -> (Writer, Ring) {
    let writer = Writer::new(SIZE, start);
    let ring = Ring::map(writer.descriptor(), SIZE).unwrap();
    (writer, ring)
}

fn all(ring: &mut Ring) -> Vec<Vec<u8>> {
    let mut records = ring.records();
    std::iter::from_fn(|| records.next().unwrap().map(<[u8]>::to_vec)).collect()
}

#[test]
fn a_record_that_is_still_written_holds_up_those_behind_it() {
    let (mut writer, mut ring) = ends(0);
    assert!(ring.is_empty());
    assert!(writer.push(b"first"));
    let busy = writer.reserve(6).unwrap();
    assert!(writer.push(b"third"));
    assert_eq!(all(&mut ring), [b"first"]);
    assert!(!ring.is_empty() && all(&mut ring).is_empty());
    writer.submit(busy, b"second");
    assert_eq!(all(&mut ring), [&b"second"[..], b"third"]);
    assert!(ring.is_empty());
}

#[test]
fn a_discarded_record_is_passed_over() {
    let (mut writer, mut ring) = ends(0);
    let at = writer.reserve(100).unwrap();
    writer.header(at, 100 | DISCARDED);
    assert!(writer.push(b"next"));
    assert_eq!(all(&mut ring), [b"next"]);
}

#[test]
fn space_is_given_back_with_the_next_look_and_not_before() {
    let (mut writer, mut ring) = ends(0);
    assert!(writer.push(&[7; 4000]));
    assert!(!writer.push(&[8; 100]));
    assert_eq!(all(&mut ring).len(), 1);
    assert!(!writer.push(&[8; 100]), "its bytes may still be borrowed");
    assert!(all(&mut ring).is_empty());
    assert!(writer.push(&[8; 100]));
    assert_eq!(all(&mut ring), [vec![8; 100]]);
}

#[test]
fn a_length_that_cannot_be_costs_what_is_there_and_no_more() {
    for length in [17, SIZE as u32, DISCARDED - 1, (DISCARDED - 1) | DISCARDED] {
        let (mut writer, mut ring) = ends(0);
        let at = writer.reserve(8).unwrap();
        writer.header(at, length);
        assert_eq!(ring.records().next(), Err(Damaged), "{length}");
        assert!(ring.is_empty());
        assert!(writer.push(b"later"));
        assert_eq!(all(&mut ring), [b"later"]);
    }
}

#[test]
fn a_ring_is_mapped_by_its_own_size_only() {
    assert!(Ring::map(Writer::new(SIZE, 0).descriptor(), SIZE + 8).is_err());
    assert!(Ring::map(Writer::new(SIZE, 0).descriptor(), 0).is_err());
}

/// What the kernel lets be mapped is stricter than what a file does.
#[test]
fn the_kernels_own_ring_is_mapped_and_empty() {
    const RING: u32 = 27;
    match model::map(RING, 0, 0, 1 << 16, 0) {
        Err(error) => egret_tests::skip(format!("no BPF map can be made: {error}")),
        Ok(map) => {
            let mut ring = Ring::map(map, 1 << 16).unwrap();
            assert!(ring.is_empty() && all(&mut ring).is_empty());
        }
    }
}

proptest! {
    /// Records come out whole and in order, also across the end of the data and of the positions.
    #[test]
    fn what_goes_in_comes_out(
        lengths in prop::collection::vec((0..1500_usize, any::<bool>(), any::<bool>()), 1..200),
        start in prop_oneof![Just(0), Just((1 << 32) - 512), Just((1 << 48) + 1032)],
    ) {
        let (mut writer, mut ring) = ends(start);
        let (mut sent, mut read) = (Vec::new(), Vec::new());
        for (number, (length, discarded, look)) in lengths.into_iter().enumerate() {
            let record: Vec<u8> = (0..length).map(|at| (at + number) as u8).collect();
            if discarded {
                if let Some(at) = writer.reserve(length) {
                    writer.header(at, length as u32 | DISCARDED);
                }
            } else if writer.push(&record) {
                sent.push(record);
            }
            if look {
                read.extend(all(&mut ring));
            }
        }
        read.extend(all(&mut ring));
        prop_assert_eq!(sent, read);
    }
}
