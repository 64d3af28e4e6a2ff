//! What an HTTP proxy is asked to connect to, and whether it does (RFC 9110, 9.3.6; RFC 9112).

#![deny(clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::tls::printable;

/// Requests and answers, line by line, until TLS begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    /// What was asked for last.
    authority: Option<Arc<str>>,
    asked: u8,
    answered: u8,
    /// Whether the last answer was no.
    refused: bool,
    /// Whether the client, and the server, are in the lines below their first.
    in_head: [bool; 2],
    /// The length of an answer's body.
    body: u32,
}

impl Exchange {
    /// What the proxy was asked for last: host and port.
    pub(super) const fn authority(&self) -> Option<&Arc<str>> {
        self.authority.as_ref()
    }

    /// Whether everything that was asked is answered, last with no.
    pub(super) const fn is_refused(&self) -> bool {
        self.refused && self.answered >= self.asked
    }

    /// A line of the client, `None` for one that is too long to look at: how many bytes follow it
    /// that are no lines. `None` when it asks for something else than a connection.
    pub(super) fn asked(&mut self, line: Option<&[u8]>) -> Option<u32> {
        let [in_head, _] = &mut self.in_head;
        match line {
            Some([]) => *in_head = false,
            _ if *in_head => {}
            line => {
                let authority = authority(line?)?;
                self.authority = Some(printable(authority).into());
                self.asked = self.asked.saturating_add(1);
                *in_head = true;
            }
        }
        Some(0)
    }

    /// A line of the proxy, likewise. Lines that begin no answer are those of a body.
    pub(super) fn answered(&mut self, line: Option<&[u8]>) -> u32 {
        let Some(line) = line else { return 0 };
        let [_, in_head] = &mut self.in_head;
        if *in_head {
            if line.is_empty() {
                *in_head = false;
                return std::mem::take(&mut self.body);
            }
            // What is connected has no body, whatever is said of one.
            if let Some(len) = content_length(line).filter(|_| self.refused) {
                self.body = len;
            }
            return 0;
        }
        if let Some(status) = status(line) {
            *in_head = true;
            self.body = 0;
            // 100 to 199 come before the answer.
            if status >= 200 {
                self.answered = self.answered.saturating_add(1);
                self.refused = status >= 300;
            }
        }
        0
    }
}

/// What `CONNECT` asks for. Methods are in capitals, but not every client knows.
fn authority(line: &[u8]) -> Option<&[u8]> {
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.next().filter(|word| word.eq_ignore_ascii_case(b"CONNECT"))?;
    let authority = words.next()?;
    let version = words.next()?;
    let is_http = version.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/1."));
    (is_http && words.next().is_none()).then_some(authority)
}

/// The status of an answer's first line.
fn status(line: &[u8]) -> Option<u16> {
    let (version, rest) = line.split_first_chunk::<9>()?;
    let digits = rest.get(..3)?;
    let is_http = version.starts_with(b"HTTP/1.") && version.ends_with(b" ");
    is_http.then(|| str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// The length of a body, where this line says it.
fn content_length(line: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"content-length:";
    let (name, value) = line.split_at_checked(NAME.len())?;
    let value = value.trim_ascii();
    name.eq_ignore_ascii_case(NAME).then(|| str::from_utf8(value).ok()?.parse().ok()).flatten()
}
