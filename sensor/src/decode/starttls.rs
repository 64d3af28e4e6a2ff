//! Dialogues in the clear that turn to TLS in the middle of a stream: SMTP (RFC 3207), IMAP
//! (RFC 9051), POP3 (RFC 2595), LDAP (RFC 4511), PostgreSQL, and HTTP proxies.
//!
//! They are told by what is said and not by ports. Each side is followed line by line or message by
//! message, so that a hello is found where a line or message ends, wherever segments do. What the
//! other side answers to STARTTLS needs no look: who is refused sends no hello.

#![deny(clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::proxy::Exchange;
use super::tls::{Likeness, looks_like_hello};
use crate::event::{Carrier, StartTls};

mod ldap;
mod opening;
mod postgres;

pub use opening::{Beginning, begins};

/// The longest line that is looked at; longer ones are passed over. Commands have 512 bytes
/// (RFC 5321), and a proxy is asked for no more than a host's name.
const MAX_LINE: usize = 1024;

/// How much of a side is followed, at most; the kernel programs hand up no more either.
const MAX_SPOKEN: u32 = 48 * 1024;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// One that asks for TLS.
    StartTls(StartTls),
    /// HTTP to a proxy.
    Proxy,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// How far a look at a side's bytes came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many are followed. What comes next may be a hello.
    Used(usize),
    /// It takes at least so many bytes to go on.
    Want(usize),
    /// This is no such dialogue, or a very long one.
    Over,
}

/// What is known of a dialogue.
#[derive(Debug, Clone)]
pub struct Dialogue {
    protocol: Protocol,
    /// Whether the client asked for TLS.
    asked: bool,
    /// What a proxy was asked for.
    exchange: Exchange,
    client: Side,
    server: Side,
}

/// How far one side is followed.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    spoken: u32,
    /// So many bytes of a message or body are still to be passed over.
    left: u32,
    /// In the middle of a line that is passed over.
    in_line: bool,
}

/// One line or message at the start of a side's bytes.
enum Unit {
    /// It has so many bytes.
    Whole(usize),
    /// It takes at least so many to tell.
    Short(usize),
    /// Nothing that the protocol has.
    Foreign,
}

impl Dialogue {
    /// One that begins.
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            asked: false,
            exchange: Exchange::default(),
            client: Side::default(),
            server: Side::default(),
        }
    }

    /// What carries the TLS session that begins now.
    pub fn carrier(&self) -> Carrier {
        match (self.protocol, self.exchange.authority()) {
            (Protocol::StartTls(protocol), _) if self.asked => Carrier::StartTls(protocol),
            (Protocol::Proxy, Some(authority)) => Carrier::Proxy(Arc::clone(authority)),
            _ => Carrier::Tcp,
        }
    }

    /// Whether a proxy has said no, so that what seems to begin goes nowhere.
    pub fn is_refused(&self) -> bool {
        self.exchange.is_refused()
    }

    /// Goes on with the next bytes of one side, as far as they are no hello.
    pub fn read(&mut self, role: Role, bytes: &[u8]) -> Step {
        let mut used = 0_usize;
        while let Some(rest) = bytes.get(used..)
            && !rest.is_empty()
        {
            let side = *self.side(role);
            let is_border = side.left == 0 && !side.in_line;
            if is_border && used > 0 && looks_like_hello(rest) != Likeness::No {
                break;
            }
            let unit = match side.left {
                0 => self.unit(role, rest),
                left => self.pass(role, rest.len().min(left as usize)),
            };
            match unit {
                Unit::Whole(len) => used = used.saturating_add(len.min(rest.len())),
                Unit::Short(_) if used > 0 => break,
                Unit::Short(total) => return Step::Want(total),
                Unit::Foreign => return Step::Over,
            }
        }
        let side = self.side(role);
        side.spoken = side.spoken.saturating_add(u32::try_from(used).unwrap_or(u32::MAX));
        if side.spoken > MAX_SPOKEN { Step::Over } else { Step::Used(used) }
    }

    const fn side(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    fn pass(&mut self, role: Role, len: usize) -> Unit {
        let side = self.side(role);
        side.left = side.left.saturating_sub(len as u32);
        Unit::Whole(len)
    }

    fn unit(&mut self, role: Role, bytes: &[u8]) -> Unit {
        match self.protocol {
            Protocol::StartTls(StartTls::Ldap) => self.ldap(role, bytes),
            Protocol::StartTls(StartTls::Postgres) => self.postgres(role, bytes),
            Protocol::StartTls(protocol) => self.line(role, bytes, |dialogue, line| {
                dialogue.asked |= role == Role::Client && asks(protocol, line.unwrap_or_default());
                Some(0)
            }),
            Protocol::Proxy => self.line(role, bytes, |dialogue, line| match role {
                Role::Client => dialogue.exchange.asked(line),
                Role::Server => Some(dialogue.exchange.answered(line)),
            }),
        }
    }

    /// Reads a line: `said` gets it without its end, or nothing in place of one that is too long, and
    /// tells how many bytes behind it are no lines, unless the line is nothing that may be said.
    fn line(
        &mut self,
        role: Role,
        bytes: &[u8],
        said: impl FnOnce(&mut Self, Option<&[u8]>) -> Option<u32>,
    ) -> Unit {
        let side = self.side(role);
        let looked_at = if side.in_line { bytes } else { bytes.get(..MAX_LINE).unwrap_or(bytes) };
        let Some(end) = looked_at.iter().position(|&byte| byte == b'\n') else {
            if !side.in_line && bytes.len() < MAX_LINE {
                return Unit::Short(bytes.len().saturating_add(1));
            }
            side.in_line = true;
            return Unit::Whole(looked_at.len());
        };
        let was_long = std::mem::take(&mut side.in_line);
        let line = looked_at.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(left) = said(self, (!was_long).then_some(line)) else {
            return Unit::Foreign;
        };
        self.side(role).left = left;
        Unit::Whole(end.saturating_add(1))
    }

    fn ldap(&mut self, role: Role, bytes: &[u8]) -> Unit {
        let len = match ldap::message(bytes) {
            Unit::Whole(len) => len,
            other => return other,
        };
        if len > ldap::MAX_REQUEST {
            // No request for TLS is so long.
            self.side(role).left = u32::try_from(len).unwrap_or(u32::MAX);
            return Unit::Whole(0);
        }
        let Some(message) = bytes.get(..len) else {
            return Unit::Short(len);
        };
        self.asked |= role == Role::Client && ldap::asks(message);
        Unit::Whole(len)
    }

    fn postgres(&mut self, role: Role, bytes: &[u8]) -> Unit {
        match role {
            Role::Client => {
                let unit = postgres::request(bytes);
                self.asked |= bytes.starts_with(&postgres::SSL_REQUEST);
                unit
            }
            Role::Server => postgres::answer(bytes),
        }
    }
}

/// Whether a line of the client asks for TLS. Words are told apart by spaces; case does not matter.
fn asks(protocol: StartTls, line: &[u8]) -> bool {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let word: &[u8] = match protocol {
        StartTls::Pop3 => b"STLS",
        // A tag goes before it.
        StartTls::Imap if words.next().is_none() => return false,
        _ => b"STARTTLS",
    };
    words.next().is_some_and(|said| said.eq_ignore_ascii_case(word)) && words.next().is_none()
}

#[cfg(test)]
mod tests;
