#![expect(clippy::arithmetic_side_effects, reason = "tests make their own numbers")]

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::event::{FlowRecord, Said, Service, Traffic};
use made::{
    DATA, fixed, ipfix, ipfix_options, netflow5, netflow9, netflow9_options, options, set, template,
};

mod hostile;
mod made;
mod real;
mod sampled;

const PEER: SocketAddr = address(0x0a09_0001);

/// Where somebody sends from.
const fn address(peer: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(peer)), 2055)
}

/// Source, destination, ports, protocol, octets, packets, first and last in milliseconds.
const FIELDS: [(u16, u16); 9] =
    [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8), (2, 4), (152, 8), (153, 8)];

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_parts(1_795_000_000 + seconds, 0)
}

/// A record as [`FIELDS`] say: of so many bytes, from one second to another.
fn record(bytes: u64, first: u64, last: u64) -> Vec<u8> {
    let millis = |seconds: u64| ((1_795_000_000 + seconds) * 1000_u64).to_be_bytes();
    let (first, last) = (millis(first), millis(last));
    [
        &[10, 0, 0, 1, 203, 0, 113, 9][..],
        &[0xc0, 0, 1, 187, 6],
        &bytes.to_be_bytes(),
        &[0, 0, 0, 3],
        &first,
        &last,
    ]
    .concat()
}

/// What datagrams say, each of which comes a second after the one before.
fn read(reader: &mut Reader, datagrams: &[Vec<u8>]) -> Vec<Report> {
    let mut reports = Vec::new();
    for (second, datagram) in (100..).zip(datagrams) {
        reader.read(at(second), PEER, datagram, &mut reports);
    }
    reports
}

fn records(reports: &[Report]) -> Vec<&FlowRecord> {
    let mut records = Vec::new();
    for report in reports {
        match &report.said {
            Said::Exported(record) => records.push(&**record),
            other => panic!("{other:?}"),
        }
    }
    records
}

fn bytes(reports: &[Report]) -> Vec<u64> {
    records(reports).into_iter().map(|record| record.sent.bytes).collect()
}

#[test]
fn ipfix_is_read() {
    let mut reader = Reader::default();
    let fields = template(DATA, &FIELDS);
    let data = set(DATA, &[record(1500, 90, 95), record(40, 96, 97), vec![0; 3]].concat());
    let reports = read(&mut reader, &[ipfix(0, 100, &[fields, data].concat())]);
    let [first, second] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((first.time, first.stated), (at(100), Some(at(100))));
    assert_eq!((first.reporter.service, first.reporter.peer), (Service::Ipfix, Some(PEER.ip())));
    let expected = FlowRecord {
        from: ([10, 0, 0, 1].into(), 49_152),
        to: ([203, 0, 113, 9].into(), 443),
        protocol: 6,
        first: at(90),
        last: at(95),
        sent: Traffic { packets: 3, bytes: 1500 },
        received: None,
        tcp_flags: None,
        one_in: None,
        is_forward: None,
        is_blocked: false,
    };
    assert_eq!(first.said, Said::Exported(Box::new(expected)));
    assert_eq!(bytes(std::slice::from_ref(second)), [40]);
    let counts = reader.counts();
    assert_eq!(counts.records(Protocol::Ipfix, Outcome::Read), 2);
    assert!(Refusal::ALL.iter().all(|reason| counts.refused(*reason) == 0));
    assert_eq!(reader.known(), [1, 1]);
}

#[test]
fn netflow_9_tells_times_by_how_long_the_exporter_runs() {
    let fields = [(8, 4), (12, 4), (1, 4), (2, 4), (22, 4), (21, 4)];
    let first = 4_294_960_000_u32;
    let record = [
        &[10, 0, 0, 1, 10, 0, 0, 2][..],
        &[0, 0, 0, 99, 0, 0, 0, 1],
        &first.to_be_bytes(),
        &2704_u32.to_be_bytes(),
    ]
    .concat();
    let sets = [set(0, &template(DATA, &fields)[4..]), set(DATA, &record)].concat();
    // It began again to count 7.704 s before.
    let reports = read(&mut Reader::default(), &[netflow9(1, 100, 7704, &sets)]);
    let [record] = records(&reports)[..] else { panic!("{reports:?}") };
    assert_eq!(reports[0].reporter.service, Service::NetFlow);
    assert_eq!(record.last, at(95));
    assert_eq!(record.first, at(100).minus(Duration::from_millis(15_000)));
}

#[test]
fn netflow_5_is_read_with_its_sampling() {
    let mut reader = Reader::default();
    let datagrams =
        [netflow5(7, 100, 1, &[fixed(1500), fixed(40)]), netflow5(12, 101, 64, &[fixed(9)])];
    let reports = read(&mut reader, &datagrams);
    assert_eq!(bytes(&reports), [1500, 40, 9]);
    let records = records(&reports);
    let [first, .., last] = records[..] else { panic!() };
    assert_eq!(
        (first.from, first.to),
        (([10, 0, 0, 1].into(), 49_152), ([203, 0, 113, 9].into(), 443))
    );
    assert_eq!((first.protocol, first.tcp_flags, first.sent.packets), (6, Some(0x1b), 3));
    assert_eq!((first.first, first.last), (at(90), at(95)));
    assert_eq!((first.one_in, last.one_in), (None, Some(64.0)));
    assert_eq!(reader.counts().lost(Protocol::NetFlow5), 3);
}

#[test]
fn both_directions_of_one_record_are_told() {
    let reverse = |id: u16| (0x8000 | id, 8, 29305);
    let fields = options(&[(8, 4), (12, 4), (1, 8), (2, 8), (239, 1)], &[reverse(1), reverse(2)]);
    let record: Vec<u8> = [
        &[10, 0, 0, 1, 10, 0, 0, 2][..],
        &9000_u64.to_be_bytes(),
        &9_u64.to_be_bytes(),
        &[1],
        &500_u64.to_be_bytes(),
        &5_u64.to_be_bytes(),
    ]
    .concat();
    let sets = [set(2, &fields), set(DATA, &record)].concat();
    let reports = read(&mut Reader::default(), &[ipfix(0, 100, &sets)]);
    let [record] = records(&reports)[..] else { panic!("{reports:?}") };
    assert_eq!(record.sent, Traffic { packets: 9, bytes: 9000 });
    assert_eq!(record.received, Some(Traffic { packets: 5, bytes: 500 }));
    assert_eq!(record.is_forward, Some(true));
}

#[test]
fn what_is_in_a_tunnel_counts_where_the_exporter_looks_into_it() {
    let tenant = |id: u16, length: u16| (0x8000 | id, length, 6876);
    let inside = [tenant(880, 1), tenant(881, 4), tenant(882, 4), tenant(886, 2), tenant(887, 2)];
    let fields = options(&[(8, 4), (12, 4), (4, 1), (11, 2), (1, 8)], &inside);
    let record = |inside: [u8; 8]| {
        let outside = [&[172, 16, 0, 1, 172, 16, 0, 2, 17, 18, 181][..], &77_u64.to_be_bytes()];
        [&outside.concat()[..], &[6], &inside, &[0xc0, 0, 0, 22]].concat()
    };
    let data = [record([10, 0, 0, 1, 10, 0, 0, 2]), record([0; 8])].concat();
    let sets = [set(2, &fields), set(DATA, &data)].concat();
    let reports = read(&mut Reader::default(), &[ipfix(0, 100, &sets)]);
    let ends =
        records(&reports).into_iter().map(|record| (record.from, record.to, record.protocol));
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [
            (([10, 0, 0, 1].into(), 49_152), ([10, 0, 0, 2].into(), 22), 6),
            (([172, 16, 0, 1].into(), 0), ([172, 16, 0, 2].into(), 4789), 17),
        ]
    );
}

#[test]
fn a_packet_that_two_interfaces_count_counts_once() {
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    let fields = [&FIELDS[..], &[(61, 1)]].concat();
    let of = |direction: u8, first, last| [record(100, first, last), vec![direction]].concat();
    let mut told = |second, data: Vec<u8>| {
        let sets = [template(DATA, &fields), set(DATA, &data)].concat();
        reports.clear();
        reader.read(at(second), PEER, &ipfix(second as u32, second, &sets), &mut reports);
        reports.len()
    };
    assert_eq!(told(100, [of(0, 90, 99), of(1, 90, 99)].concat()), 1);
    assert_eq!(told(110, [of(1, 99, 109), of(0, 99, 109)].concat()), 1);
    // Where nobody counts what comes in any more, what goes out counts.
    assert_eq!(told(900, [of(1, 109, 899), of(1, 109, 899)].concat()), 2);
    // Some mean the direction of the conversation: the next one may be the other way round.
    assert_eq!(told(910, of(0, 905, 909)), 1);
    assert_eq!(reader.counts().records(Protocol::Ipfix, Outcome::Copy), 2);
}

#[test]
fn who_tells_uptimes_and_no_start_is_believed_as_far_as_it_goes() {
    // As distributed switches do: IPFIX has no uptime in its header.
    let fields = [(8, 4), (12, 4), (1, 4), (22, 4), (21, 4)];
    let record = |first: u32, last: u32| {
        let times = [first.to_be_bytes(), last.to_be_bytes()].concat();
        [&[10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 9][..], &times].concat()
    };
    let data = [record(1000, 60_000), record(50_000, 61_000), record(30_000, 45_000)].concat();
    let sets = [template(DATA, &fields), set(DATA, &data)].concat();
    let reports = read(&mut Reader::default(), &[ipfix(0, 100, &sets)]);
    let times: Vec<_> =
        records(&reports).iter().map(|record| (record.first, record.last)).collect();
    assert_eq!(times, [(at(41), at(100)), (at(89), at(100)), (at(69), at(84))]);
}

#[test]
fn what_a_tunnel_carries_counts_once() {
    let tenant = |id: u16| (0x8000 | id, 4, 6876);
    let plain = template(DATA + 1, &[(8, 4), (12, 4), (1, 4)]);
    let wrapped = set(2, &options(&[(8, 4), (12, 4), (1, 4)], &[tenant(881), tenant(882)]));
    let ends = [10, 0, 0, 1, 10, 0, 0, 2];
    let bare = set(DATA + 1, &[&ends[..], &[0, 0, 5, 0]].concat());
    let outside = [172, 16, 0, 1, 172, 16, 0, 2, 0, 0, 6, 0];
    let inside = set(DATA, &[&outside[..], &ends].concat());
    let mut reader = Reader::default();
    let sets = [plain, wrapped, bare, inside].concat();
    assert_eq!(bytes(&read(&mut reader, &[ipfix(0, 100, &sets)])), [0x500]);
    assert_eq!(reader.counts().records(Protocol::Ipfix, Outcome::Copy), 1);
}

#[test]
fn counters_that_go_on_count_what_is_new() {
    let fields = [(8, 4), (12, 4), (85, 8), (86, 8), (152, 8)];
    let record = |bytes: u64, packets: u64| {
        let first = 1_795_000_050_000_u64.to_be_bytes();
        let counted = [&bytes.to_be_bytes()[..], &packets.to_be_bytes(), &first].concat();
        [&[10, 0, 0, 1, 10, 0, 0, 2][..], &counted].concat()
    };
    let message = |second: u32, data: Vec<u8>| {
        ipfix(second, second.into(), &[template(DATA, &fields), set(DATA, &data)].concat())
    };
    let datagrams = [record(1000, 10), record(1500, 15), record(1500, 15), record(90, 2)]
        .map(|r| message(100, r));
    assert_eq!(bytes(&read(&mut Reader::default(), &datagrams)), [1000, 500, 0, 90]);
}

#[test]
fn samplers_are_learned_from_options() {
    // The sampler's id is a scope of IPFIX; NetFlow 9 has other scopes, and the id among its options.
    let fields = [&FIELDS[..], &[(302, 2)]].concat();
    let data = set(DATA, &[record(7, 90, 95), vec![0, 5]].concat());
    let sampler = ipfix_options(300, 1, &[(302, 2), (304, 1), (305, 4), (306, 4)]);
    let says = set(300, &[0, 5, 1, 0, 0, 0, 1, 0, 0, 0, 99]);
    let mut reader = Reader::default();
    let sets = [template(DATA, &fields), sampler, says, data].concat();
    let reports = read(&mut reader, &[ipfix(0, 100, &sets)]);
    assert_eq!(records(&reports)[0].one_in, Some(100.0));
    assert_eq!(reader.counts().records(Protocol::Ipfix, Outcome::Irrelevant), 1);

    let fields = [&FIELDS[..], &[(48, 1)]].concat();
    let data = set(DATA, &[record(7, 90, 95), vec![5]].concat());
    let sampler = netflow9_options(300, &[(1, 4)], &[(48, 1), (49, 1), (50, 4)]);
    let says = set(300, &[0, 0, 0, 0, 5, 2, 0, 0, 1, 0]);
    let fields = set(0, &template(DATA, &fields)[4..]);
    let sets = [fields, data.clone(), sampler, says, data].concat();
    let reports = read(&mut Reader::default(), &[netflow9(1, 100, 9000, &sets)]);
    let one_in: Vec<_> = records(&reports).iter().map(|record| record.one_in).collect();
    assert_eq!(one_in, [None, Some(256.0)]);
}

#[test]
fn records_wait_for_their_template() {
    let mut reader = Reader::default();
    let data = |bytes| set(DATA, &record(bytes, 90, 95));
    let datagrams = [
        ipfix(0, 100, &data(1)),
        ipfix(1, 101, &data(2)),
        ipfix(2, 102, &[template(DATA, &FIELDS), data(3)].concat()),
    ];
    let reports = read(&mut reader, &datagrams);
    assert_eq!(bytes(&reports), [1, 2, 3]);
    let times: Vec<_> = reports.iter().map(|report| report.time).collect();
    assert_eq!(times, [at(100), at(101), at(102)], "when they came");
    let counts = reader.counts();
    assert_eq!((counts.early(Early::Held), counts.early(Early::Dropped)), (2, 0));
    assert_eq!(counts.lost(Protocol::Ipfix), 0, "of what was not read no number is known");
}

#[test]
fn who_starts_anew_has_other_templates() {
    let mut reader = Reader::default();
    let data = set(DATA, &record(1, 90, 95));
    let told = ipfix(500, 100, &[template(DATA, &FIELDS), data.clone()].concat());
    let mut reports = read(&mut reader, &[told, ipfix(501, 101, &data), ipfix(0, 102, &data)]);
    assert_eq!((reports.len(), reader.counts().restarts), (2, 1));
    assert_eq!(reader.counts().early(Early::Held), 1, "what it means now is not known");
    // The octets come first now.
    let others = [&FIELDS[5..6], &FIELDS[..5], &FIELDS[6..]].concat();
    let told = ipfix(1, 103, &template(DATA, &others));
    reader.read(at(103), PEER, &told, &mut reports);
    assert_eq!(records(&reports)[2].sent.bytes, 0x0a00_0001_cb00_7109);
    assert_eq!(reader.known(), [1, 1]);
}

#[test]
fn two_processes_of_one_host_do_not_disturb_each_other() {
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    let sets = [template(DATA, &FIELDS), set(DATA, &record(1, 90, 95))].concat();
    for second in 0..10_u32 {
        for (port, sequence) in [(4000, second), (4001, 900 + second)] {
            let peer = SocketAddr::new(PEER.ip(), port);
            let message = ipfix(sequence, 100 + u64::from(second), &sets);
            reader.read(at(100 + u64::from(second)), peer, &message, &mut reports);
        }
    }
    let counts = reader.counts();
    assert_eq!((counts.restarts, counts.lost(Protocol::Ipfix), reports.len()), (0, 0, 20));
}

#[test]
fn what_never_came_is_counted() {
    let mut reader = Reader::default();
    let data = set(DATA, &[record(1, 90, 95), record(2, 90, 95)].concat());
    let sets = [template(DATA, &FIELDS), data].concat();
    let datagrams = [0, 2, 10, 12].map(|sequence| ipfix(sequence, 100, &sets));
    read(&mut reader, &datagrams);
    assert_eq!(reader.counts().lost(Protocol::Ipfix), 6);
    let datagrams = [0, 1, 4].map(|sequence| netflow9(sequence, 100, 9000, &[]));
    read(&mut reader, &datagrams);
    assert_eq!(reader.counts().lost(Protocol::NetFlow9), 2, "datagrams");
}

#[test]
fn a_clock_that_is_off_is_put_right() {
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    for second in 0..40 {
        let data = set(DATA, &record(1, 3600 + second, 3605 + second));
        let message =
            ipfix(second as u32, 3610 + second, &[template(DATA, &FIELDS), data].concat());
        reader.read(at(10 + second), PEER, &message, &mut reports);
    }
    for (second, (report, record)) in (0..).zip(reports.iter().zip(records(&reports))) {
        assert_eq!(report.time, at(10 + second));
        assert_eq!((record.first, record.last), (at(second), at(second + 5)));
    }
    assert_eq!(reader.largest_skew(), Duration::from_secs(3600));
}

#[test]
fn each_exporter_has_its_own_templates() {
    let mut reader = Reader::default();
    let mut reports = Vec::new();
    let (fields, data) = (template(DATA, &FIELDS), set(DATA, &record(1, 90, 95)));
    reader.read(at(100), PEER, &ipfix(0, 100, &fields), &mut reports);
    reader.read(at(101), address(0x0a09_0002), &ipfix(0, 101, &data), &mut reports);
    let mut other_domain = ipfix(0, 101, &data);
    other_domain[15] = 9;
    reader.read(at(101), PEER, &other_domain, &mut reports);
    assert!(reports.is_empty());
    assert_eq!(reader.counts().early(Early::Held), 2);
}
