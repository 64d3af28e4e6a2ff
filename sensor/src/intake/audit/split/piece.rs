//! Bytes as they come, and what of them is a record's.

/// Some bytes, and how far they are read.
pub(super) struct Piece<'a> {
    bytes: &'a [u8],
    at: usize,
    mark: usize,
}

impl<'a> Piece<'a> {
    /// Marked at its start: there, what came before goes on.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, mark: 0 }
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) const fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Goes to the next byte that is asked for, or to the end; whether there is one.
    pub(super) fn skip_to(&mut self, is_it: impl Fn(u8) -> bool) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest.iter().position(|byte| is_it(*byte));
        self.at = self.at.saturating_add(found.unwrap_or(rest.len()));
        found.is_some()
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The bytes from there to where it stands.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        self.bytes.get(from..self.at).unwrap_or_default()
    }

    /// A record starts here.
    pub(super) const fn mark(&mut self) {
        self.mark = self.at;
    }

    /// The bytes from where a record started.
    pub(super) fn marked(&self) -> &'a [u8] {
        self.since(self.mark)
    }
}
