//! Datagrams of exporters, one after the other: two bytes of length in front of each.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use egret::event::Said;
use egret::intake::flows::{Outcome, Protocol, Reader};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::default();
    let (mut rest, mut told) = (bytes, 0);
    while let Some((length, more)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(more.len());
        let (datagram, more) = more.split_at(length);
        rest = more;
        let mut reports = Vec::new();
        reader.read(NOW, PEER, datagram, &mut reports);
        // Those that waited for a template in this datagram come with its own.
        assert!(reports.len() <= bytes.len());
        for report in &reports {
            let Said::Exported(record) = &report.said else { panic!("{report:?}") };
            assert!(record.first <= record.last && record.last <= NOW && report.time <= NOW);
            assert!(record.one_in.is_none_or(|one_in| one_in.is_finite() && one_in > 1.0));
        }
        told += reports.len() as u64;
    }
    let counts = reader.counts();
    let read = Protocol::ALL.map(|protocol| counts.records(protocol, Outcome::Read));
    assert_eq!(read.iter().sum::<u64>(), told);
    let [exporters, templates] = reader.known();
    assert!(exporters <= 512 && templates <= 128 * exporters);
});
