//! What becomes of frames once they are counted.

use std::mem::offset_of;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use egret_ebpf::{Control, action};

use super::mapping::Mapping;

/// The program's control word, which says so.
#[derive(Debug, Clone)]
pub(in crate::capture) struct Ending(Arc<Mapping>);

impl Ending {
    /// The map `CONTROL`.
    pub(super) const fn new(control: Arc<Mapping>) -> Self {
        Self(control)
    }

    /// Lets frames go on from the next one.
    pub(in crate::capture) fn pass(&self) {
        if let Some(word) = self.0.word32(offset_of!(Control, action)) {
            word.store(action::PASS, Relaxed);
        }
    }
}
