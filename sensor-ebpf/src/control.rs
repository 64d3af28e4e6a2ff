//! What user space may change while the program runs.

/// What becomes of packets in XDP once they are counted.
pub mod action {
    /// They end here: a mirror port. What is addressed to the interface itself still passes.
    pub const DROP: u32 = 0;
    /// They go on: a host in the path.
    pub const PASS: u32 = 1;
}

/// The only item of its map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Control {
    /// One of [`action`].
    pub action: u32,
    /// Which of the two overflow maps is written, 0 or 1: user space empties the other.
    pub epoch: u32,
    /// Whether second copies of packets are looked for: 0 or 1.
    pub copies: u32,
    /// Zero.
    pub unused: u32,
}
