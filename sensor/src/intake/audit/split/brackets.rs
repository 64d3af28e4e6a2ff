//! The brackets that are open.

/// What a bracket opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
}

/// At most 128, a bit each: whoever pushes knows that there are not as many.
#[derive(Debug, Default)]
pub(super) struct Brackets {
    /// The last one lowest; set: an object.
    kinds: u128,
    depth: u32,
}

impl Brackets {
    pub(super) const fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) const fn push(&mut self, kind: Kind) {
        self.kinds = self.kinds << 1 | matches!(kind, Kind::Object) as u128;
        self.depth = self.depth.saturating_add(1);
    }

    pub(super) const fn pop(&mut self) {
        self.kinds >>= 1;
        self.depth = self.depth.saturating_sub(1);
    }

    /// The innermost.
    pub(super) const fn last(&self) -> Option<Kind> {
        match (self.depth, self.kinds & 1) {
            (0, _) => None,
            (_, 0) => Some(Kind::Array),
            _ => Some(Kind::Object),
        }
    }
}
