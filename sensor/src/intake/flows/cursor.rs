//! A cursor over a datagram that cannot read past its end.

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The next `length` bytes; nothing is read when there are fewer.
    pub(super) const fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else { return None };
        self.0 = rest;
        Some(taken)
    }

    pub(super) const fn byte(&mut self) -> Option<u8> {
        let Some((&byte, rest)) = self.0.split_first() else { return None };
        self.0 = rest;
        Some(byte)
    }

    pub(super) const fn short(&mut self) -> Option<u16> {
        let Some((&bytes, rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some(u16::from_be_bytes(bytes))
    }

    pub(super) const fn word(&mut self) -> Option<u32> {
        let Some((&bytes, rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some(u32::from_be_bytes(bytes))
    }

    pub(super) const fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let Some((&bytes, rest)) = self.0.split_first_chunk() else { return None };
        self.0 = rest;
        Some(bytes)
    }
}

/// A number of any length (RFC 7011, 6.2: exporters may send fewer bytes than a number has); of more than
/// eight bytes the last eight.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut cursor = Cursor::new(&[1, 2, 3]);
        assert_eq!((cursor.word(), cursor.take(4), cursor.len()), (None, None, 3));
        assert_eq!((cursor.short(), cursor.short(), cursor.byte()), (Some(0x102), None, Some(3)));
        assert_eq!(cursor.byte(), None);
    }

    #[test]
    fn numbers_have_as_many_bytes_as_the_exporter_likes() {
        assert_eq!([number(&[]), number(&[7]), number(&[1, 0, 0, 0, 2])], [0, 7, 0x1_0000_0002]);
        assert_eq!(number(&[0xff, 0, 0, 0, 0, 0, 0, 0, 9]), 9);
    }
}
