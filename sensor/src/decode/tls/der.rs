//! Values in the distinguished encoding of ASN.1 (X.690), in place, as far as certificates need it.

use super::reader::Reader;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A value and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// Its tag, of those that take one byte.
    pub(super) tag: u8,
    /// Its content.
    pub(super) bytes: &'a [u8],
}

impl<'a> Value<'a> {
    /// The next value. Lengths beyond 64 KiB are none that a certificate has.
    pub(super) fn read(from: &mut Reader<'a>) -> Option<Self> {
        let tag = from.byte().filter(|tag| tag & 0x1f != 0x1f)?;
        let len = match from.byte()? {
            len @ 0..=0x7f => usize::from(len),
            0x81 => usize::from(from.byte()?),
            0x82 => usize::from(from.short()?),
            _ => return None,
        };
        Some(Self { tag, bytes: from.take(len)? })
    }

    /// The content of the next value, which must be of this tag.
    pub(super) fn expect(from: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
        Self::read(from).filter(|value| value.tag == tag).map(|value| value.bytes)
    }

    /// What is in the next value, which must be of this tag.
    pub(super) fn enter(from: &mut Reader<'a>, tag: u8) -> Option<Reader<'a>> {
        Self::expect(from, tag).map(Reader::new)
    }
}
