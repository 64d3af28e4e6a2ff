use super::super::length::VIRTIO;
use super::*;

/// A block with one frame for each item: its bytes, its length, its VLAN tag if it has one.
fn block(frames: &[(&[u8], u32, Option<u32>)]) -> Vec<u8> {
    let mut block = vec![0; 48];
    block[FRAMES..FRAMES + 4].copy_from_slice(&(frames.len() as u32).to_ne_bytes());
    block[FIRST..FIRST + 4].copy_from_slice(&48_u32.to_ne_bytes());
    for (n, (bytes, length, tag)) in frames.iter().enumerate() {
        let mac = size_of::<Header>() + 20 + VIRTIO;
        let whole = (mac + bytes.len()).next_multiple_of(16);
        let header = Header {
            next: if n + 1 == frames.len() { 0 } else { whole as u32 },
            seconds: 1,
            nanoseconds: n as u32,
            captured: bytes.len() as u32,
            length: *length,
            status: libc::TP_STATUS_USER | tag.map_or(0, |_| libc::TP_STATUS_VLAN_VALID),
            mac: mac as u16,
            network: 0,
            hash: 0,
            vlan_tci: tag.unwrap_or(0),
            vlan_tpid: 0x8100,
            padding: 0,
        };
        let end = block.len() + whole;
        block.extend_from_slice(bytemuck::bytes_of(&header));
        block.resize(block.len() + 20 + VIRTIO, 0);
        block.extend_from_slice(bytes);
        block.resize(end, 0);
    }
    block
}

fn walked(block: &[u8]) -> (Vec<Frame<'_>>, Walk) {
    let mut walk = Walk::new(block);
    let frames = std::iter::from_fn(|| walk.next(block, LinkType::ETHERNET)).collect();
    (frames, walk)
}

#[test]
fn all_frames_come_with_time_length_and_tag() {
    let block = block(&[
        (&[1; 60], 60, None),
        (&[2; 60], 1500, Some(0xe02b)),
        (&[], 0, Some(0)),
        (&[3; 61], 61, None),
    ]);
    let (frames, mut walk) = walked(&block);
    let seen: Vec<_> = frames
        .iter()
        .map(|frame| (frame.time.as_nanos() % 1000, frame.bytes.len(), frame.wire_len, frame.vlan))
        .collect();
    assert_eq!(
        seen,
        [(0, 60, 60, None), (1, 60, 1504, Some(43)), (2, 0, 4, Some(0)), (3, 61, 61, None)]
    );
    assert!(walk.is_over());
    assert_eq!((walk.take_cut(), walk.take_cut(), walk.take_lost()), (1, 0, 0));
}

#[test]
fn numbers_that_make_no_sense_end_the_block_and_are_counted() {
    let good = block(&[(&[1; 60], 60, None), (&[2; 60], 60, None), (&[3; 60], 60, None)]);
    // Where the second frame's header is, and what a wrong word there does to it and the third.
    let second = 48 + (size_of::<Header>() + 20 + VIRTIO + 60).next_multiple_of(16);
    for (at, value, read, lost) in [
        (second, 0, 2, 1),
        (second, 8, 2, 1),
        (second, u32::MAX, 2, 1),
        (second + 12, u32::MAX, 1, 2),
        (second + 12, 1 << 20, 1, 2),
        (second + 24, 0x0005, 1, 2),
        (second + 24, 0xffff, 1, 2),
        (FIRST, u32::MAX, 0, 3),
        (FRAMES, 4, 3, 1),
        (FRAMES, u32::MAX, 3, u64::from(u32::MAX) - 3),
        (FRAMES, 0, 0, 0),
    ] {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        let (frames, mut walk) = walked(&bad);
        assert_eq!((frames.len(), walk.take_lost()), (read, lost), "{at} {value:#x}");
        assert!(walk.is_over());
    }
}

#[test]
fn no_block_makes_it_panic() {
    let good = block(&[(&[1; 60], 60, Some(7)), (&[2; 90], 1500, None)]);
    for end in 0..good.len() {
        walked(&good[..end]);
    }
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            let (frames, _) = walked(&bad);
            assert!(frames.iter().all(|frame| frame.wire_len as usize >= frame.bytes.len()));
        }
    }
}
