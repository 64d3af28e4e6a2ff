//! Slots of the hot table.

/// Slots of a set: a flow may lie in any of them, and the one that was quiet for longest gives way.
/// (Of half a million flows in as many slots, twice as many meet a full set with two ways as with four.)
pub const WAYS: u32 = 4;

/// Slots that have one [`Touched`] together.
pub const BLOCK: u32 = 128;

/// A flow has counted much whenever its bytes pass a multiple of this, a power of two.
pub const MUCH: u64 = 1 << 18;

/// What was counted in a block of slots since user space has set this to 0, so that it need not look at
/// all slots. The program stores 1 and never asks what is there: a store comes behind those before it,
/// a load may come ahead of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Touched {
    /// Anything.
    pub any: u32,
    /// As much as [`MUCH`], to one flow.
    pub much: u32,
}

/// Added to [`Slot::sequence`] for each flow that takes a slot.
pub const TAKEN: u32 = 2;

/// One direction of a flow, as it is on the wire: network byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Key<A> {
    /// Source address.
    pub source: A,
    /// Destination address.
    pub destination: A,
    /// Source port, for protocols with ports; else 0.
    pub source_port: [u8; 2],
    /// Destination port, likewise.
    pub destination_port: [u8; 2],
    /// IP protocol number.
    pub protocol: u8,
    /// Zero.
    pub unused: [u8; 3],
}

/// Over IPv4.
pub type Key4 = Key<[u8; 4]>;

/// Over IPv6; in the overflow map, over IPv4 with IPv4-mapped addresses, too.
pub type Key6 = Key<[u8; 16]>;

impl<A: Copy> Key<A> {
    /// The other direction's key.
    #[inline]
    #[must_use]
    pub const fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..*self
        }
    }
}

/// What was counted of one direction of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Count {
    /// Packets that were counted here and did not go up.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// When the first of them came, in nanoseconds of `CLOCK_MONOTONIC`, as exact as a tick.
    pub first: u64,
    /// When the last of them came.
    pub last: u64,
    /// All TCP flags of them.
    pub tcp_flags: u32,
    /// Bytes of payload that went up.
    pub handed: u32,
}

/// A slot of the hot table: 64 bytes with a [`Key4`], 128 with a [`Key6`].
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct Slot<K> {
    /// 0: never taken. Odd while a flow takes the slot. Grows by [`TAKEN`] with each.
    pub sequence: u32,
    /// Written by user space: equal to `sequence` when this direction has been read enough.
    pub read: u32,
    /// Whose it is.
    pub key: K,
    /// What was counted.
    pub count: Count,
}

/// A set of slots: one item of the map.
pub type Set<K> = [Slot<K>; WAYS as usize];

const _: () = assert!(size_of::<Key4>() == 16 && size_of::<Key6>() == 40);
const _: () = assert!(size_of::<Count>() == 40);
const _: () = assert!(size_of::<Slot<Key4>>() == 64 && size_of::<Slot<Key6>>() == 128);
