//! What real exporters sent of the same twenty conversations: ten of UDP datagrams of 128 bytes from
//! `10.0.0.1` to `10.0.0.10`, and ten of TCP segments of 340 bytes to them.
//!
//! Each file is a datagram after the other with its length in front: they are seeds of the fuzz target,
//! too. softflowd lost some packets in its own capture, and says so by its counts.

use std::collections::BTreeMap;

use super::*;

macro_rules! exported {
    ($name:literal) => {
        include_bytes!(concat!(
            concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/flows/"),
            $name
        ))
    };
}

/// When they were exported.
const EXPORTED: u64 = 1_795_355_500;

type Conversation = ((IpAddr, u16), (IpAddr, u16), u8);

/// Packets of each conversation, and the reader.
fn told(datagrams: &[u8]) -> (BTreeMap<Conversation, Traffic>, Vec<Report>, Reader) {
    let (mut reader, mut reports, mut rest) = (Reader::default(), Vec::new(), datagrams);
    while let Some((length, more)) = rest.split_first_chunk() {
        let (datagram, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
        rest = more;
        reader.read(Timestamp::from_parts(EXPORTED, 0), PEER, datagram, &mut reports);
    }
    let mut told = BTreeMap::new();
    for record in records(&reports) {
        let moved: &mut Traffic =
            told.entry((record.from, record.to, record.protocol)).or_default();
        moved.packets += record.sent.packets;
        moved.bytes += record.sent.bytes;
    }
    (told, reports, reader)
}

/// Fails unless each conversation moved so many packets, and nothing was refused or lost.
fn assert_told(datagrams: &[u8], protocol: Protocol, packets: u64) -> Vec<Report> {
    let (told, reports, reader) = told(datagrams);
    let counts = reader.counts();
    assert!(Refusal::ALL.iter().all(|reason| counts.refused(*reason) == 0), "{counts:?}");
    assert_eq!((counts.lost(protocol), counts.restarts), (0, 0));
    assert_eq!(told.len(), 20, "{told:?}");
    for number in 0..10_u8 {
        let host = |port| (IpAddr::from([10, 0, 0, number + 1]), port + u16::from(number));
        let server = |port| (IpAddr::from([203, 0, 113, 9]), port);
        let of = |key: Conversation| told.get(&key).map(|moved| (moved.packets, moved.bytes));
        let (asked, answered) = (host(40_000), server(53 + u16::from(number)));
        assert_eq!(of((asked, answered, 17)), Some((packets, 128 * packets)), "{number}: {told:?}");
        let down = (server(443), host(50_000), 6);
        assert_eq!(of(down), Some((packets, 340 * packets)), "{number}: {told:?}");
    }
    for record in records(&reports) {
        assert!(record.one_in.is_none() && record.first <= record.last, "{record:?}");
    }
    reports
}

#[test]
fn softflowd_is_understood() {
    for (datagrams, protocol) in [
        (&exported!("softflowd-netflow5")[..], Protocol::NetFlow5),
        (exported!("softflowd-netflow9"), Protocol::NetFlow9),
        (exported!("softflowd-ipfix"), Protocol::Ipfix),
    ] {
        let packets = records(&told(datagrams).1)[0].sent.packets;
        let reports = assert_told(datagrams, protocol, packets);
        // It says when it started, or how long it runs.
        let span = |record: &&FlowRecord| record.last.since(record.first);
        let longest = records(&reports).iter().map(span).max().unwrap();
        assert!(longest > Duration::from_millis(10) && longest < Duration::from_secs(1));
    }
}

#[test]
fn pmacct_is_understood() {
    assert_told(exported!("pmacctd-ipfix"), Protocol::Ipfix, 100);
    assert_told(exported!("pmacctd-netflow9"), Protocol::NetFlow9, 100);
    assert_told(exported!("pmacctd-sflow"), Protocol::SFlow, 3);
}

#[test]
fn open_vswitch_is_understood() {
    // It counts each packet where it comes in, and again where it leaves.
    assert_told(exported!("openvswitch-ipfix"), Protocol::Ipfix, 3);
    let (_, reports, reader) = told(exported!("openvswitch-ipfix"));
    let copies = reader.counts().records(Protocol::Ipfix, Outcome::Copy);
    assert_eq!((reports.len(), copies), (20, 20));
    assert_told(exported!("openvswitch-sflow"), Protocol::SFlow, 3);
}
