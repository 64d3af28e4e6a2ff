//! sFlow.

use super::made::{expanded_sample, header, part, sample, sflow, words_of};
use super::*;

/// The first 54 bytes of a TCP segment in Ethernet, of so many bytes of IP.
fn segment(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [
        &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..],
        &[0x45, 0, high, low, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 203, 0, 113, 9],
        &[0xc0, 0, 1, 187, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 16, 0, 0, 0, 0, 0],
    ]
    .concat()
}

#[test]
fn sampled_packets_are_read_by_their_headers() {
    let mut reader = Reader::default();
    let packet = header(1518, &segment(1500));
    // A switch's ports and a counter of an interface are passed over.
    let switch = part(1001, &[0; 16]);
    let samples =
        [sample(400, &[switch, packet.clone()]), part(2, &[0; 88]), expanded_sample(1, &[packet])];
    let reports = read(&mut reader, &[sflow(1, &samples)]);
    let [first, second] = records(&reports)[..] else { panic!("{reports:?}") };
    assert_eq!((reports[0].time, reports[0].stated), (at(100), None));
    assert_eq!(
        (first.from, first.to),
        (([10, 0, 0, 1].into(), 49_152), ([203, 0, 113, 9].into(), 443))
    );
    assert_eq!(first.sent, Traffic { packets: 1, bytes: 1500 });
    assert_eq!((first.protocol, first.tcp_flags), (6, Some(0x18)));
    assert_eq!((first.one_in, second.one_in), (Some(400.0), None));
    assert_eq!(reader.counts().records(Protocol::SFlow, Outcome::Irrelevant), 1);
}

#[test]
fn addresses_count_where_no_header_is_told_and_each_packet_once() {
    let v4 = part(3, &words_of(&[900, 6, 0x0a00_0001, 0x0a00_0002, 40_000, 22, 2, 0]));
    let ends = [[0xfd00_0000, 0, 0, 1], [0xfd00_0000, 0, 0, 2]].concat();
    let v6 = part(4, &words_of(&[&[800, 17][..], &ends, &[53, 53, 0, 0]].concat()));
    let both = sample(2, &[header(1518, &segment(1500)), v4.clone()]);
    let reports =
        read(&mut Reader::default(), &[sflow(1, &[sample(2, &[v4]), sample(2, &[v6]), both])]);
    assert_eq!(bytes(&reports), [900, 800, 1500]);
    let of: Vec<_> =
        records(&reports).iter().map(|record| (record.protocol, record.tcp_flags)).collect();
    assert_eq!(of, [(6, Some(2)), (17, None), (6, Some(0x18))]);
    assert_eq!(records(&reports)[1].to, ("fd00::2".parse().unwrap(), 53));
}

#[test]
fn what_is_no_conversation_is_irrelevant() {
    let mut reader = Reader::default();
    let arp = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 2, 8, 6], &[0; 28]].concat();
    let samples = [sample(1, &[header(60, &arp)]), sample(1, &[]), sample(1, &[part(1, &[0; 16])])];
    assert!(read(&mut reader, &[sflow(1, &samples)]).is_empty());
    assert_eq!(reader.counts().records(Protocol::SFlow, Outcome::Irrelevant), 3);
}

#[test]
fn lengths_and_numbers_that_cannot_be_end_it() {
    let mut reader = Reader::default();
    let mut long = sflow(1, &[sample(1, &[header(60, &segment(40))])]);
    // So many samples, and a header that claims 4 GB.
    long[24..28].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut claims = sflow(2, &[sample(1, &[header(60, &segment(40))])]);
    let at = claims.len() - 54 - 2 - 4;
    claims[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut part = sflow(3, &[sample(1, &[header(60, &segment(40))])]);
    part[28 + 8 + 28..][..4].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(read(&mut reader, &[long, claims, part]).len(), 1);
    let counts = reader.counts();
    assert_eq!((counts.refused(Refusal::Truncated), counts.refused(Refusal::Length)), (1, 1));
}

#[test]
fn lost_datagrams_and_restarts_of_agents_are_counted() {
    let mut reader = Reader::default();
    let mut again = sflow(1, &[]);
    again[20..24].copy_from_slice(&500_u32.to_be_bytes());
    read(&mut reader, &[sflow(1, &[]), sflow(2, &[]), sflow(6, &[]), again]);
    assert_eq!((reader.counts().lost(Protocol::SFlow), reader.counts().restarts), (3, 1));
}
