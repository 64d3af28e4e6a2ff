//! Records of the rings, through which packets and evicted slots go up.

use crate::slot::{Count, Key4, Key6};

/// The first word of each record.
pub mod kind {
    /// A packet: [`super::Handed`], then its bytes.
    pub const PACKET: u32 = 1;
    /// A slot of the IPv4 table gives way: [`super::Evicted`].
    pub const EVICTED_4: u32 = 2;
    /// A slot of the IPv6 table gives way.
    pub const EVICTED_6: u32 = 3;
}

/// [`Handed::slot`] of a packet that has none.
pub const NO_SLOT: u32 = u32::MAX;

/// Set in [`Handed::vlan`] where there is a tag.
pub const TAGGED: u32 = 1 << 16;

/// The head of a packet that goes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Handed {
    /// [`kind::PACKET`].
    pub kind: u32,
    /// Its bytes that follow.
    pub captured: u32,
    /// Its length on the wire, link header and all VLAN tags included.
    pub wire_len: u32,
    /// The VLAN tag that the kernel took out of it, with [`TAGGED`] set where there is one.
    pub vlan: u32,
    /// When it came, in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Which slot holds its flow, in the table that its IP version has.
    pub slot: u32,
    /// That slot's sequence, to write back when enough was read.
    pub sequence: u32,
    /// 4 or 6: whose table `slot` is of.
    pub version: u32,
    /// Zero.
    pub unused: u32,
}

/// A slot that gives way, with what it has counted; aligned to 8 bytes, as rings align no better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Evicted<K> {
    /// [`kind::EVICTED_4`] or [`kind::EVICTED_6`].
    pub kind: u32,
    /// Which slot of its table.
    pub index: u32,
    /// 1 when a SYN opens the connection anew: its packets come behind this record, and what was
    /// counted belongs to the one before.
    pub reopened: u32,
    /// The slot's sequence.
    pub sequence: u32,
    /// Whose it was.
    pub key: K,
    /// What it has counted.
    pub count: Count,
}

/// Records of packets come in these sizes, head included: a ring reserves constants only. The first
/// is for headers alone, the third for a frame of Ethernet, the fourth for a jumbo frame, and the last
/// for what segmentation offload has joined.
pub mod size {
    /// Bytes of the smallest.
    pub const HEADERS: usize = 128;
    /// Bytes of what most questions and answers fit in.
    pub const MESSAGE: usize = 512;
    /// Bytes for a frame of 1518 bytes with two more tags.
    pub const FRAME: usize = 1600;
    /// Bytes for a frame of 9 KB.
    pub const JUMBO: usize = 9216;
    /// Bytes of the largest.
    pub const JOINED: usize = 65_792;
}

const _: () = assert!(size_of::<Handed>() == 40);
const _: () = assert!(size_of::<Evicted<Key4>>() == 72 && size_of::<Evicted<Key6>>() == 96);
