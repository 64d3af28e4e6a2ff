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

impl Pcap {
    /// Whether a file that starts with these bytes is one.
    pub(super) fn recognises(magic: [u8; 4]) -> bool {
        Variant::of(magic).is_some()
    }

    /// Reads the file header; `None` when this is none.
    pub(super) fn new(header: &[u8; FILE_HEADER]) -> Option<Self> {
        let [magic @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, a, b, c, d] = *header;
        let variant = Variant::of(magic)?;
        // The upper half says whether frames end with their check sequence, and how long it is.
        let link = LinkType(variant.order.u32([a, b, c, d]) as u16);
        Some(Self {
            order: variant.order,
            unit: variant.unit,
            record_header: variant.record_header,
            link,
        })
    }

    /// The link type of all its frames.
    pub(super) const fn link(&self) -> &LinkType {
        &self.link
    }
}

impl Walk for Pcap {
    #[inline]
    fn record<'a>(&mut self, rest: &mut &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Stop> {
        let Some((&[s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3], _)) =
            rest.split_first_chunk::<16>()
        else {
            return Err(Stop::Short("a record header"));
        };
        let seconds = u64::from(self.order.u32([s0, s1, s2, s3]));
        let fraction = u64::from(self.order.u32([f0, f1, f2, f3]));
        let captured = self.order.u32([c0, c1, c2, c3]);
        let wire_len = self.order.u32([w0, w1, w2, w3]).max(captured);
        if captured > MAX_FRAME {
            return Err(Stop::Damaged(Damage::FrameLength(captured)));
        }
        let Some((record, after)) = rest.split_at_checked(self.record_header + captured as usize)
        else {
            return Err(Stop::Short("a packet"));
        };
        let bytes = record.get(self.record_header..).unwrap_or_default();
        // 32-bit seconds and fractions stay far below the end of 64-bit nanoseconds.
        let time = Timestamp::from_nanos(seconds * 1_000_000_000 + fraction * self.unit);
        Ok((Frame { time, wire_len, link: self.link, bytes }, after))
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
