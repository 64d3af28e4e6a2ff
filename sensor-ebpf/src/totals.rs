//! What a processor has counted in all.

/// Counters of one processor, which alone writes them: two cache lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(128))]
pub struct Totals {
    /// Packets seen.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Of them, packets that went up to user space, which counts them.
    pub handed: u64,
    /// Their bytes on the wire.
    pub handed_bytes: u64,
    /// Packets that were to go up and found the ring full: counted here instead, but not read.
    pub ring_full: u64,
    /// Slots that gave way with something counted.
    pub evicted: u64,
    /// Packets that found neither a slot nor room for an eviction, counted in the overflow map.
    pub overflow: u64,
    /// Packets that belong to no flow that could be told or stored.
    pub unattributed: u64,
    /// Their bytes on the wire.
    pub unattributed_bytes: u64,
    /// Packets that the program could not parse; they went up as long as the ring had room.
    pub unparsed: u64,
    /// Second copies of packets; counted nowhere else.
    pub duplicates: u64,
    /// Slots taken for the first time.
    pub slots_used: u64,
    /// When a reader was last woken: the program's own.
    pub woken: u64,
    /// The program's own, too.
    pub scratch: u64,
    /// How much of its share of a table is in use: the program's own, too.
    pub in_use: InUse,
}

/// How many sets of each ring's share of a processor's part are in use.
///
/// Flows lie close together as long as they are few: each page of the table that is touched costs the
/// processor an entry of its address cache, and of that a miss costs more than all the counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct InUse {
    /// The bits of a pair's number that count; the lowest ones always do, see [`LEAST_PAIRS`].
    pub mask: u32,
    /// Flows that gave way soon after a packet of theirs, since `since`.
    pub crowded: u32,
    /// [`Totals::packets`] when that was last looked at.
    pub since: u64,
}

/// Pairs of sets, one set a direction, that are in use at least.
pub const LEAST_PAIRS: u32 = 1 << 11;

const _: () = assert!(size_of::<Totals>() == 128);
