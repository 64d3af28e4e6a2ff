//! How the packet path tells a source that it has read enough of a flow.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Where to say so, for one direction of one flow. What is said late, when the place is another
/// flow's, says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Mark<'a> {
    place: &'a AtomicU32,
    value: u32,
}

impl<'a> Mark<'a> {
    /// A mark that is made by writing `value` to `place`.
    pub const fn new(place: &'a AtomicU32, value: u32) -> Self {
        Self { place, value }
    }

    /// This direction has been read enough: its packets need only be counted from now on.
    #[inline]
    pub fn enough(self) {
        self.place.store(self.value, Relaxed);
    }
}
