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
    /// Zero.
    pub unused: [u64; 2],
}

const _: () = assert!(size_of::<Totals>() == 128);
