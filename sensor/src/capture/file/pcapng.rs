//! The pcapng format (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>), in place.

mod interface;

use interface::Interface;

use super::walk::{ByteOrder, Damage, MAX_BLOCK, MAX_FRAME, Stop, Walk};
use crate::capture::{Frame, LinkType};
use crate::time::Timestamp;

/// The block type of a section header: the same in both byte orders.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
/// What follows its length, read in the section's byte order.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

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
    pub(super) fn recognises(start: &[u8; 12]) -> bool {
        let words = ByteOrder::Little.words(start);
        words.is_some_and(|[kind, _, magic]: [u32; 3]| {
            kind == SECTION && [magic, magic.swap_bytes()].contains(&BYTE_ORDER_MAGIC)
        })
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
        let Some([kind, mut length, magic]) = self.order.words(rest) else {
            return Err(Stop::Short("a block header"));
        };
        if kind == SECTION && magic != BYTE_ORDER_MAGIC {
            if magic.swap_bytes() != BYTE_ORDER_MAGIC {
                return Err(Stop::Damaged(Damage::SectionMagic(magic)));
            }
            self.order = self.order.other();
            length = length.swap_bytes();
        }
        if !length.is_multiple_of(4) || !(12..=MAX_BLOCK).contains(&length) {
            return Err(Stop::Damaged(Damage::BlockLength(length)));
        }
        let whole = rest.split_at_checked(length as usize).and_then(|(block, after)| {
            let (body, trailer) = block.split_last_chunk::<4>()?;
            Some((body.get(8..)?, self.order.u32(*trailer), after))
        });
        match whole {
            Some((body, trailer, after)) if trailer == length => Ok((Block { kind, body }, after)),
            Some((_, trailer, _)) => Err(Stop::Damaged(Damage::BlockTrailer(length, trailer))),
            None => Err(Stop::Short("a block")),
        }
    }

    /// Takes in a block that holds no packet.
    #[cold]
    fn describe(&mut self, block: &Block<'_>) -> Result<(), Stop> {
        match block.kind {
            SECTION => self.section(block.body)?,
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
        let Some([number, _, _]) = self.order.words(body) else { return };
        if let Some(interface) = self.interfaces.get_mut(number as usize) {
            interface.count_drops(self.order, body.get(12..).unwrap_or_default());
        }
    }

    /// An enhanced packet, or an obsolete packet: that has a count of drops beside the interface.
    #[inline]
    fn packet<'a>(&mut self, block: &Block<'a>) -> Option<Frame<'a>> {
        let [mut number, high, low, captured, original] = self.order.words(block.body)?;
        if block.kind == PACKET {
            let [a, b, ..] = *block.body else { return None };
            number = self.order.u16([a, b]).into();
        }
        if captured > MAX_FRAME {
            return None;
        }
        let bytes = block.body.get(20..20 + captured as usize)?;
        let interface = self.interfaces.get(number as usize)?;
        let time = interface.time(u64::from(high) << 32 | u64::from(low));
        self.last = time;
        Some(Frame {
            time,
            wire_len: original.max(captured),
            link: interface.link,
            vlan: None,
            mark: None,
            bytes,
        })
    }

    /// A simple packet: a length and bytes, of the first interface.
    fn simple<'a>(&self, block: &Block<'a>) -> Option<Frame<'a>> {
        let [wire_len] = self.order.words(block.body)?;
        let interface = self.interfaces.first()?;
        let captured = wire_len.min(interface.snaplen);
        if captured > MAX_FRAME {
            return None;
        }
        let bytes = block.body.get(4..4 + captured as usize)?;
        Some(Frame {
            time: self.last,
            wire_len,
            link: interface.link,
            vlan: None,
            mark: None,
            bytes,
        })
    }
}

impl Walk for Pcapng {
    #[inline]
    fn record<'a>(&mut self, rest: &mut &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Stop> {
        loop {
            let (block, after) = self.block(rest)?;
            let frame = match block.kind {
                ENHANCED_PACKET | PACKET => self.packet(&block),
                SIMPLE_PACKET => self.simple(&block),
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
