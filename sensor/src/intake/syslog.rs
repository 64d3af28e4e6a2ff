//! Syslog messages (RFC 3164, RFC 5424, and the forms that ESXi and vCenter really send).

use crate::time::Timestamp;

/// The port of syslog over UDP (RFC 5426).
pub const PORT: u16 = 514;

/// A message, taken apart as far as its header goes.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The time in its header, where that is one.
    pub time: Option<Timestamp>,
    /// The host in its header.
    pub host: Option<&'a str>,
    /// The program that wrote it, without its process id.
    pub program: &'a str,
    /// What it says.
    pub body: &'a str,
}

/// Reads a message's header. None when it is no syslog message.
pub fn parse(line: &[u8]) -> Option<Message<'_>> {
    let line = str::from_utf8(line).ok()?;
    let (_, rest) = line.strip_prefix('<')?.split_once('>')?;
    let (time, rest) = rest.split_once(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    let (tag, body) = rest.split_once(": ")?;
    let program = tag.split_once('[').map_or(tag, |(program, _)| program);
    Some(Message { time: time.parse().ok(), host: Some(host), program, body })
}
