//! The pcap format (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>), in place.

use super::walk::{ByteOrder, Damage, MAX_FRAME, Stop, Walk};
use crate::capture::{Frame, LinkType};
use crate::time::Timestamp;

/// Bytes of the file header.
pub(super) const FILE_HEADER: usize = 24;

/// How the records of one file are to be read.
#[derive(Debug)]
pub(super) struct Pcap {
    order: ByteOrder,
    /// Nanoseconds in a unit of a record's fraction of a second.
    unit: u64,
    /// Bytes of a record's header.
    record_header: usize,
    link: LinkType,
}

/// Why a file is not read as pcap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPcap {
    /// It does not start like one.
    Other,
    /// It ends in its file header.
    Short,
    /// It is of this major version.
    Version(u16),
}

impl Pcap {
    /// Reads the file header.
    ///
    /// # Errors
    /// When it is none, or not whole, or of a version with other records.
    pub(super) fn new(file: &[u8]) -> Result<Self, NotPcap> {
        let magic = *file.first_chunk().ok_or(NotPcap::Other)?;
        let variant = Variant::of(magic).ok_or(NotPcap::Other)?;
        let header: &[u8; FILE_HEADER] = file.first_chunk().ok_or(NotPcap::Short)?;
        let [_, _, _, _, major @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, a, b, c, d] =
            *header;
        let order = variant.order;
        let major = order.u16(major);
        if major != 2 {
            return Err(NotPcap::Version(major));
        }
        // The upper half says whether frames end with their check sequence, and how long it is.
        let link = LinkType(order.u32([a, b, c, d]) as u16);
        Ok(Self { order, unit: variant.unit, record_header: variant.record_header, link })
    }

    /// The link type of all its frames.
    pub(super) const fn link(&self) -> &LinkType {
        &self.link
    }
}

impl Walk for Pcap {
    #[inline]
    fn record<'a>(&mut self, rest: &mut &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Stop> {
        let Some([seconds, fraction, captured, original]) = self.order.words(rest) else {
            return Err(Stop::Short("a record header"));
        };
        if captured > MAX_FRAME {
            return Err(Stop::Damaged(Damage::FrameLength(captured)));
        }
        let Some((record, after)) = rest.split_at_checked(self.record_header + captured as usize)
        else {
            return Err(Stop::Short("a packet"));
        };
        let bytes = record.get(self.record_header..).unwrap_or_default();
        // 32-bit seconds and fractions stay far below the end of 64-bit nanoseconds.
        let nanos = u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * self.unit;
        let time = Timestamp::from_nanos(nanos);
        Ok((
            Frame {
                time,
                wire_len: original.max(captured),
                link: self.link,
                vlan: None,
                mark: None,
                bytes,
            },
            after,
        ))
    }
}

/// What a file's first four bytes say.
struct Variant {
    order: ByteOrder,
    unit: u64,
    record_header: usize,
}

impl Variant {
    fn of(magic: [u8; 4]) -> Option<Self> {
        [ByteOrder::Little, ByteOrder::Big].into_iter().find_map(|order| {
            let (unit, record_header) = match order.u32(magic) {
                0xa1b2_c3d4 => (1000, 16),
                0xa1b2_3c4d => (1, 16),
                // Kuznetzov's patched tcpdump: interface, protocol and direction follow the lengths.
                0xa1b2_cd34 => (1000, 24),
                _ => return None,
            };
            Some(Self { order, unit, record_header })
        })
    }
}
