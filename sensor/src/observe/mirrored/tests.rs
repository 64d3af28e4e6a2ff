use std::time::Duration;

use super::*;

fn pair(number: u32) -> Pair {
    Pair {
        kind: Some(TunnelKind::Vxlan),
        id: Some(number),
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
        port: Some(4789),
        interface: None,
    }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_parts(1_000_000_000, 0).plus(Duration::from_millis(millis))
}

fn told(pairs: &mut Pairs) -> Vec<(Option<u32>, u64)> {
    let news = pairs.news().into_iter().flatten();
    news.map(|mirrored| (mirrored.id, mirrored.traffic.packets)).collect()
}

#[test]
fn where_there_is_no_room_the_quietest_are_told_of_first() {
    let mut pairs = Pairs::default();
    for number in 0..1024 {
        pairs.add(pair(number), &Added::packet(at(u64::from(number)), 100));
        pairs.add(pair(number), &Added::packet(at(u64::from(number)), 100));
    }
    pairs.add(pair(0), &Added::packet(at(2000), 100));
    assert_eq!(told(&mut pairs).len(), 1024, "each at once");
    pairs.add(pair(5000), &Added::packet(at(2001), 100));
    let told = told(&mut pairs);
    assert_eq!(told.len(), 65);
    assert_eq!((told[0], told[63], told[64]), ((Some(1), 1), (Some(64), 1), (Some(5000), 1)));
    assert_eq!(pairs.in_all().len(), 1024 - 64 + 1);
}

#[test]
fn a_flood_of_pairs_is_bounded() {
    let mut pairs = Pairs::default();
    for number in 0..20_000 {
        pairs.add(pair(number), &Added::packet(at(1), 100));
    }
    assert_eq!(told(&mut pairs).len(), 4096);
    assert!(pairs.in_all().len() <= 1024);
    // The next 10 s have room again.
    pairs.add(pair(30_000), &Added::packet(at(20_000), 100));
    assert!(told(&mut pairs).contains(&(Some(30_000), 1)));
}

#[test]
fn a_packet_that_was_only_wrapped_before_is_no_copy_of_a_bare_one() {
    let mut pairs = Pairs::default();
    let place = pairs.add(pair(1), &Added::packet(at(0), 100));
    let mut copies = Copies::default();
    assert!(copies.is_of_bare(7, at(0)), "somebody else than a tunnel was it");
    copies.wrapped(7, at(0), place, false);
    assert!(!copies.is_of_bare(7, at(0)));
    assert_eq!(copies.bare(7, at(1)), Some(place));
    assert_eq!(copies.bare(7, at(1)), None, "once");
    assert!(copies.is_of_bare(7, at(1)));
    assert_eq!(copies.bare(8, at(1)), None);
}
