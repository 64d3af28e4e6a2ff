use super::super::tests::{at, record};
use super::*;
use crate::event::Traffic;

const GUEST: &str = "10.1.0.3";
const PEER: &str = "203.0.113.9";
const BY: Service = Service::Ipfix;

struct Taker(Sessions);

impl Taker {
    fn take(&mut self, record: &FlowRecord) -> Option<Part> {
        self.0.take(BY, record, [record.first, record.last], record.last)
    }
}

fn part(ends: [&str; 2], ports: [u16; 2], seconds: [u64; 2]) -> FlowRecord {
    let [first, last] = seconds.map(at);
    FlowRecord { first, last, ..record(ends[0], ends[1], ports) }
}

fn ends(part: &Part) -> [String; 2] {
    [part.flow.client, part.flow.server].map(|end| end.address.to_string())
}

#[test]
fn both_directions_and_all_parts_are_one_conversation() {
    let mut taker = Taker(Sessions::new());
    let there = taker.take(&part([GUEST, PEER], [50_000, 443], [0, 60])).unwrap();
    let back = taker.take(&part([PEER, GUEST], [443, 50_000], [1, 60])).unwrap();
    let more = taker.take(&part([GUEST, PEER], [50_000, 443], [60, 120])).unwrap();
    assert!(there.opens && !back.opens && !more.opens);
    assert_eq!([there.flow.id; 2], [back.flow.id, more.flow.id]);
    assert!(there.flow.id < 1 << 51);
    assert!(there.is_from_client && !back.is_from_client && more.is_from_client);
    let later = taker.take(&part([GUEST, PEER], [50_000, 443], [1100, 1160])).unwrap();
    assert!(later.opens && later.flow.id != there.flow.id, "the port was used again");
}

/// Fails when the exporter's order decides who opened a conversation between two odd ports.
#[test]
fn whose_packets_came_first_opened_it_whichever_direction_is_told_first() {
    for turned in [false, true] {
        let mut taker = Taker(Sessions::new());
        let mut both = [
            part([GUEST, PEER], [50_000, 50_001], [5, 60]),
            part([PEER, GUEST], [50_001, 50_000], [6, 60]),
        ];
        if turned {
            both.reverse();
        }
        assert!(!taker.take(&both[0]).unwrap().opens, "it could have been the other");
        let second = taker.take(&both[1]).unwrap();
        assert!(second.opens);
        assert_eq!(ends(&second), [GUEST, PEER]);
        assert_eq!(second.flow.opened, at(5));
        assert!(taker.0.due(at(100_000)).is_none(), "told once");
    }
}

#[test]
fn what_stays_one_way_is_told_after_a_while_or_with_its_second_part() {
    let mut taker = Taker(Sessions::new());
    taker.take(&part([GUEST, PEER], [50_000, 50_001], [5, 60]));
    assert!(taker.0.due(at(179)).is_none());
    let (flow, by) = taker.0.due(at(180)).unwrap();
    assert_eq!((flow.client.port, by), (50_000, BY));
    assert!(taker.0.due(at(180)).is_none());

    taker.take(&part([GUEST, PEER], [50_002, 50_001], [200, 260]));
    assert!(taker.take(&part([GUEST, PEER], [50_002, 50_001], [260, 320])).unwrap().opens);
    let both = FlowRecord {
        received: Some(Traffic::default()),
        ..part([GUEST, PEER], [50_003, 50_001], [0, 60])
    };
    assert!(taker.take(&both).unwrap().opens, "a record of both directions waits for none");
}

#[test]
fn the_same_record_again_is_none_and_single_packets_may_be_alike() {
    let mut taker = Taker(Sessions::new());
    let flow = part([GUEST, PEER], [50_000, 443], [0, 60]);
    assert!(taker.take(&flow).is_some() && taker.take(&flow).is_none());
    let packet = part([GUEST, PEER], [50_000, 443], [61, 61]);
    assert!(taker.take(&packet).is_some() && taker.take(&packet).is_some());
}

#[test]
fn the_end_of_what_a_log_saw_begin_counts_since_then() {
    let mut taker = Taker(Sessions::new());
    let [client, server] = [(GUEST, 50_000), (PEER, 443)].map(|(a, p)| (a.parse().unwrap(), p));
    let said = Conversation { client, server, protocol: 6, bytes: None, is_blocked: false };
    taker.0.begin(Service::Nsx, &said, at(0));
    let end = taker.take(&part([GUEST, PEER], [50_000, 443], [1800, 1800])).unwrap();
    assert!(!end.opens && end.first == at(0));
    let unseen = taker.take(&part([GUEST, PEER], [50_001, 443], [1800, 1800])).unwrap();
    assert_eq!(unseen.first, at(1800));
}

#[test]
fn a_flood_of_ends_is_bounded() {
    let mut taker = Taker(Sessions::new());
    for n in 0..200_000u32 {
        let from = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
        taker.take(&part([&from, PEER], [50_000, 50_001], [0, 60]));
    }
    assert_eq!(taker.0.open.len(), MAX_OPEN);
}
