//! The least that any sensor must do with a capture, to measure Egret against: walk the records
//! over a memory map, slice the headers with etherparse, count each flow in a hash table.
//!
//! A floor does not log, reassemble, expire or detect. It reads what `bench` writes (classic pcap,
//! little endian, Ethernet) and ends at the first record that is cut.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use memmap2::{Advice, Mmap};

/// How much of the work a floor does; each one contains the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Floor {
    /// Touch each record's header.
    Walk,
    /// Slice the headers up to TCP and UDP with etherparse; count packets and bytes of each direction of each flow.
    EtherparseFlow,
}

impl Floor {
    /// Its name on the command line and in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::EtherparseFlow => "etherparse-flow",
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    floor: Floor,
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = File::open(&arguments.file)
        .with_context(|| format!("cannot open {}", arguments.file.display()))?;
    #[expect(unsafe_code, reason = "memmap2 cannot promise that nobody changes the file")]
    // SAFETY: the map is read-only, and nothing writes or truncates a finished capture of
    // `target/bench` while it is measured.
    let map = unsafe { Mmap::map(&file) }?;
    map.advise(Advice::Sequential)?;
    match arguments.floor {
        Floor::Walk => walk(&map),
        Floor::EtherparseFlow => count(&map),
    }
    Ok(())
}

fn walk(capture: &[u8]) {
    let (packets, bytes) = records(capture)
        .fold((0_u64, 0), |(packets, bytes), record| (packets + 1, bytes + record.frame.len()));
    println!("{packets} packets, {bytes} bytes");
}

fn count(capture: &[u8]) {
    let mut flows: HashMap<Key, Counters, FixedState> = HashMap::default();
    for record in records(capture) {
        let Some((key, direction, length)) = flow_of(record.frame) else { continue };
        let counters = flows
            .entry(key)
            .or_insert_with(|| Counters { first: record.micros, ..Counters::default() });
        if let (Some(packets), Some(bytes)) =
            (counters.packets.get_mut(direction), counters.bytes.get_mut(direction))
        {
            *packets += 1;
            *bytes += length;
        }
        counters.last = record.micros;
    }
    let packets: u64 = flows.values().flat_map(|counters| counters.packets).sum();
    let bytes: u64 = flows.values().flat_map(|counters| counters.bytes).sum();
    let longest = flows.values().map(|counters| counters.last - counters.first).max().unwrap_or(0);
    println!("{} flows, {packets} packets, {bytes} bytes, longest {longest} us", flows.len());
}

/// Both directions of a flow have the same key: the lesser end comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    low: End,
    high: End,
    protocol: u8,
}

/// An IPv4 address takes the first four bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct End {
    address: [u8; 16],
    port: u16,
}

#[derive(Clone, Copy, Default)]
struct Counters {
    packets: [u64; 2],
    bytes: [u64; 2],
    first: u64,
    last: u64,
}

/// The sizes that the published figures of this floor were measured with.
const _: () = assert!(size_of::<Key>() <= 40 && size_of::<Counters>() == 48);

/// The flow of a TCP or UDP frame, its direction (0 or 1) and its length from the IP header on.
// Inlined, what etherparse finds and nobody reads is never stored: a quarter of the time.
#[inline(always)]
fn flow_of(frame: &[u8]) -> Option<(Key, usize, u64)> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let (mut low, mut high) = (End::default(), End::default());
    let length = match packet.net.as_ref()? {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            *low.address.first_chunk_mut()? = header.source();
            *high.address.first_chunk_mut()? = header.destination();
            u64::from(header.total_len())
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            low.address = header.source();
            high.address = header.destination();
            40 + u64::from(header.payload_length())
        }
        NetSlice::Arp(_) => return None,
    };
    let protocol = match packet.transport.as_ref()? {
        TransportSlice::Tcp(tcp) => {
            (low.port, high.port) = (tcp.source_port(), tcp.destination_port());
            6
        }
        TransportSlice::Udp(udp) => {
            (low.port, high.port) = (udp.source_port(), udp.destination_port());
            17
        }
        _ => return None,
    };
    let turned = low > high;
    if turned {
        std::mem::swap(&mut low, &mut high);
    }
    Some((Key { low, high, protocol }, usize::from(turned), length))
}

struct Record<'a> {
    micros: u64,
    frame: &'a [u8],
}

/// The records of a classic little-endian pcap file.
fn records(capture: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = capture.get(24..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (header, after) = rest.split_first_chunk::<16>()?;
        let [s0, s1, s2, s3, u0, u1, u2, u3, l0, l1, l2, l3, ..] = *header;
        let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
        let (frame, after) = after.split_at_checked(length)?;
        rest = after;
        let seconds = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
        let micros = u64::from(u32::from_le_bytes([u0, u1, u2, u3]));
        Some(Record { micros: seconds * 1_000_000 + micros, frame })
    })
}
