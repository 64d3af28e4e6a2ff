//! What the kernel program and user space share: plain `repr(C)` structs, no standard library.
//!
//! The program itself comes with the kernel fast path; until then only the limits that both
//! sides must agree on live here.
#![no_std]

/// The most VLAN tags that are read from one frame, in the kernel and in user space.
///
/// IEEE 802.1ad allows two; provider bridges in front of an ESXi uplink add at most one more pair.
pub const MAX_VLAN_TAGS: usize = 4;
