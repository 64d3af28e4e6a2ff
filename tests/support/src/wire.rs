//! Frames as they are on the wire: Ethernet with VLAN tags, IPv4 or IPv6, TCP or UDP, with right
//! checksums and padding. Writing one allocates nothing.

use std::net::IpAddr;

mod pcap;
pub mod tunnel;

pub use pcap::{Capture, Resolution, split};

/// The largest payload of a frame whose IP header has room for its length: segmentation offload hands
/// up IP packets of at most 65,535 bytes.
pub const MAX_PAYLOAD: usize = 65_000;
/// The largest payload of any frame: with BIG TCP (Linux 6.3) offload hands up half a megabyte at once, and
/// the length in the IP header is 0.
pub const BIG_PAYLOAD: usize = 500_000;

/// One end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// MAC address: its own, or the gateway's where it is behind one.
    pub mac: [u8; 6],
    /// Address; both ends of a path are of one version.
    pub ip: IpAddr,
    /// TCP or UDP port.
    pub port: u16,
}

/// From whom to whom, and under which VLAN tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// Sender.
    pub from: Endpoint,
    /// Receiver.
    pub to: Endpoint,
    /// VLAN ids, outermost first; two of them are written as 802.1ad and 802.1Q (QinQ).
    pub vlans: [Option<u16>; 2],
}

impl Path {
    /// The way back.
    #[must_use]
    pub const fn back(&self) -> Self {
        Self { from: self.to, to: self.from, vlans: self.vlans }
    }
}

/// TCP flag bits (RFC 9293).
pub mod flag {
    /// No more data.
    pub const FIN: u8 = 1;
    /// Opening.
    pub const SYN: u8 = 2;
    /// Refused or aborted.
    pub const RST: u8 = 4;
    /// To be handed up at once.
    pub const PSH: u8 = 8;
    /// The acknowledgment number counts.
    pub const ACK: u8 = 16;
}

/// A TCP segment's header. One with SYN carries the options that systems send with it: largest
/// segment 1460, selective acknowledgments, window scale 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// [`flag`]s.
    pub flags: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
}

/// A payload of which the capture may hold the beginning only.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    captured: &'a [u8],
    length: usize,
}

impl<'a> Payload<'a> {
    /// Nothing.
    pub const NONE: Payload<'static> = Payload { captured: &[], length: 0 };

    /// A payload captured whole.
    pub const fn whole(bytes: &'a [u8]) -> Self {
        Self { captured: bytes, length: bytes.len() }
    }

    /// A payload of `length` bytes on the wire (at most [`BIG_PAYLOAD`]), of which `captured` was
    /// captured; the rest counts as zeros in the checksum.
    pub fn cut(captured: &'a [u8], length: usize) -> Self {
        assert!(captured.len() <= length && length <= BIG_PAYLOAD, "{length} bytes of payload");
        Self { captured, length }
    }

    /// Its length on the wire.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// A frame, written in place: one buffer serves any number of them.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    bytes: Vec<u8>,
    wire_len: u32,
    ip_id: u16,
}

impl Frame {
    /// An empty frame whose IPv4 identification starts at `ip_id` and counts up.
    pub fn new(ip_id: u16) -> Self {
        Self { bytes: Vec::with_capacity(2048), wire_len: 0, ip_id }
    }

    /// What is captured of the frame.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The frame's length on the wire.
    pub const fn wire_len(&self) -> u32 {
        self.wire_len
    }

    /// Writes a TCP segment.
    pub fn tcp(&mut self, path: &Path, segment: Segment, payload: Payload<'_>) -> &Self {
        const SYN_OPTIONS: [u8; 12] = [2, 4, 0x05, 0xb4, 4, 2, 1, 3, 3, 7, 1, 1];
        let options: &[u8] = if segment.flags & flag::SYN != 0 { &SYN_OPTIONS } else { &[] };
        let header = 20 + options.len();
        let at = self.ip(path, 6, header + payload.length);
        self.bytes.extend_from_slice(&path.from.port.to_be_bytes());
        self.bytes.extend_from_slice(&path.to.port.to_be_bytes());
        self.bytes.extend_from_slice(&segment.sequence.to_be_bytes());
        self.bytes.extend_from_slice(&segment.acknowledgment.to_be_bytes());
        self.bytes.extend_from_slice(&[(header as u8 / 4) << 4, segment.flags, 0xfa, 0xf0]);
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(options);
        self.bytes.extend_from_slice(payload.captured);
        let sum = checksum(pseudo_header(path, 6, header + payload.length), &self.bytes[at..]);
        self.bytes[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
        self.pad(payload)
    }

    /// Writes a UDP datagram.
    pub fn udp(&mut self, path: &Path, payload: Payload<'_>) -> &Self {
        let length = 8 + payload.length;
        let at = self.ip(path, 17, length);
        self.bytes.extend_from_slice(&path.from.port.to_be_bytes());
        self.bytes.extend_from_slice(&path.to.port.to_be_bytes());
        self.bytes.extend_from_slice(&(length as u16).to_be_bytes());
        self.bytes.extend_from_slice(&[0; 2]);
        self.bytes.extend_from_slice(payload.captured);
        let sum = checksum(pseudo_header(path, 17, length), &self.bytes[at..]);
        // Zero means "no checksum" in UDP; its other form means zero (RFC 768).
        let sum = if sum == 0 { 0xffff } else { sum };
        self.bytes[at + 6..at + 8].copy_from_slice(&sum.to_be_bytes());
        self.pad(payload)
    }

    /// Starts the frame up to the end of the IP header, for `length` bytes above IP; gives where
    /// those begin.
    fn ip(&mut self, path: &Path, protocol: u8, length: usize) -> usize {
        self.bytes.clear();
        self.bytes.extend_from_slice(&path.to.mac);
        self.bytes.extend_from_slice(&path.from.mac);
        let tags = path.vlans.iter().flatten();
        let mut kind = if tags.clone().count() == 2 { [0x88, 0xa8] } else { [0x81, 0x00] };
        for id in tags {
            self.bytes.extend_from_slice(&kind);
            self.bytes.extend_from_slice(&id.to_be_bytes());
            kind = [0x81, 0x00];
        }
        match (path.from.ip, path.to.ip) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                self.bytes.extend_from_slice(&[0x08, 0x00]);
                let at = self.bytes.len();
                self.bytes.extend_from_slice(&[0x45, 0]);
                self.bytes.extend_from_slice(&stated(20 + length));
                self.bytes.extend_from_slice(&self.ip_id.to_be_bytes());
                self.ip_id = self.ip_id.wrapping_add(1);
                self.bytes.extend_from_slice(&[0x40, 0, 64, protocol, 0, 0]);
                self.bytes.extend_from_slice(&from.octets());
                self.bytes.extend_from_slice(&to.octets());
                let sum = checksum(0, &self.bytes[at..]);
                self.bytes[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                self.bytes.extend_from_slice(&[0x86, 0xdd, 0x60, 0, 0, 0]);
                self.bytes.extend_from_slice(&stated(length));
                self.bytes.extend_from_slice(&[protocol, 64]);
                self.bytes.extend_from_slice(&from.octets());
                self.bytes.extend_from_slice(&to.octets());
            }
            (from, to) => panic!("a path from {from} to {to} mixes IP versions"),
        }
        self.bytes.len()
    }

    fn pad(&mut self, payload: Payload<'_>) -> &Self {
        let missing = payload.length - payload.captured.len();
        if missing == 0 && self.bytes.len() < 60 {
            self.bytes.resize(60, 0);
        }
        self.wire_len = (self.bytes.len() + missing).max(60) as u32;
        self
    }
}

/// A length in an IP header; of one too large the header says nothing.
fn stated(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(0).to_be_bytes()
}

/// The sum that the addresses, the protocol and the length add to a TCP or UDP checksum.
fn pseudo_header(path: &Path, protocol: u8, length: usize) -> u64 {
    let start = u64::from(protocol) + length as u64;
    match (path.from.ip, path.to.ip) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(sum(start, &from.octets()), &to.octets()),
        (from, to) => sum(sum(start, &octets_v6(from)), &octets_v6(to)),
    }
}

fn octets_v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The Internet checksum (RFC 1071) of `bytes` on top of `start`.
fn checksum(start: u64, bytes: &[u8]) -> u16 {
    let mut folded = sum(start, bytes);
    while folded >> 16 != 0 {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}

/// Adds 16-bit words, taken two at a time: the carries are folded once, at the end.
fn sum(start: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total = start;
    for word in words {
        total += u64::from(u32::from_be_bytes(*word));
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    total + u64::from(u32::from_be_bytes(last))
}

#[cfg(test)]
mod tests {
    use etherparse::{SlicedPacket, TransportSlice};

    use super::*;

    fn path(v6: bool, vlans: [Option<u16>; 2]) -> Path {
        let ip = |last: u16| -> IpAddr {
            if v6 {
                format!("2001:db8::{last}").parse().unwrap()
            } else {
                format!("10.0.0.{last}").parse().unwrap()
            }
        };
        let end =
            |n: u8, port| Endpoint { mac: [0, 0x50, 0x56, 0x80, 0, n], ip: ip(n.into()), port };
        Path { from: end(1, 40_000), to: end(2, 443), vlans }
    }

    /// Parses the frame with an independent reader and checks every length and checksum in it.
    fn check(frame: &Frame, path: &Path, payload: &[u8]) {
        let sliced = SlicedPacket::from_ethernet(frame.bytes()).unwrap();
        let ids: Vec<u16> = sliced.vlan_ids().iter().map(|id| id.value()).collect();
        assert_eq!(ids, path.vlans.iter().flatten().copied().collect::<Vec<_>>());
        let ip = sliced.net.unwrap();
        if let Some(v4) = ip.ipv4_ref() {
            let header = v4.header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
        }
        let (sent, found, right) = match (sliced.transport.unwrap(), path.from.ip, path.to.ip) {
            (TransportSlice::Tcp(tcp), IpAddr::V4(from), IpAddr::V4(to)) => (
                tcp.payload().to_vec(),
                tcp.checksum(),
                tcp.calc_checksum_ipv4(from.octets(), to.octets()).unwrap(),
            ),
            (TransportSlice::Tcp(tcp), IpAddr::V6(from), IpAddr::V6(to)) => (
                tcp.payload().to_vec(),
                tcp.checksum(),
                tcp.calc_checksum_ipv6(from.octets(), to.octets()).unwrap(),
            ),
            (TransportSlice::Udp(udp), IpAddr::V4(from), IpAddr::V4(to)) => (
                udp.payload().to_vec(),
                udp.checksum(),
                udp.to_header()
                    .calc_checksum_ipv4_raw(from.octets(), to.octets(), udp.payload())
                    .unwrap(),
            ),
            (TransportSlice::Udp(udp), IpAddr::V6(from), IpAddr::V6(to)) => (
                udp.payload().to_vec(),
                udp.checksum(),
                udp.to_header()
                    .calc_checksum_ipv6_raw(from.octets(), to.octets(), udp.payload())
                    .unwrap(),
            ),
            (other, ..) => panic!("{other:?}"),
        };
        assert_eq!(sent, payload);
        assert_eq!(found, right);
    }

    #[test]
    fn an_independent_reader_finds_every_field_and_checksum_right() {
        let mut frame = Frame::new(0xfffe);
        for v6 in [false, true] {
            for vlans in [[None, None], [Some(20), None], [Some(100), Some(20)]] {
                for length in [0, 1, 7, 18, 64, 1447] {
                    let path = path(v6, vlans);
                    let payload: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
                    for flags in [flag::SYN, flag::SYN | flag::ACK, flag::ACK | flag::PSH] {
                        let segment = Segment { flags, sequence: 0xffff_ff00, acknowledgment: 9 };
                        frame.tcp(&path, segment, Payload::whole(&payload));
                        check(&frame, &path, &payload);
                        assert!(frame.wire_len() >= 60);
                        assert_eq!(frame.wire_len() as usize, frame.bytes().len());
                    }
                    frame.udp(&path, Payload::whole(&payload));
                    check(&frame, &path, &payload);
                }
            }
        }
    }

    #[test]
    fn a_cut_payload_keeps_its_length_and_checksum() {
        let path = path(false, [None, None]);
        let segment = Segment { flags: flag::ACK, sequence: 1, acknowledgment: 1 };
        let mut whole = Frame::new(1);
        let mut bytes = vec![0u8; 9000];
        bytes[..20].fill(0xab);
        whole.tcp(&path, segment, Payload::whole(&bytes));
        let mut cut = Frame::new(1);
        cut.tcp(&path, segment, Payload::cut(&bytes[..20], 9000));
        assert_eq!(cut.wire_len(), whole.wire_len());
        assert_eq!(cut.bytes(), &whole.bytes()[..cut.bytes().len()]);
    }
}
