//! What the walks over pcap records and pcapng blocks have in common.

use std::fmt;

use crate::capture::{Burst, Frame};
use crate::time::Timestamp;

/// The most bytes captured of a frame: the bound of libpcap (`MAXIMUM_SNAPLEN`) and of Wireshark
/// (`WTAP_MAX_PACKET_SIZE_STANDARD`). A record that claims more is damaged.
pub(super) const MAX_FRAME: u32 = 262_144;

/// The longest pcapng block, as in libpcap (`INITIAL_MAX_BLOCKSIZE`) and Wireshark.
pub(super) const MAX_BLOCK: u32 = 16 << 20;

/// Finds records one after another in the bytes of a capture.
pub(super) trait Walk {
    /// The frame at the start of `rest`, and what follows it.
    ///
    /// What lies before the frame and is none is dropped from `rest`; the frame stays, so that
    /// asking again gives it again.
    ///
    /// # Errors
    /// When there is no whole frame in `rest`.
    fn record<'a>(&mut self, rest: &mut &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Stop>;
}

/// Moves frames from `rest` to `burst` until that is full, or there is no whole frame, or the next
/// is later than `limit`: then its time is returned.
#[inline]
pub(super) fn run<'a>(
    walk: &mut impl Walk,
    rest: &mut &'a [u8],
    limit: Timestamp,
    burst: &mut Burst<'a>,
) -> Option<Timestamp> {
    while !burst.is_full() {
        let (frame, after) = walk.record(rest).ok()?;
        if frame.time > limit {
            return Some(frame.time);
        }
        burst.try_push(frame).ok()?;
        *rest = after;
    }
    None
}

/// Why there is no whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end before this is whole.
    Short(&'static str),
    /// From here on nothing can be read.
    Damaged(Damage),
}

/// What makes a record or block unreadable, together with all that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// A pcap record claims this many captured bytes.
    FrameLength(u32),
    /// A pcapng block claims this length.
    BlockLength(u32),
    /// A pcapng block gives two lengths, at its start and at its end.
    BlockTrailer(u32, u32),
    /// A pcapng section's byte-order magic is neither way round.
    SectionMagic(u32),
    /// A pcapng section is of this major version.
    SectionVersion(u16),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameLength(seen) => {
                write!(f, "record claims {seen} captured bytes, expected at most {MAX_FRAME}")
            }
            Self::BlockLength(seen) => {
                write!(f, "block claims {seen} bytes, expected 12 to {MAX_BLOCK} in steps of 4")
            }
            Self::BlockTrailer(start, end) => {
                write!(f, "block claims {start} bytes at its start and {end} at its end")
            }
            Self::SectionMagic(seen) => {
                write!(
                    f,
                    "section has byte-order magic {seen:08x}, expected 1a2b3c4d either way round"
                )
            }
            Self::SectionVersion(seen) => {
                write!(f, "section is of pcapng version {seen}, expected 1")
            }
        }
    }
}

/// The byte order of the machine that wrote a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

impl ByteOrder {
    /// The opposite one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Little => Self::Big,
            Self::Big => Self::Little,
        }
    }

    /// Two bytes as a number.
    #[inline]
    pub(super) const fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Four bytes as a number.
    #[inline]
    pub(super) const fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// The first numbers of a header, if it is whole: one look at the byte order for all of them.
    #[inline]
    pub(super) fn words<const N: usize>(self, header: &[u8]) -> Option<[u32; N]> {
        let words = *header.as_chunks().0.first_chunk()?;
        Some(match self {
            Self::Little => words.map(u32::from_le_bytes),
            Self::Big => words.map(u32::from_be_bytes),
        })
    }

    /// Eight bytes as a number.
    pub(super) const fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}
