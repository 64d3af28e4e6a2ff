//! Messages in a stream (RFC 6587): by their lengths, or each in a line, told anew at each message.

/// The longest message that is read whole; of a longer one, its start.
pub const MAX_LENGTH: usize = 64 << 10;
/// Digits of a length, at most: more are no length.
const MAX_DIGITS: usize = 8;
/// Bytes read at once, about.
const PIECE: usize = 16 << 10;

/// A message, and whether its end is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What there is of it, without what ends it.
    pub message: &'a [u8],
    /// Whether there is less than was sent.
    pub is_cut: bool,
}

/// Finds the messages in the bytes of one stream, however these are cut into pieces.
///
/// A line ends with LF, or with the NUL that some senders use (RFC 6587, 3.4.2); empty ones are
/// none. Holds at most [`MAX_LENGTH`] and one piece.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Where the next message starts.
    start: usize,
    /// Bytes behind that which hold no end of a line.
    searched: usize,
    skipping: Skipping,
}

/// What is left of a message that was longer than is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    Nothing,
    /// So many bytes.
    Bytes(usize),
    /// All up to the end of the line.
    Line,
}

/// What there is at the start of some bytes.
enum Next {
    /// Part of a message, perhaps.
    Undecided,
    /// Behind so many bytes, a message of so many.
    Counted { digits: usize, length: usize },
    /// A line.
    Line,
}

impl Frames {
    /// Where the bytes that come next are to be put, behind those that are there.
    pub fn space(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.start);
        self.start = 0;
        // Most streams are quiet most of the time, and there are many.
        if self.buffer.is_empty() {
            self.buffer.shrink_to(PIECE);
        }
        self.buffer.reserve(PIECE);
        &mut self.buffer
    }

    /// Takes bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.space().extend_from_slice(bytes);
    }

    /// The next message that is complete, or longer than is read.
    pub fn pop(&mut self) -> Option<Frame<'_>> {
        self.skip();
        if self.skipping != Skipping::Nothing {
            return None;
        }
        self.start =
            self.start.saturating_add(self.rest().iter().take_while(|b| ends(**b)).count());
        match next(self.rest()) {
            Next::Undecided => None,
            Next::Counted { digits, length } => self.counted(digits, length),
            Next::Line => self.line(),
        }
    }

    /// What is left when the stream has ended.
    pub fn last(&mut self) -> Option<Frame<'_>> {
        let skipped = self.skipping != Skipping::Nothing;
        let from = std::mem::replace(&mut self.start, self.buffer.len());
        let rest = self.buffer.get(from..).filter(|rest| !skipped && !rest.is_empty())?;
        let (message, is_cut) = match next(rest) {
            Next::Counted { digits, .. } => (rest.get(digits..).unwrap_or_default(), true),
            Next::Line | Next::Undecided => (rest, false),
        };
        Some(Frame { message, is_cut })
    }

    fn counted(&mut self, digits: usize, length: usize) -> Option<Frame<'_>> {
        let kept = length.min(MAX_LENGTH);
        let from = self.start.saturating_add(digits);
        let to = from.saturating_add(kept);
        if to > self.buffer.len() {
            return None;
        }
        self.go_to(to);
        if length > kept {
            self.skipping = Skipping::Bytes(length.saturating_sub(kept));
        }
        let message = self.buffer.get(from..to)?;
        Some(Frame { message, is_cut: length > kept })
    }

    fn line(&mut self) -> Option<Frame<'_>> {
        let from = self.start;
        let unsearched = self.rest().get(self.searched..).unwrap_or_default();
        let end = unsearched.iter().position(|byte| ends(*byte));
        let length = match end {
            Some(end) => self.searched.saturating_add(end),
            None => self.rest().len(),
        };
        let is_cut = length > MAX_LENGTH;
        if end.is_none() && !is_cut {
            self.searched = length;
            return None;
        }
        let to = from.saturating_add(length.min(MAX_LENGTH));
        self.go_to(to);
        if is_cut {
            self.skipping = Skipping::Line;
        }
        Some(Frame { message: self.buffer.get(from..to)?, is_cut })
    }

    /// Drops what is there of a message that was longer than is read.
    fn skip(&mut self) {
        let rest = self.rest();
        let (dropped, skipping) = match self.skipping {
            Skipping::Nothing => return,
            Skipping::Bytes(left) => {
                let dropped = left.min(rest.len());
                match left.saturating_sub(dropped) {
                    0 => (dropped, Skipping::Nothing),
                    left => (dropped, Skipping::Bytes(left)),
                }
            }
            Skipping::Line => match rest.iter().position(|byte| ends(*byte)) {
                Some(end) => (end, Skipping::Nothing),
                None => (rest.len(), Skipping::Line),
            },
        };
        self.skipping = skipping;
        self.go_to(self.start.saturating_add(dropped));
    }

    fn go_to(&mut self, start: usize) {
        self.start = start;
        self.searched = 0;
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

const fn ends(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\0')
}

/// A length is what comes before a space and a priority (RFC 6587, 3.4.1).
fn next(bytes: &[u8]) -> Next {
    let digits = bytes.iter().take(MAX_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = bytes.split_at_checked(digits).unwrap_or_default();
    let length = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    match (rest, length) {
        ([], _) | ([b' '], Some(_)) => Next::Undecided,
        ([b' ', b'<', ..], Some(length)) if !number.starts_with(b"0") => {
            Next::Counted { digits: digits.saturating_add(1), length }
        }
        _ => Next::Line,
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own numbers")]
mod tests;
