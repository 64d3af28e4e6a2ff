//! How much each asset sends out of the estate, hour by hour, counted from the frames that the binary reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, ensure};
use egret_tests::scenario::HOUR;
use egret_tests::scenario::truth::{Time, Truth};
use etherparse::{LaxNetSlice, LaxSlicedPacket};

/// Frames of machines that VMware numbered; those of others come from the gateway.
const VMWARE: [u8; 3] = [0x00, 0x50, 0x56];
const SECONDS_AN_HOUR: u64 = HOUR / 1_000_000_000;

/// Bytes sent out of an estate.
#[derive(Debug)]
pub(crate) struct Volumes {
    /// When the first hour begins, in seconds.
    start: u64,
    hours: usize,
    assets: BTreeMap<[u8; 6], Asset>,
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
    pub(super) fn new(truth: &Truth) -> Self {
        let hours = (truth.end.0 - truth.start.0).div_ceil(HOUR) as usize;
        Self { start: truth.start.0 / 1_000_000_000, hours, assets: BTreeMap::new() }
    }

    /// Reads a capture of an estate: classic pcap, little-endian, Ethernet.
    pub(crate) fn read(capture: &Path, truth: &Truth) -> anyhow::Result<Self> {
        let mut volumes = Self::new(truth);
        let file = File::open(capture).with_context(|| capture.display().to_string())?;
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut header = [0; 24];
        file.read_exact(&mut header)?;
        ensure!(header.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]), "not a pcap with microseconds");
        let mut frame = Vec::new();
        while let Some([seconds, _, captured, length]) = record(&mut file)? {
            frame.resize(captured as usize, 0);
            file.read_exact(&mut frame)?;
            volumes.add(u64::from(seconds), &frame, u64::from(length));
        }
        Ok(volumes)
    }

    /// Counts a frame seen `seconds` after the epoch and so long on the wire.
    pub(super) fn add(&mut self, seconds: u64, frame: &[u8], length: u64) {
        let hour = seconds.saturating_sub(self.start) / SECONDS_AN_HOUR;
        let Some((from, to)) = ends(frame) else { return };
        if !is_inside(from) || is_inside(to) {
            return;
        }
        let Some(mac) = frame.get(6..12).and_then(|mac| <[u8; 6]>::try_from(mac).ok()) else {
            return;
        };
        if !mac.starts_with(&VMWARE) {
            return;
        }
        let asset = self
            .assets
            .entry(mac)
            .or_insert_with(|| Asset { addresses: BTreeSet::new(), hours: vec![0; self.hours] });
        asset.addresses.insert(from);
        if let Some(bytes) = asset.hours.get_mut(hour as usize) {
            *bytes += length;
        }
    }

    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// The hour that a time is in, from the first on.
    pub(crate) fn hour(&self, time: Time) -> usize {
        ((time.0 / 1_000_000_000).saturating_sub(self.start) / SECONDS_AN_HOUR) as usize
    }

    /// When an hour begins.
    pub(crate) fn time(&self, hour: usize) -> Time {
        Time(self.start * 1_000_000_000 + hour as u64 * HOUR)
    }
}

/// The next record's header: seconds, microseconds, bytes captured, bytes on the wire.
fn record(file: &mut impl Read) -> io::Result<Option<[u32; 4]>> {
    let mut header = [0; 16];
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (words, _) = header.as_chunks::<4>();
    Ok(<[[u8; 4]; 4]>::try_from(words).ok().map(|words| words.map(u32::from_le_bytes)))
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
