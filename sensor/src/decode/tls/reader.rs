//! A cursor over wire bytes that cannot read past their end.

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(in crate::decode) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `len` bytes; nothing is read when there are fewer.
    pub(in crate::decode) const fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(len) else { return None };
        self.0 = rest;
        Some(taken)
    }

    /// Whether nothing is left.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that is left.
    pub(in crate::decode) const fn rest(&mut self) -> &'a [u8] {
        let rest = self.0;
        self.0 = &[];
        rest
    }

    pub(in crate::decode) const fn byte(&mut self) -> Option<u8> {
        let Some((&byte, rest)) = self.0.split_first() else { return None };
        self.0 = rest;
        Some(byte)
    }

    pub(in crate::decode) const fn short(&mut self) -> Option<u16> {
        let Some((&bytes, rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some(u16::from_be_bytes(bytes))
    }

    /// Two numbers in a row, in one step.
    pub(super) const fn shorts(&mut self) -> Option<[u16; 2]> {
        let Some((&[a, b, c, d], rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])])
    }

    /// A number of 24 bits, as handshake messages have their lengths.
    pub(super) const fn long(&mut self) -> Option<usize> {
        let Some((&[high, middle, low], rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some(u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    /// A vector with its length in one byte in front (RFC 8446, 3.4).
    pub(in crate::decode) fn vector8(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.take(usize::from(len))
    }

    /// A vector with its length in two bytes in front.
    pub(in crate::decode) fn vector16(&mut self) -> Option<&'a [u8]> {
        let len = self.short()?;
        self.take(usize::from(len))
    }
}
