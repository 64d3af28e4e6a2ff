//! Writes captures of every form, for the tests of what reads them.

use std::io::Write as _;

use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};

/// A packet to be written: nanoseconds, length on the wire, captured bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) nanos: u64,
    pub(super) wire_len: u32,
    pub(super) bytes: Vec<u8>,
}

/// Packets a millisecond apart, each of another length and content.
pub(super) fn packets(count: u64) -> Vec<Packet> {
    (0..count)
        .map(|n| Packet {
            nanos: 1_700_000_000_000_000_000 + n * 1_000_000,
            wire_len: 1000 + n as u32,
            bytes: (0..20 + n % 7).map(|i| (n * 31 + i) as u8).collect(),
        })
        .collect()
}

/// Numbers in either byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) big: bool,
}

pub(super) const LITTLE: Order = Order { big: false };
pub(super) const BIG: Order = Order { big: true };

impl Order {
    pub(super) fn u16(self, n: u16) -> [u8; 2] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(super) fn u32(self, n: u32) -> [u8; 4] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    pub(super) fn u32s(self, numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| self.u32(*n)).collect()
    }

    pub(super) fn u64(self, n: u64) -> [u8; 8] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }
}

pub(super) const MICROS: u32 = 0xa1b2_c3d4;
pub(super) const NANOS: u32 = 0xa1b2_3c4d;
pub(super) const MODIFIED: u32 = 0xa1b2_cd34;

/// A pcap file.
pub(super) fn pcap(order: Order, magic: u32, network: u32, packets: &[Packet]) -> Vec<u8> {
    let mut file = order.u32(magic).to_vec();
    file.extend([order.u16(2), order.u16(4)].concat());
    file.extend(order.u32s(&[0, 0, 65_535, network]));
    let unit = if magic == NANOS { 1 } else { 1000 };
    for packet in packets {
        let (seconds, fraction) = (packet.nanos / 1_000_000_000, packet.nanos % 1_000_000_000);
        let captured = packet.bytes.len() as u32;
        file.extend(order.u32s(&[
            seconds as u32,
            (fraction / unit) as u32,
            captured,
            packet.wire_len,
        ]));
        if magic == MODIFIED {
            file.extend([0xee; 8]);
        }
        file.extend(&packet.bytes);
    }
    file
}

/// A pcap file of Ethernet frames as most systems write it.
pub(super) fn plain(packets: &[Packet]) -> Vec<u8> {
    pcap(LITTLE, MICROS, 1, packets)
}

/// A pcapng block.
pub(super) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = order.u32(padded as u32 + 12);
    let mut block = [order.u32(kind), length].concat();
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(length);
    block
}

/// A section header block.
pub(super) fn section(order: Order) -> Vec<u8> {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend([order.u16(1), order.u16(0)].concat());
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// An option, padded.
pub(super) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let mut option = [order.u16(code), order.u16(value.len() as u16)].concat();
    option.extend(value);
    option.resize(option.len().next_multiple_of(4), 0);
    option
}

/// An interface description block.
pub(super) fn interface(order: Order, link: u16, snaplen: u32, options: &[u8]) -> Vec<u8> {
    let mut body = [order.u16(link), [0; 2]].concat();
    body.extend(order.u32(snaplen));
    body.extend(options);
    block(order, 1, &body)
}

/// An enhanced packet block, its time in units of the interface.
pub(super) fn enhanced(order: Order, interface: u32, units: u64, packet: &Packet) -> Vec<u8> {
    let captured = packet.bytes.len() as u32;
    let (high, low) = ((units >> 32) as u32, units as u32);
    let mut body = order.u32s(&[interface, high, low, captured, packet.wire_len]);
    body.extend(&packet.bytes);
    block(order, 6, &body)
}

/// An interface statistics block with its count of drops.
pub(super) fn statistics(order: Order, interface: u32, dropped: u64) -> Vec<u8> {
    let mut body = order.u32s(&[interface, 0, 0]);
    body.extend(option(order, 5, &order.u64(dropped)));
    block(order, 5, &body)
}

/// A pcapng file of one section and one Ethernet interface that counts nanoseconds.
pub(super) fn pcapng(order: Order, packets: &[Packet]) -> Vec<u8> {
    let mut file = section(order);
    file.extend(interface(order, 1, 0, &option(order, 9, &[9])));
    for packet in packets {
        file.extend(enhanced(order, 0, packet.nanos, packet));
    }
    file
}

/// The bytes as one gzip member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes as one zstd frame.
pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The bytes as one lz4 frame of small blocks.
pub(super) fn lz4(bytes: &[u8]) -> Vec<u8> {
    lz4_of(BlockSize::Max64KB, bytes)
}

/// The same with blocks of another size.
pub(super) fn lz4_of(size: BlockSize, bytes: &[u8]) -> Vec<u8> {
    let info = FrameInfo::new().block_size(size);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
