use super::*;
use crate::intake::flows::counts::Protocol;

const TIME: Timestamp = Timestamp::from_parts(1_795_000_000, 0);

fn told() -> Told {
    let (protocol, peer) = (Protocol::Ipfix, [10, 0, 0, 1].into());
    Told { protocol, peer, stated: Some(TIME), time: TIME, uptime: None }
}

/// A record with two addresses and these fields.
fn finish(fields: &[(Element, &[u8])]) -> Option<FlowRecord> {
    let ends = [(Element::Source, &[10, 0, 0, 1][..]), (Element::Destination, &[10, 0, 0, 2])];
    let mut draft = Draft::default();
    for (element, bytes) in ends.iter().chain(fields) {
        draft.read(*element, bytes);
    }
    draft.finish(&told(), None, None)
}

fn seconds_ago(fields: &[(Element, &[u8])]) -> [u64; 2] {
    let record = finish(&[&[(Element::Octets, &[1][..])], fields].concat()).unwrap();
    [record.first, record.last].map(|time| TIME.since(time).as_secs())
}

#[test]
fn times_have_many_forms() {
    let seconds = 1_794_999_990_u32.to_be_bytes();
    assert_eq!(seconds_ago(&[(Element::FirstSeconds, &seconds)]), [10, 0]);
    assert_eq!(seconds_ago(&[(Element::LastSeconds, &seconds)]), [10, 10]);
    let half = ((1_794_999_990 + NTP) << 32 | 1 << 31).to_be_bytes();
    assert_eq!(seconds_ago(&[(Element::FirstNanos, &half), (Element::LastMicros, &half)]), [9, 9]);
    assert_eq!(ntp(&half), Some(Timestamp::from_parts(1_794_999_990, 500_000_000)));
    assert_eq!(ntp(&[0, 0, 0, 1, 0, 0, 0, 0]).unwrap().as_secs(), (1 << 32) - NTP + 1, "in 2036");
    let ago = 4_000_000_u32.to_be_bytes();
    assert_eq!(seconds_ago(&[(Element::FirstMicrosAgo, &ago)]), [4, 0]);
    let long = 7000_u32.to_be_bytes();
    assert_eq!(
        seconds_ago(&[(Element::DurationMillis, &long), (Element::LastMicrosAgo, &ago)]),
        [11, 4]
    );
    assert_eq!(
        seconds_ago(&[(Element::DurationMillis, &long), (Element::FirstSeconds, &seconds)]),
        [10, 3]
    );
    assert_eq!(seconds_ago(&[]), [0, 0]);
}

#[test]
fn the_best_counters_count() {
    let both =
        [(Element::TotalOctets, &[9][..]), (Element::PostOctets, &[7]), (Element::Octets, &[5])];
    assert_eq!(finish(&both).unwrap().sent.bytes, 5);
    assert_eq!(finish(&both[..2]).unwrap().sent.bytes, 9);
    assert_eq!(finish(&both[1..2]).unwrap().sent.bytes, 7);
    let firewall = [(Element::InitiatorOctets, &[5][..]), (Element::ResponderOctets, &[6])];
    let record = finish(&firewall).unwrap();
    assert_eq!((record.sent.bytes, record.received.unwrap().bytes), (5, 6));
    assert_eq!(record.is_forward, Some(true), "they are named by who opened it");
    assert_eq!(finish(&[]), None, "nothing is counted");
}

#[test]
fn what_was_let_through_is_told_from_what_was_not() {
    let blocked = |field| finish(&[field]).map(|record| record.is_blocked);
    assert_eq!(blocked((Element::FirewallEvent, &[3])), Some(true));
    assert_eq!(blocked((Element::FirewallEvent, &[2])), None);
    assert_eq!(blocked((Element::ForwardingStatus, &[0x82])), Some(true));
    assert_eq!(blocked((Element::ForwardingStatus, &[0, 0, 0, 0x82])), Some(true));
    assert_eq!(blocked((Element::ForwardingStatus, &[0x40])), None);
}

#[test]
fn templates_for_both_versions_fill_one_with_zeros() {
    let six = "fd00::1".parse::<Ipv6Addr>().unwrap().octets();
    let mut place = None;
    for bytes in [&[0; 4][..], &six, &[0; 4], &[1; 5], &[0; 16]] {
        put(&mut place, bytes);
    }
    assert_eq!(place, "fd00::1".parse().ok());
    let mut place = None;
    put(&mut place, &[10, 0, 0, 1]);
    put(&mut place, &[0; 16]);
    assert_eq!(place, "10.0.0.1".parse().ok());
}

#[test]
fn ports_and_flags_are_those_of_protocols_that_have_them() {
    let ports = [(Element::SourcePort, &[0, 0][..]), (Element::DestinationPort, &[8, 0])];
    let of = |number: u8| {
        let fields = [
            (Element::Protocol, &[number][..]),
            (Element::TcpFlags, &[0, 2]),
            (Element::Octets, &[1]),
        ];
        let record = finish(&[&ports[..], &fields].concat()).unwrap();
        (record.to.1, record.tcp_flags)
    };
    assert_eq!([1, 58, 6, 17].map(of), [(0, None), (0, None), (2048, Some(2)), (2048, None)]);
}
