//! The kernel's fast path, from user space: a program counts packets where they arrive and hands up
//! only what is worth reading.
//!
//! Frames come through BPF rings, one a worker, and are read there ([`Ring`](ring::Ring)); counts
//! are read out of the shared hot table each second ([`Table`](slots::Table)), and come through the
//! ring when a slot gives way. [`Fast`] is both, of one worker.

mod clock;
mod grace;
mod key;
mod mapping;
mod overflow;
mod parts;
mod record;
mod ring;
mod slot;
mod slots;
mod source;
mod telling;
mod totals;

#[cfg(test)]
mod model;

pub(in crate::capture) use mapping::Mapping;
pub(in crate::capture) use parts::{Attached, Parts, Shape, Whole};
pub(in crate::capture) use source::Fast;
