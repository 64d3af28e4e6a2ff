//! How much each asset sends out of the estate, hour by hour, counted from the frames that the binary reads.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::IpAddr;

use egret_tests::scenario::truth::Time;
use egret_tests::scenario::{HOUR, Plan, SECOND};
use etherparse::{LaxNetSlice, LaxSlicedPacket};

/// How MAC addresses of virtual machines and of hosts' own interfaces begin; those of others are the gateway's.
const VMWARE: [u8; 3] = [0x00, 0x50, 0x56];
/// Before a capture's first record.
const FILE_HEADER: usize = 24;

/// Bytes sent out of an estate. The capture is written into it: classic pcap, little-endian, Ethernet.
#[derive(Debug)]
pub(crate) struct Volumes {
    /// When the first hour begins.
    start: Time,
    hours: usize,
    assets: BTreeMap<[u8; 6], Asset>,
    /// What was written of a record that is not whole yet.
    begun: Vec<u8>,
    is_in_records: bool,
}

/// A machine.
#[derive(Debug)]
pub(crate) struct Asset {
    addresses: BTreeSet<IpAddr>,
    /// Frame bytes to places outside.
    pub(crate) hours: Vec<u64>,
}

impl Asset {
    pub(crate) fn has_one_of(&self, addresses: &[IpAddr]) -> bool {
        addresses.iter().any(|address| self.addresses.contains(address))
    }
}

impl Volumes {
    /// For a capture of the plan's days.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            start: Time(plan.start * SECOND),
            hours: plan.hours as usize,
            assets: BTreeMap::new(),
            begun: Vec::new(),
            is_in_records: false,
        }
    }

    /// Counts a frame.
    fn add(&mut self, time: Time, frame: &[u8], length: u64) {
        let Some((from, to)) = ends(frame) else { return };
        let Some(mac) = frame.get(6..12).and_then(|mac| <[u8; 6]>::try_from(mac).ok()) else {
            return;
        };
        if !is_inside(from) || is_inside(to) || !mac.starts_with(&VMWARE) {
            return;
        }
        let hour = self.hour(time);
        let asset = self
            .assets
            .entry(mac)
            .or_insert_with(|| Asset { addresses: BTreeSet::new(), hours: vec![0; self.hours] });
        asset.addresses.insert(from);
        if let Some(bytes) = asset.hours.get_mut(hour) {
            *bytes += length;
        }
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// The hour that a time is in, from the first on.
    pub(crate) fn hour(&self, time: Time) -> usize {
        (time.0.saturating_sub(self.start.0) / HOUR) as usize
    }

    /// When an hour begins.
    pub(crate) fn time(&self, hour: usize) -> Time {
        Time(self.start.0 + hour as u64 * HOUR)
    }
}

impl Write for Volumes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(bytes);
        let mut rest = begun.as_slice();
        if !self.is_in_records {
            let Some(after) = rest.get(FILE_HEADER..) else {
                self.begun = begun;
                return Ok(bytes.len());
            };
            (rest, self.is_in_records) = (after, true);
        }
        while let Some((time, length, frame, after)) = record(rest) {
            self.add(time, frame, length);
            rest = after;
        }
        self.begun = rest.to_vec();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first record, if it is whole: its time, its bytes on the wire, those captured, and what follows.
fn record(bytes: &[u8]) -> Option<(Time, u64, &[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(16)?;
    let (words, _) = header.as_chunks::<4>();
    let [seconds, microseconds, captured, length] =
        <[[u8; 4]; 4]>::try_from(words).ok()?.map(u32::from_le_bytes);
    let (frame, rest) = rest.split_at_checked(captured as usize)?;
    let time = Time(u64::from(seconds) * SECOND + u64::from(microseconds) * 1000);
    Some((time, u64::from(length), frame, rest))
}

/// Source and destination of an IP packet; of one that is cut short, too.
fn ends(frame: &[u8]) -> Option<(IpAddr, IpAddr)> {
    match LaxSlicedPacket::from_ethernet(frame).ok()?.net? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        LaxNetSlice::Arp(_) => None,
    }
}

/// Whether it is an address of the estates, or one that no router forwards.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_private() || v4.is_multicast() || v4.is_broadcast() || v4.is_link_local()
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            (first, second) == (0x2001, 0x0db8)
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use egret_tests::wire::{
        BIG_PAYLOAD, Capture, Endpoint, Frame, Path, Payload, Resolution, Segment, flag,
    };

    use super::*;

    const GATEWAY: [u8; 6] = [0x00, 0x00, 0x0c, 0x07, 0xac, 0x14];
    const GUEST: [u8; 6] = [0x00, 0x50, 0x56, 0x80, 0x00, 0x01];

    fn end(mac: [u8; 6], ip: &str) -> Endpoint {
        Endpoint { mac, ip: ip.parse().unwrap(), port: 443 }
    }

    /// A guest sends out a large segment of which little is captured, and others that do not count.
    #[test]
    fn what_leaves_is_counted_by_asset_and_hour_however_it_is_written() {
        let plan = Plan::everyday(1, 1, 3);
        let out = |from, to, to_mac| Path {
            from: end(GUEST, from),
            to: end(to_mac, to),
            vlans: [Some(100), Some(20)],
        };
        let v4 = out("10.20.0.11", "198.51.100.7", GATEWAY);
        let v6 = out("2001:db8:20::1", "2a00:1450::1", GATEWAY);
        let inside = out("10.20.0.11", "10.0.8.10", GATEWAY);
        let mut file = Capture::new(Vec::new(), Resolution::Micros).unwrap();
        let mut frame = Frame::new(1);
        let segment = Segment { flags: flag::ACK, sequence: 1, acknowledgment: 1 };
        let mut sent = Vec::new();
        for (seconds, path) in [(1, v4), (1, v4.back()), (2, inside), (4000, v6), (4001, v4)] {
            frame.tcp(&path, segment, Payload::cut(&[0; 8], BIG_PAYLOAD));
            file.frame((plan.start + seconds) * SECOND, &frame).unwrap();
            sent.push(u64::from(frame.wire_len()));
        }
        let file = file.finish().unwrap();
        for step in [1, 7, 1000] {
            let mut volumes = Volumes::new(&plan);
            for part in file.chunks(step) {
                volumes.write_all(part).unwrap();
            }
            let assets: Vec<&Asset> = volumes.assets().collect();
            let [asset] = assets[..] else { panic!("{assets:?}") };
            assert_eq!(asset.hours, [sent[0], sent[3] + sent[4]], "in steps of {step}");
            assert!(asset.has_one_of(&["2001:db8:20::1".parse().unwrap()]));
            assert!(!asset.has_one_of(&["10.0.8.10".parse().unwrap()]));
        }
    }
}
