//! Syslog messages: RFC 3164, RFC 5424, and the forms that ESXi 6 to 8, vCenter and NSX really send.
//!
//! [`parse`] takes a header apart and leaves what the program wrote to others; [`Frames`] finds the
//! messages in a stream. Nothing is copied.

#![deny(clippy::arithmetic_side_effects)]

use crate::time::Timestamp;

mod date;
mod frames;
mod header;
mod skew;

pub use frames::{Frame, Frames, MAX_LENGTH};
pub use skew::{NOTABLE, Skews};

/// The port of syslog over UDP (RFC 5426).
pub const PORT: u16 = 514;

/// Where a line was found. Without its priority, a line of an ESXi host's own files cannot be told
/// from one that names the host it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It was sent.
    Wire,
    /// In a file: of an ESXi host or vCenter, of a support bundle, or of a collector.
    File,
}

/// A message, taken apart as far as its header goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The time in its header, where that is one.
    pub time: Option<Timestamp>,
    /// The host in its header.
    pub host: Option<&'a str>,
    /// The facility that its priority names (RFC 5424, 6.2.1); 13 is ESXi's audit.
    pub facility: Option<u8>,
    /// The program that wrote it, without its process id; empty where none is named.
    pub program: &'a str,
    /// What it says. With the structured data that belong to that, as ESXi writes them in front
    /// (`[Originator@6876 sub=…] …`, `[shell.cmd@6876 …]`); without those that relays add there, and
    /// without the level and the second tag that ESXi before 8 and vCenter put before it.
    pub body: &'a str,
    /// Whether the sender says that it cut it.
    pub is_cut: bool,
    /// Whether it goes on with what an earlier message of the same program said. Who was logged may
    /// have chosen the words: they are never read as a message of their own.
    pub is_continuation: bool,
}

impl Message<'_> {
    /// Whether it only says how often the one before was said.
    pub fn is_repetition(&self) -> bool {
        ["message repeated ", "last message repeated "]
            .iter()
            .any(|start| self.body.starts_with(start))
    }
}

/// Whether bytes may be a message, by the first of them: that of a priority, of a time or of what goes on
/// with a message before. It tells most of what else is sent to this port without another look.
pub const fn may_be_message(bytes: &[u8]) -> bool {
    matches!(bytes, [b'<' | b'-' | b'0'..=b'9' | b'A'..=b'Z', ..])
}

/// Reads a message's header. None when it is no syslog message. A time without a year is in the year
/// that brings it next to `near`; where that is not known, it is no time.
pub fn parse(line: &str, form: Form, near: Option<Timestamp>) -> Option<Message<'_>> {
    header::read(line.trim_end_matches(['\r', '\n', '\0', ' ']), form, near)
}

#[cfg(test)]
mod tests;
