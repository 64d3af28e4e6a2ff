//! sFlow, version 5 (sflow.org, "sFlow Version 5"): one packet in so many, by the first bytes of each.
//!
//! Flow samples are read, in both forms, and of their records the packet's header, or its addresses where
//! those are told instead; counters of interfaces and everything else are passed over. Lengths are
//! taken from the datagram alone, so nothing is ever allocated by what a sender says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cursor::{Cursor, number};
use super::{Refusal, counts::Outcome};
use crate::capture::{Frame, LinkType};
use crate::decode::{self, protocol};
use crate::event::{FlowRecord, Traffic};
use crate::time::Timestamp;

/// Bytes that a packet may have by its own word.
const LONGEST: u64 = 65_575;

/// A header, behind the version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) agent: Option<IpAddr>,
    pub(super) sub_agent: u32,
    pub(super) sequence: u32,
    pub(super) uptime: u32,
    samples: u32,
}

impl Header {
    pub(super) fn read(datagram: &mut Cursor<'_>) -> Option<Self> {
        let agent = match datagram.word()? {
            1 => Some(Ipv4Addr::from(datagram.array::<4>()?).into()),
            2 => Some(Ipv6Addr::from(datagram.array::<16>()?).into()),
            _ => None,
        };
        let mut word = || datagram.word();
        let (sub_agent, sequence, uptime) = (word()?, word()?, word()?);
        Some(Self { agent, sub_agent, sequence, uptime, samples: word()? })
    }
}

/// Reads the samples behind a header, which came at `time`, and gives each conversation that one
/// shows, or what else became of it.
pub(super) fn read(
    header: &Header,
    datagram: &mut Cursor<'_>,
    time: Timestamp,
    mut take: impl FnMut(Result<FlowRecord, Outcome>),
) -> Result<(), Refusal> {
    for _ in 0..header.samples {
        let (format, sample) = part(datagram).ok_or(Refusal::Truncated)?;
        let sampled = match format {
            1 => Sampled::compact(sample),
            3 => Sampled::expanded(sample),
            // Counters, and what vendors add.
            _ => {
                take(Err(Outcome::Irrelevant));
                continue;
            }
        };
        let mut sampled = sampled.ok_or(Refusal::Length)?;
        take(sampled.record(time)?.ok_or(Outcome::Irrelevant));
    }
    Ok(())
}

/// The next part with its format and length in front; it is filled up to four bytes.
fn part<'a>(cursor: &mut Cursor<'a>) -> Option<(u32, &'a [u8])> {
    let (format, length) = (cursor.word()?, cursor.word()? as usize);
    let part = cursor.take(length)?;
    // Of the last part some agents leave that out.
    cursor.take(length.wrapping_neg() % 4);
    Some((format, part))
}

/// A sampled packet.
struct Sampled<'a> {
    /// One packet in so many.
    rate: u32,
    count: u32,
    records: Cursor<'a>,
}

impl<'a> Sampled<'a> {
    fn compact(sample: &'a [u8]) -> Option<Self> {
        let mut sample = Cursor::new(sample);
        // Its number, and the interface.
        sample.take(8)?;
        let rate = sample.word()?;
        // Packets that could have been taken, drops, the interfaces of input and output.
        sample.take(16)?;
        Some(Self { rate, count: sample.word()?, records: sample })
    }

    fn expanded(sample: &'a [u8]) -> Option<Self> {
        let mut sample = Cursor::new(sample);
        sample.take(12)?;
        let rate = sample.word()?;
        sample.take(24)?;
        Some(Self { rate, count: sample.word()?, records: sample })
    }

    /// What it shows of a conversation, by the first of its records that tells of the packet.
    fn record(&mut self, time: Timestamp) -> Result<Option<FlowRecord>, Refusal> {
        let mut shown = None;
        for _ in 0..self.count {
            let (format, record) = part(&mut self.records).ok_or(Refusal::Length)?;
            shown = shown.or_else(|| match format {
                1 => header(record, time),
                3 => addresses::<4>(record, time),
                4 => addresses::<16>(record, time),
                _ => None,
            });
        }
        let one_in = (self.rate > 1).then_some(f64::from(self.rate));
        Ok(shown.map(|record| FlowRecord { one_in, ..record }))
    }
}

/// A packet by its first bytes.
fn header(record: &[u8], time: Timestamp) -> Option<FlowRecord> {
    let mut record = Cursor::new(record);
    let link = match record.word()? {
        1 => LinkType::ETHERNET,
        11 | 12 => LinkType::RAW,
        _ => return None,
    };
    let length = record.word()?;
    // Bytes that were cut off its end, or taken out of it.
    record.word()?;
    let bytes = record.word()? as usize;
    let bytes = record.take(bytes)?;
    let wire_len = length.max(u32::try_from(bytes.len()).ok()?);
    let frame = Frame { time, wire_len, link, vlan: None, mark: None, bytes };
    let packet = decode::packet(&frame).ok()?;
    let before = bytes.len().saturating_sub(packet.ip.len());
    let on_wire = u64::from(wire_len).saturating_sub(before as u64);
    let has_ports = !matches!(packet.protocol, protocol::ICMP | protocol::ICMPV6);
    let ports = if has_ports { packet.ports } else { [0; 2] };
    Some(one_packet(
        [packet.source, packet.destination],
        ports,
        packet.protocol,
        packet.tcp.map(|tcp| tcp.flags),
        (ip_length(packet.ip).unwrap_or(on_wire).min(on_wire), time),
    ))
}

/// The length of an IP packet by its own word; none where offload leaves that open.
fn ip_length(ip: &[u8]) -> Option<u64> {
    let (stated, more) =
        if ip.first()? >> 4 == 4 { (ip.get(2..4)?, 0) } else { (ip.get(4..6)?, 40) };
    let stated = number(stated);
    (stated != 0).then_some(stated.saturating_add(more))
}

/// A packet whose addresses are told.
fn addresses<const N: usize>(record: &[u8], time: Timestamp) -> Option<FlowRecord>
where
    IpAddr: From<[u8; N]>,
{
    let mut record = Cursor::new(record);
    let (length, number) = (u64::from(record.word()?), u8::try_from(record.word()?).ok()?);
    let ends = [IpAddr::from(record.array()?), IpAddr::from(record.array()?)];
    let mut port = || u16::try_from(record.word()?).ok();
    let ports = [port()?, port()?];
    let flags = (number == protocol::TCP).then(|| record.word()).flatten();
    let length = length.min(LONGEST);
    Some(one_packet(ends, ports, number, flags.map(|flags| flags as u8), (length, time)))
}

fn one_packet(
    [source, destination]: [IpAddr; 2],
    [from, to]: [u16; 2],
    protocol: u8,
    tcp_flags: Option<u8>,
    (bytes, time): (u64, Timestamp),
) -> FlowRecord {
    FlowRecord {
        from: (source, from),
        to: (destination, to),
        protocol,
        first: time,
        last: time,
        sent: Traffic { packets: 1, bytes },
        received: None,
        tcp_flags,
        one_in: None,
        is_forward: None,
        is_blocked: false,
    }
}
