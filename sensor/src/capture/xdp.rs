//! The kernel's fast path, from user space: a program counts packets where they arrive and hands up
//! only what is worth reading.
//!
//! The kernel takes the program, and a link puts it on an interface. Frames come through BPF rings, one
//! a worker, and are read there; counts are read out of the shared hot table at the end of each
//! tick, what is much each second, and come through the ring when a slot gives way.

mod attach;
mod clock;
mod copies;
mod ending;
mod grace;
mod key;
mod layout;
mod link;
mod load;
mod mapping;
mod netlink;
mod open;
mod overflow;
mod parts;
mod probe;
mod record;
mod rights;
mod ring;
mod slot;
mod slots;
mod source;
mod telling;
mod totals;

#[cfg(test)]
mod model;

pub(super) use ending::Ending;
pub(super) use open::{Place, open};
pub use probe::{Probe, probe};
pub(super) use source::Fast;
