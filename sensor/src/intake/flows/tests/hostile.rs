//! Exporters that lie, and whoever speaks in their name.

use proptest::prelude::*;

use super::made::{header, sample, sflow};
use super::*;

fn refused(reader: &Reader, reason: Refusal) -> u64 {
    reader.counts().refused(reason)
}

#[test]
fn absurd_templates_are_refused_and_counted() {
    let mut reader = Reader::default();
    let many = template(DATA, &[(1, 1); 300]);
    let none = template(DATA, &[(1, 0), (2, 0)]);
    let long = template(DATA, &[(8, 60_000), (12, 60_000)]);
    let low = template(200, &FIELDS);
    let data = set(DATA, &[0; 1000]);
    let sets = [many, none, long, low, template(DATA + 1, &FIELDS), data].concat();
    assert!(read(&mut reader, &[ipfix(0, 100, &sets)]).is_empty());
    let reasons = [Refusal::TemplateFields, Refusal::TemplateLength, Refusal::Id];
    assert_eq!(reasons.map(|reason| refused(&reader, reason)), [1, 2, 1]);
    assert_eq!(reader.known(), [1, 1], "the one behind them is read");
}

#[test]
fn millions_of_templates_take_their_places_from_each_other() {
    let mut reader = Reader::default();
    for round in 0..100 {
        let ids = (0..1000).map(|id| template(256 + round * 600 + id, &FIELDS)).collect::<Vec<_>>();
        read(&mut reader, &[ipfix(0, 100, &ids.concat())]);
    }
    assert_eq!(reader.known(), [1, 128]);
    assert!(refused(&reader, Refusal::Templates) > 50_000);
}

#[test]
fn senders_that_are_made_up_push_nobody_out() {
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    let (fields, data) = (template(DATA, &FIELDS), set(DATA, &record(1, 90, 95)));
    reader.read(at(100), PEER, &ipfix(0, 100, &fields), &mut reports);
    for peer in 0..100_000_u32 {
        let peer = std::net::Ipv4Addr::from(0x0b00_0000 | peer).into();
        reader.read(
            at(101),
            peer,
            &ipfix(0, 101, &[&fields[..], &set(DATA + 9, &[7; 400])].concat()),
            &mut reports,
        );
    }
    assert_eq!(reader.known(), [512, 512]);
    assert_eq!(refused(&reader, Refusal::Exporters), 100_000 - 511);
    let counts = reader.counts();
    assert_eq!((counts.early(Early::Held), counts.early(Early::Dropped)), (511, 255));
    reader.read(at(102), PEER, &ipfix(0, 102, &data), &mut reports);
    assert_eq!(reports.len(), 1, "who was there is still understood");
}

#[test]
fn one_address_speaks_for_64_exporters_at_most() {
    let mut reader = Reader::default();
    for domain in 0..1000_u16 {
        let mut message = ipfix(0, 100, &template(DATA, &FIELDS));
        message[14..16].copy_from_slice(&domain.to_be_bytes());
        read(&mut reader, &[message]);
    }
    assert_eq!(reader.known(), [64, 64]);
    assert_eq!(refused(&reader, Refusal::Domains), 1000 - 64);
}

#[test]
fn what_is_cut_or_of_no_known_version_is_refused() {
    let mut reader = Reader::default();
    let whole = ipfix(0, 100, &[template(DATA, &FIELDS), set(DATA, &record(1, 90, 95))].concat());
    let cut = whole[..whole.len() - 1].to_vec();
    assert!(read(&mut reader, &[cut, whole[..9].to_vec()]).is_empty());
    // The message, the set in it, and the header of the other.
    assert_eq!(refused(&reader, Refusal::Truncated), 3);
    let zero = ipfix(0, 100, &[0, 2, 0, 0, 9, 9, 9, 9]);
    let versions = [vec![], vec![0], vec![0, 8, 1], vec![0, 0, 0, 4, 9]];
    assert!(read(&mut reader, &[&[zero][..], &versions].concat()).is_empty());
    assert_eq!(refused(&reader, Refusal::Length), 1);
    assert_eq!(refused(&reader, Refusal::Version), 4);
    let cut = netflow5(1, 100, 0, &[fixed(1), fixed(2)]);
    assert_eq!(read(&mut reader, &[cut[..100].to_vec()]).len(), 1, "as far as it goes");
}

#[test]
fn times_that_cannot_be_are_those_of_the_message() {
    let mut data = record(1, 90, 95);
    let at_times = data.len() - 16;
    data[at_times..].fill(0xff);
    let mut old = record(1, 90, 95);
    old[at_times..].fill(0);
    let mut turned = record(1, 95, 90);
    turned[20] = 9;
    let sets = [template(DATA, &FIELDS), set(DATA, &[data, old, turned].concat())].concat();
    let reports = read(&mut Reader::default(), &[ipfix(0, 100, &sets)]);
    let times: Vec<_> =
        records(&reports).iter().map(|record| (record.first, record.last)).collect();
    assert_eq!(times, [(at(100), at(100)), (at(100), at(100)), (at(90), at(90))]);
}

/// Datagrams of all protocols, to be broken.
fn whole() -> [Vec<u8>; 4] {
    let options = ipfix_options(300, 1, &[(302, 2), (305, 4), (306, 4)]);
    let sets = [template(DATA, &FIELDS), options, set(300, &[1; 10])];
    let fields = [(82, u16::MAX), (8, 4), (12, 4), (1, u16::MAX)];
    let named = [&[2, 101, 48, 10, 0, 0, 1, 10, 0, 0, 2, 1, 7][..], &[0; 9]].concat();
    let variable = [template(DATA + 1, &fields), set(DATA + 1, &named)].concat();
    let data = set(DATA, &[record(1, 90, 95), record(2, 90, 95)].concat());
    let ip6 = [&[0x60, 0, 0, 0, 0, 20, 6, 64][..], &[0xfd; 32], &[0; 20]].concat();
    let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd][..], &ip6].concat();
    [
        netflow5(1, 100, 3, &[fixed(1), fixed(2)]),
        netflow9(1, 100, 9000, &[set(0, &template(DATA, &FIELDS)[4..]), data.clone()].concat()),
        ipfix(1, 100, &[sets.concat(), variable, data].concat()),
        sflow(1, &[sample(9, &[header(99, &frame)])]),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_nothing_breaks_and_everything_is_bounded(
        changes in prop::collection::vec((0..4_usize, 0..400_usize, any::<u8>(), 0..400_usize), 1..200),
    ) {
        let mut reader = Reader::default();
        let mut datagrams = whole();
        for (which, place, value, length) in changes {
            let datagram = &mut datagrams[which];
            let place = place % datagram.len();
            datagram[place] = value;
            let mut reports = Vec::new();
            let length = length.max(20).min(datagram.len());
            reader.read(at(100), PEER, &datagram[..length], &mut reports);
            prop_assert!(reports.len() <= length, "{} reports", reports.len());
            for record in records(&reports) {
                prop_assert!(record.first <= record.last && record.last <= at(100));
                prop_assert!(record.one_in.is_none_or(|one_in| one_in > 1.0));
            }
            prop_assert!(reader.known()[0] <= 512 && reader.known()[1] <= 128 * 512);
        }
    }
}
