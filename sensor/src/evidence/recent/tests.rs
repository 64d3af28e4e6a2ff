use proptest::prelude::*;

use super::*;

fn frame(time: u64, bytes: &[u8]) -> Frame<'_> {
    Frame {
        time: Timestamp::from_nanos(time),
        wire_len: bytes.len() as u32,
        link: LinkType::ETHERNET,
        vlan: None,
        mark: None,
        bytes,
    }
}

fn whole(recent: &mut Recent, flow: u64, frame: &Frame<'_>) -> usize {
    recent.put(flow, frame, usize::from(MAX_BYTES))
}

#[test]
fn a_conversation_is_found_among_others_in_its_order_and_byte_for_byte() {
    let mut recent = Recent::new(0);
    for number in 0..6_u8 {
        let bytes = vec![number; 60 + usize::from(number)];
        let mut frame = frame(u64::from(number), &bytes);
        frame.wire_len = 9000;
        whole(&mut recent, u64::from(number % 2), &frame);
    }
    let found = recent.find(1);
    let told: Vec<_> = found.iter().map(|one| (one.time.as_nanos(), one.bytes.clone())).collect();
    assert_eq!(told, [1, 3, 5].map(|n: u8| (u64::from(n), vec![n; 60 + usize::from(n)])));
    assert!(found.iter().all(|one| one.wire_len == 9000 && one.interface.is_none()));
    assert!(recent.find(2).is_empty());
}

#[test]
fn a_frame_is_cut_to_the_room_there_is_and_to_the_snap_length() {
    let mut recent = Recent::new(0);
    let bytes = vec![7; 9000];
    assert_eq!(recent.put(1, &frame(1, &bytes), 100), 100);
    assert_eq!(whole(&mut recent, 1, &frame(2, &bytes)), SNAP);
    let found = recent.find(1);
    let lens: Vec<_> = found.iter().map(|one| (one.bytes.len(), one.wire_len)).collect();
    assert_eq!(lens, [(100, 9000), (SNAP, 9000)]);
}

#[test]
fn the_tag_that_the_kernel_took_out_is_put_back_where_ethernet_has_it() {
    let mut recent = Recent::new(0);
    let bytes: Vec<u8> = (0..60).collect();
    let tagged = Frame { vlan: Some(0x123), wire_len: 64, ..frame(1, &bytes) };
    recent.set_interface(Some(3));
    recent.put(1, &tagged, 1000);
    whole(&mut recent, 2, &Frame { link: LinkType::RAW, ..tagged });
    let found = recent.find(1);
    let with_tag = [&bytes[..12], &[0x81, 0, 0x01, 0x23], &bytes[12..]].concat();
    assert_eq!((&found[0].bytes, found[0].wire_len), (&with_tag, 64));
    assert_eq!(found[0].interface, Some(3));
    assert_eq!(recent.find(2)[0].bytes, bytes);
}

#[test]
fn memory_tells_how_far_it_reaches_back() {
    let mut recent = Recent::new(0);
    assert_eq!(recent.since(), None);
    let bytes = [0; 1500];
    for time in 1..=1000 {
        whole(&mut recent, time, &frame(time, &bytes));
    }
    let since = recent.since().unwrap().as_nanos();
    assert!((900..1000).contains(&since), "{since}");
    assert!(recent.find(since - 1).is_empty() && recent.find(since).len() == 1);
}

#[test]
fn it_is_hurried_while_memory_reaches_back_less_than_ten_seconds() {
    let mut recent = Recent::new(0);
    let bytes = [0; 1000];
    let mut put = |count: u64, millis: &mut u64, apart: u64| {
        for _ in 0..count {
            *millis += apart;
            whole(&mut recent, 1, &frame(*millis * 1_000_000, &bytes));
        }
        recent.is_hurried()
    };
    // Some 126 frames fill it; each a millisecond apart are an eighth of a second.
    let mut millis = 1_000_000;
    assert!(!put(100, &mut millis, 1), "it is not full yet");
    assert!(put(200, &mut millis, 1));
    assert!(!put(200, &mut millis, 100), "12 s a lap");
}

#[test]
fn a_search_that_is_overtaken_goes_on_with_what_is_there() {
    let mut recent = Recent::new(4 * PAGE as u64);
    let bytes = [1; 1000];
    let fill = |recent: &mut Recent, flow| {
        for time in 0..70 {
            whole(recent, flow, &frame(time, &bytes));
        }
    };
    (0..4).for_each(|flow| fill(&mut recent, flow));
    let mut search = recent.search(9);
    assert!(!recent.go_on(&mut search, 1));
    (4..10).for_each(|flow| fill(&mut recent, flow));
    while !recent.go_on(&mut search, 1) {}
    let found = search.found();
    assert_eq!(found.first(), recent.find(9).first());
    assert!(found.len() >= 3);
}

proptest! {
    /// What is found is what was put, as far as memory reaches: the latest of all in unbroken order.
    #[test]
    fn what_is_found_is_what_was_put(
        frames in prop::collection::vec((0_u64..4, 0_usize..2000, any::<u8>()), 0..600),
    ) {
        let mut recent = Recent::new(0);
        let capacity = recent.bytes.len();
        let mut put: Vec<(u64, u64, Vec<u8>)> = Vec::new();
        for (number, (flow, len, fill)) in frames.iter().enumerate() {
            let bytes = vec![*fill; *len];
            let time = number as u64;
            let kept = whole(&mut recent, *flow, &frame(time, &bytes));
            prop_assert_eq!(kept, (*len).min(SNAP));
            put.push((time, *flow, bytes[..kept].to_vec()));
        }
        prop_assert_eq!(recent.bytes.len(), capacity);
        let all = (recent.oldest()..recent.begun).flat_map(|page| recent.records(page));
        let all: Vec<_> = all.map(|(header, bytes)| (header.time, header.flow, bytes.to_vec())).collect();
        let lost = put.len() - all.len();
        prop_assert_eq!(&put[lost..], &all[..]);
        // All but what one page being overwritten costs is there.
        let room: usize = all.iter().map(|(_, _, bytes)| bytes.len() + HEADER).sum();
        prop_assert!(lost == 0 || room + SNAP + HEADER >= capacity - PAGE - SNAP - HEADER);
        for flow in 0..4 {
            let of_flow: Vec<_> = all.iter().filter(|one| one.1 == flow).map(|one| one.2.clone()).collect();
            let found: Vec<_> = recent.find(flow).into_iter().map(|one| one.bytes).collect();
            prop_assert!(of_flow.starts_with(&found));
            let bytes: usize = found.iter().map(Vec::len).sum();
            let is_full = found.len() >= usize::from(MAX_PACKETS) || bytes >= usize::from(MAX_BYTES);
            prop_assert!(is_full || found.len() == of_flow.len());
        }
    }
}
