//! The first packets of conversations, kept for when an alert is about one of them.
//!
//! [`Recent`] is memory: the beginnings of the latest conversations of one packet path, the oldest
//! overwritten. [`Shelf`] is disk: what was found there of alerts, a small pcapng file each, the oldest
//! removed. Both have a fixed size. A conversation that began longer ago than memory reaches back leaves
//! nothing, and no alert waits for its packets.

use crate::capture::LinkType;
use crate::time::Timestamp;

mod case;
mod pcapng;
mod recent;
mod shelf;

pub use case::{Case, Conversation, MAX_CONVERSATIONS, Subject};
pub use recent::{MAX_BYTES, MAX_PACKETS, Recent, SNAP, Search};
pub use shelf::{FOLDER, Kept, Missing, Shelf, ShelfError, ids, is_there, read};

/// One packet of a conversation, with all that it was wrapped in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured.
    pub time: Timestamp,
    /// Its length on the wire; never less than `bytes.len()`.
    pub wire_len: u32,
    /// How its first byte is to be read.
    pub link: LinkType,
    /// Where it was captured: an interface's place in the config. A file has none.
    pub interface: Option<u16>,
    /// The first of its bytes, at most [`SNAP`], and 4 more of a VLAN tag.
    pub bytes: Vec<u8>,
}
