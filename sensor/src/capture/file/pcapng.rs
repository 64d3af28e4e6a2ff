//! The pcapng format (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>), in place.

mod interface;

use interface::Interface;

use super::walk::{ByteOrder, Damage, MAX_BLOCK, MAX_FRAME, Stop, Walk};
use crate::capture::{Frame, LinkType};
use crate::time::Timestamp;

/// The block type of a section header: the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Bytes of the shortest section header block.
pub(super) const SECTION_HEADER: usize = 28;

/// Interfaces kept for a section; packets of any beyond are invalid.
const MAX_INTERFACES: usize = 65_536;
/// Unsupported link types kept for the note about them.
const MAX_UNSUPPORTED: usize = 8;

/// Block types.
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// A walk over blocks, with what the current section has said so far.
#[derive(Debug)]
pub(super) struct Pcapng {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// The time of the frame before, which simple packets get: they carry none.
    last: Timestamp,
    /// Packets that no interface or no length in their block explains.
    invalid: u64,
    /// Drops that the interfaces of earlier sections reported.
    dropped_before: u64,
    unsupported: Vec<LinkType>,
}

impl Pcapng {
    /// Whether a file that starts with these bytes is one: a section header block.
    pub(super) const fn recognises(start: &[u8; 12]) -> bool {
        let [a, b, c, d, _, _, _, _, magic @ ..] = *start;
        matches!([a, b, c, d], SECTION) && order_of(magic).is_some()
    }

    /// A walk that starts at a file's first section header.
    pub(super) const fn new() -> Self {
        Self {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            last: Timestamp::ZERO,
            invalid: 0,
            dropped_before: 0,
            unsupported: Vec::new(),
        }
    }

    /// The link type of the current section's first interface.
    pub(super) fn link(&self) -> Option<LinkType> {
        self.interfaces.first().map(|interface| interface.link)
    }

    /// Packets that could not be read though their blocks could.
    pub(super) const fn invalid(&self) -> u64 {
        self.invalid
    }

    /// Packets that the interfaces say they lost.
    pub(super) fn dropped(&self) -> u64 {
        let section = self.interfaces.iter().map(|interface| interface.dropped);
        section.fold(self.dropped_before, u64::saturating_add)
    }

    /// Link types met that are not decoded.
    pub(super) fn unsupported(&self) -> &[LinkType] {
        &self.unsupported
    }

    /// The block at the start of `rest` and what follows it.
    #[inline]
    fn block<'a>(&mut self, rest: &'a [u8]) -> Result<(Block<'a>, &'a [u8]), Stop> {
        let Some((&[k0, k1, k2, k3, l0, l1, l2, l3, m0, m1, m2, m3], _)) =
            rest.split_first_chunk::<12>()
        else {
            return Err(Stop::Short("a block header"));
        };
        if [k0, k1, k2, k3] == SECTION {
            let magic = [m0, m1, m2, m3];
            self.order = order_of(magic).ok_or(Stop::Damaged(Damage::SectionMagic(magic)))?;
        }
        let length = self.order.u32([l0, l1, l2, l3]);
        if !length.is_multiple_of(4) || !(12..=MAX_BLOCK).contains(&length) {
            return Err(Stop::Damaged(Damage::BlockLength(length)));
        }
        let Some((block, after)) = rest.split_at_checked(length as usize) else {
            return Err(Stop::Short("a block"));
        };
        let (Some((_, body)), kind) = (block.split_at_checked(8), self.order.u32([k0, k1, k2, k3]))
        else {
            return Err(Stop::Short("a block"));
        };
        let Some((body, &trailer)) = body.split_last_chunk::<4>() else {
            return Err(Stop::Short("a block"));
        };
        match self.order.u32(trailer) {
            trailer if trailer == length => Ok((Block { kind, body }, after)),
            trailer => Err(Stop::Damaged(Damage::BlockTrailer(length, trailer))),
        }
    }

    /// Takes in a block that holds no packet.
    #[cold]
    fn describe(&mut self, block: &Block<'_>) -> Result<(), Stop> {
        match block.kind {
            kind if kind.to_be_bytes() == SECTION => self.section(block.body)?,
            INTERFACE => self.interface(block.body),
            STATISTICS => self.statistics(block.body),
            // Names, secrets, journals, custom and unknown blocks.
            _ => {}
        }
        Ok(())
    }

    fn section(&mut self, body: &[u8]) -> Result<(), Stop> {
        let version = match *body {
            [_, _, _, _, a, b, ..] => self.order.u16([a, b]),
            _ => return Err(Stop::Damaged(Damage::BlockLength(body.len() as u32 + 12))),
        };
        if version != 1 {
            return Err(Stop::Damaged(Damage::SectionVersion(version)));
        }
        self.dropped_before = self.dropped();
        self.interfaces.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8]) {
        // One that cannot be read still has its number.
        let interface = Interface::read(self.order, body).unwrap_or_default();
        let link = interface.link;
        if self.interfaces.len() < MAX_INTERFACES {
            self.interfaces.push(interface);
        }
        if !link.is_supported()
            && !self.unsupported.contains(&link)
            && self.unsupported.len() < MAX_UNSUPPORTED
        {
            self.unsupported.push(link);
        }
    }

    fn statistics(&mut self, body: &[u8]) {
        let Some((&[a, b, c, d, ..], options)) = body.split_first_chunk::<12>() else { return };
        let number = self.order.u32([a, b, c, d]);
        if let Some(interface) = self.interfaces.get_mut(number as usize) {
            interface.count_drops(self.order, options);
        }
    }

    /// An enhanced packet: interface, time, both lengths, the bytes.
    #[inline]
    fn enhanced<'a>(&mut self, body: &'a [u8]) -> Option<Frame<'a>> {
        let (&[i0, i1, i2, i3, times_and_lengths @ ..], bytes) = body.split_first_chunk::<20>()?;
        let number = self.order.u32([i0, i1, i2, i3]);
        self.packet(number, times_and_lengths, bytes)
    }

    /// The obsolete packet block: as the enhanced one, with a count of drops beside the interface.
    fn obsolete<'a>(&mut self, body: &'a [u8]) -> Option<Frame<'a>> {
        let (&[i0, i1, _, _, times_and_lengths @ ..], bytes) = body.split_first_chunk::<20>()?;
        let number = self.order.u16([i0, i1]);
        self.packet(number.into(), times_and_lengths, bytes)
    }

    #[inline]
    fn packet<'a>(&mut self, number: u32, header: [u8; 16], rest: &'a [u8]) -> Option<Frame<'a>> {
        let interface = self.interfaces.get(number as usize)?;
        let [h0, h1, h2, h3, t0, t1, t2, t3, c0, c1, c2, c3, w0, w1, w2, w3] = header;
        let high = u64::from(self.order.u32([h0, h1, h2, h3]));
        let low = u64::from(self.order.u32([t0, t1, t2, t3]));
        let captured = self.order.u32([c0, c1, c2, c3]);
        if captured > MAX_FRAME {
            return None;
        }
        let bytes = rest.get(..captured as usize)?;
        let time = interface.time(high << 32 | low);
        self.last = time;
        let wire_len = self.order.u32([w0, w1, w2, w3]).max(captured);
        Some(Frame { time, wire_len, link: interface.link, bytes })
    }

    /// A simple packet: a length and bytes, of the first interface, padded to four.
    fn simple<'a>(&mut self, body: &'a [u8]) -> Option<Frame<'a>> {
        let (&wire_len, padded) = body.split_first_chunk::<4>()?;
        let wire_len = self.order.u32(wire_len);
        let interface = self.interfaces.first()?;
        let captured = wire_len.min(interface.snaplen);
        if captured > MAX_FRAME {
            return None;
        }
        let bytes = padded.get(..captured as usize)?;
        Some(Frame { time: self.last, wire_len, link: interface.link, bytes })
    }
}

impl Walk for Pcapng {
    #[inline]
    fn record<'a>(&mut self, rest: &mut &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Stop> {
        loop {
            let (block, after) = self.block(rest)?;
            let frame = match block.kind {
                ENHANCED_PACKET => self.enhanced(block.body),
                SIMPLE_PACKET => self.simple(block.body),
                PACKET => self.obsolete(block.body),
                _ => {
                    self.describe(&block)?;
                    *rest = after;
                    continue;
                }
            };
            if let Some(frame) = frame {
                return Ok((frame, after));
            }
            self.invalid += 1;
            *rest = after;
        }
    }
}

/// A block without its lengths.
struct Block<'a> {
    kind: u32,
    body: &'a [u8],
}

/// The byte order in which a section's magic reads 0x1a2b3c4d.
const fn order_of(magic: [u8; 4]) -> Option<ByteOrder> {
    match magic {
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(ByteOrder::Little),
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(ByteOrder::Big),
        _ => None,
    }
}
