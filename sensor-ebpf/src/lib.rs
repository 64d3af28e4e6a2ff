//! What the kernel programs and user space share: plain `repr(C)` structs, no standard library.
//!
//! The hot table is an array in parts, one a processor, each written by its processor alone; user
//! space maps it into memory and reads it there while it changes. A slot holds one direction of one
//! flow; its counters only grow until another flow takes the slot, and then go up whole, as a record
//! in a ring, before they are overwritten. So nothing is ever reset, and no count is lost.
#![no_std]

mod control;
mod record;
mod slot;
mod totals;

pub use control::{Control, action};
pub use record::{Evicted, Handed, NO_SLOT, TAGGED, kind, size};
pub use slot::{BLOCK, Count, Key, Key4, Key6, MUCH, Set, Slot, TAKEN, Touched, WAYS};
pub use totals::{InUse, LEAST_PAIRS, Totals};

/// The most VLAN tags that are read from one frame in user space.
///
/// IEEE 802.1ad allows two; provider bridges in front of an ESXi uplink add at most one more pair.
pub const MAX_VLAN_TAGS: usize = 4;

/// The most VLAN tags that the kernel program reads; frames with more go up whole.
pub const KERNEL_VLAN_TAGS: usize = 2;

/// Rings there are at most: as many workers read one interface.
pub const MAX_RINGS: usize = 8;

/// Places in a processor's table of packets seen last, see [`Totals::duplicates`]: a power of two.
pub const DUPLICATE_PLACES: u32 = 1 << 16;

/// Bytes of payload of one direction of a flow that go up at most while user space does not say that
/// it has read enough: all that it ever looks at, and some that are sent twice.
pub const HAND_UP_BUDGET: u32 = 48 * 1024;
