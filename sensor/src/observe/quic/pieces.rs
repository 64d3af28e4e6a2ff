//! The pieces of a handshake message, put where they belong: in any order, more than once, and where
//! two disagree the first counts. Bounded in bytes and pieces.

use std::ops::Range;

use arrayvec::ArrayVec;

/// The longest message that is gathered, as over TCP; post-quantum hellos take 2 KiB.
pub(super) const MAX_MESSAGE: usize = 17 * 1024;

/// How many stretches with gaps between them are kept. Browsers shuffle their hellos in a dozen or two.
const MAX_STRETCHES: usize = 64;

/// Type and length of a handshake message (RFC 8446, 4).
const HEADER: usize = 4;

/// There is more than any hello has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

/// What is there of a message.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    bytes: Vec<u8>,
    /// Which of `bytes` are there: in order, apart from each other.
    there: ArrayVec<Range<usize>, MAX_STRETCHES>,
}

impl Pieces {
    /// Puts in what is new.
    pub(super) fn add(&mut self, offset: u64, data: &[u8]) -> Result<(), TooMuch> {
        let start = usize::try_from(offset).map_err(|_| TooMuch)?;
        let end = start.checked_add(data.len()).filter(|end| *end <= MAX_MESSAGE).ok_or(TooMuch)?;
        if self.bytes.len() < end {
            self.bytes.reserve_exact(end - self.bytes.len());
            self.bytes.resize(end, 0);
        }
        let mut at = start;
        for range in &self.there {
            if range.start < end && at < range.end {
                copy(&mut self.bytes, start, at..range.start, data);
                at = range.end;
            }
        }
        copy(&mut self.bytes, start, at..end, data);
        self.join(start..end)
    }

    /// Notes that a stretch is there.
    fn join(&mut self, mut new: Range<usize>) -> Result<(), TooMuch> {
        self.there.retain(|range| {
            let apart = range.end < new.start || new.end < range.start;
            if !apart {
                new = new.start.min(range.start)..new.end.max(range.end);
            }
            apart
        });
        let at = self.there.iter().take_while(|range| range.start < new.start).count();
        self.there.try_insert(at, new).map_err(|_| TooMuch)
    }

    /// What is there from the start on.
    pub(super) fn start(&self) -> &[u8] {
        match self.there.first() {
            Some(range) if range.start == 0 => self.bytes.get(..range.end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The message, once it is whole.
    pub(super) fn message(&self) -> Option<&[u8]> {
        let start = self.start();
        let [_, length @ ..] = *start.first_chunk::<HEADER>()?;
        let [high, middle, low] = length;
        start.get(..HEADER + u32::from_be_bytes([0, high, middle, low]) as usize)
    }
}

/// Copies the part `range` of a stream from `data`, which begins at `start`; an empty or inverted one
/// is nothing.
fn copy(bytes: &mut [u8], start: usize, range: Range<usize>, data: &[u8]) {
    if range.start < range.end
        && let Some(to) = bytes.get_mut(range.clone())
        && let Some(from) = data.get(range.start - start..range.end - start)
    {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_whole_as_soon_as_its_last_byte_is_there() {
        let mut pieces = Pieces::default();
        let message = [&[1, 0, 0, 6][..], b"abcdef"].concat();
        for (offset, end) in [(7, 10), (0, 3), (3, 6)] {
            pieces.add(offset, &message[offset as usize..end]).unwrap();
            assert_eq!(pieces.message(), None);
        }
        pieces.add(4, b"ABCD and what comes behind").unwrap();
        assert_eq!(pieces.message(), Some(&[&[1, 0, 0, 6][..], b"abCdef"].concat()[..]));
    }

    #[test]
    fn there_is_an_end_to_bytes_and_to_stretches() {
        let mut pieces = Pieces::default();
        assert_eq!(pieces.add(u64::MAX, b"a"), Err(TooMuch));
        assert_eq!(pieces.add(MAX_MESSAGE as u64, b"a"), Err(TooMuch));
        assert_eq!(pieces.add(MAX_MESSAGE as u64 - 1, b"a"), Ok(()));
        let added: Result<Vec<_>, _> = (0..100).map(|n| pieces.add(n * 2, b"a")).collect();
        assert_eq!(added, Err(TooMuch));
        assert_eq!(pieces.bytes.len(), MAX_MESSAGE);
    }

    proptest! {
        #[test]
        fn first_come_counts(
            pieces in prop::collection::vec((0u64..200, prop::collection::vec(any::<u8>(), 0..40)), 0..40)
        ) {
            let (mut gathered, mut model) = (Pieces::default(), [None; 256]);
            for (offset, data) in &pieces {
                prop_assert_eq!(gathered.add(*offset, data), Ok(()));
                for (byte, place) in data.iter().zip(&mut model[*offset as usize..]) {
                    place.get_or_insert(*byte);
                }
                let start: Vec<u8> = model.iter().map_while(|byte| *byte).collect();
                prop_assert_eq!(gathered.start(), start);
                let there = gathered.there.windows(2).all(|pair| pair[0].end < pair[1].start);
                prop_assert!(there, "{:?}", gathered.there);
            }
        }
    }
}
